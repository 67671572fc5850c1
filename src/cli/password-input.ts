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
  const lines = typedLines(input);
  const ask = async (question: string): Promise<string> => {
    output.write(question);
    const typed = await lines.next();
    output.write('\n');
    return given(typed.value ?? '');
  };
  try {
    const password = await ask('Password: ');
    if ((await ask('Again: ')) !== password) {
      throw new CommandError('the two passwords differ; nothing was written');
    }
    return password;
  } finally {
    await lines.return(undefined);
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

/** What is typed, line by line, up to Ctrl-C or Ctrl-D. The terminal shows none of it. */
async function* typedLines(input: PasswordInput): AsyncGenerator<string, undefined, undefined> {
  const decoder = new StringDecoder('utf8');
  let typed: string[] = [];
  for await (const chunk of input.iterator({ destroyOnReturn: false })) {
    for (const character of decoder.write(chunk as Buffer)) {
      if (ENDS.has(character)) return undefined;
      if (character === '\r' || character === '\n') {
        yield typed.join('');
        typed = [];
      } else if (ERASES.has(character)) {
        typed.pop();
      } else {
        typed.push(character);
      }
    }
  }
  return undefined;
}
