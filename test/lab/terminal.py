"""Runs a program at a terminal of its own and types for it: terminal.py ANSWERS PROGRAM WORDS...

ANSWERS is a JSON list of pairs: what the program must have written, and what is typed then. All that the terminal shows
goes to standard output. The exit code is that of the program.
"""
import json
import os
import pty
import sys

answers = json.loads(sys.argv[1])
child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
shown = b""
while True:
    try:
        part = os.read(terminal, 4096)
    except OSError:
        # Linux says so when the program has closed the terminal.
        part = b""
    if not part:
        break
    sys.stdout.buffer.write(part)
    sys.stdout.flush()
    shown += part
    if answers and answers[0][0].encode() in shown:
        shown = b""
        os.write(terminal, answers.pop(0)[1].encode())
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
