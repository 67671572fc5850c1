"""The client half of a GSS handshake, by python3-gssapi over MIT's libgssapi.

usage: gssapi-initiator.py '{"mech": oid, "target": "HTTP@localhost", "offer": [oids], "mutual": bool}'

Prints one numbered JSON object a line and reads one for each. Handshake: {"token": base64 or null, "complete": bool} out,
{"token": base64} in, or {"done": true} where the server has nothing to send any more. Then messages: a MIC and two
wrapped messages out, the server's in, what was in them out. Failures: {"error": text}.
"""
import base64
import json
import sys

import gssapi

asked = json.loads(sys.argv[1])
number = 0


def say(**fields):
    global number
    print(json.dumps({"n": number, **fields}), flush=True)
    number += 1


def hear():
    line = sys.stdin.readline()
    if not line:
        sys.exit(3)
    return json.loads(line)


def encoded(token):
    return None if token is None else base64.b64encode(token).decode()


def decoded(text):
    return None if text is None else base64.b64decode(text)


mech = gssapi.OID.from_int_seq(asked["mech"])
flags = gssapi.RequirementFlag.integrity | gssapi.RequirementFlag.confidentiality
if asked.get("mutual", True):
    flags |= gssapi.RequirementFlag.mutual_authentication
target = gssapi.Name(asked["target"], gssapi.NameType.hostbased_service)
credentials = None
if "offer" in asked:
    offered = [gssapi.OID.from_int_seq(text) for text in asked["offer"]]
    credentials = gssapi.Credentials(usage="initiate", mechs=[mech])
    gssapi.raw.set_neg_mechs(credentials, offered)

context = gssapi.SecurityContext(name=target, mech=mech, flags=flags, usage="initiate", creds=credentials)
try:
    token = context.step()
    while True:
        say(token=encoded(token), complete=context.complete)
        if context.complete and token is None:
            break
        heard = hear()
        if heard.get("done"):
            break
        token = context.step(decoded(heard["token"]))
    if not context.complete:
        say(error="the server is done, the client is not")
        sys.exit(2)
    data = b"from the client"
    say(
        established=True,
        flags=int(context.actual_flags),
        mic=encoded(context.get_signature(data)),
        wrapped=encoded(context.wrap(data, True).message),
        second=encoded(context.wrap(b"a second one", True).message),
    )
    heard = hear()
    context.verify_signature(b"from the server", decoded(heard["mic"]))
    for name in ("wrapped", "second"):
        plain = context.unwrap(decoded(heard[name]))
        say(opened=plain.message.decode(), encrypted=plain.encrypted)
except gssapi.exceptions.GSSError as error:
    say(error=str(error))
    sys.exit(1)
