/** Asks for a password without showing it, or reads it from a pipe. */
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { StringDecoder } from 'node:string_decoder';
import { CommandError } from './usage-error.ts';

/** Standard input, as far as it is used. */
export interface PasswordInput extends Readable {
  readonly isTTY?: boolean;
  setRawMode?(mode: boolean): unknown;
}

/**
 * Reads a password. At a terminal it asks twice, without echo; elsewhere it takes the first line.
 *
 * @param output where questions go
 * @throws CommandError if there is none, if the two differ, or if the user ends it (Ctrl-C, Ctrl-D)
 */
export async function readPassword(input: PasswordInput, output: Writable): Promise<string> {
  if (input.isTTY !== true || input.setRawMode === undefined) {
    const [line = ''] = (await text(input)).split(/\r?\n/, 1);
    return given(line);
  }
  input.setRawMode(true);
  try {
    const password = given(await askedLine(input, output, 'Password: '));
    if ((await askedLine(input, output, 'Again: ')) !== password) {
      throw new CommandError('the two passwords differ; nothing was written');
    }
    return password;
  } finally {
    input.setRawMode(false);
    input.pause();
  }
}

function given(password: string): string {
  if (password === '') throw new CommandError('no password was given; nothing was written');
  return password;
}

const ENDS = new Set(['\u0003', '\u0004']);
const ERASES = new Set(['\u0008', '\u007f']);

/** Reads keys up to Enter. The terminal shows none of them. */
function askedLine(input: PasswordInput, output: Writable, question: string): Promise<string> {
  output.write(question);
  const decoder = new StringDecoder('utf8');
  return new Promise((resolve, reject) => {
    const typed: string[] = [];
    const done = (settle: () => void): void => {
      input.removeListener('data', onData);
      input.removeListener('end', onEnd);
      output.write('\n');
      settle();
    };
    const onEnd = (): void => done(() => reject(new CommandError('no password was given; nothing was written')));
    const onData = (chunk: Buffer): void => {
      const characters = [...decoder.write(chunk)];
      for (const [index, character] of characters.entries()) {
        if (character === '\r' || character === '\n') {
          const rest = characters.slice(index + 1).join('');
          done(() => resolve(typed.join('')));
          // What was pasted behind it belongs to the next question.
          if (rest !== '') input.unshift(Buffer.from(rest));
          return;
        }
        if (ENDS.has(character)) {
          onEnd();
          return;
        }
        if (ERASES.has(character)) typed.pop();
        else typed.push(character);
      }
    };
    input.on('data', onData);
    input.on('end', onEnd);
  });
}
