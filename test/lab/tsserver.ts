/** The language server of TypeScript, which editors ask where a name comes from. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess } from './process.ts';

const program = fileURLToPath(new URL('../../node_modules/typescript/lib/tsserver.js', import.meta.url));

/** Where a definition begins. Lines and offsets count from 1, as editors show them. */
export interface Definition {
  readonly file: string;
  readonly line: number;
}

interface Reply {
  readonly success: boolean;
  readonly message?: string;
  readonly body?: readonly { readonly file: string; readonly start: { readonly line: number } }[];
}

/**
 * "Go to definition" for a place in a file.
 *
 * @param folder of the project
 * @param line counted from 1
 * @param offset column, counted from 1
 * @throws Error where the server does not answer, or says that it failed
 */
export async function definitionAt(
  folder: string,
  file: string,
  line: number,
  offset: number,
): Promise<readonly Definition[]> {
  const path = join(folder, file);
  await using server = await startProcess(process.execPath, [program, '--disableAutomaticTypingAcquisition'], {
    cwd: folder,
  });
  const send = (seq: number, command: string, words: object): void =>
    server.write(`${JSON.stringify({ seq, type: 'request', command, arguments: words })}\n`);
  send(1, 'open', { file: path });
  send(2, 'definition', { file: path, line, offset });
  const [text] = await server.waitForLine(/^.*"request_seq":2\b.*$/, 60_000);
  const reply = JSON.parse(text) as Reply;
  if (!reply.success) throw new Error(`tsserver: ${reply.message ?? 'no reason given'}`);
  return (reply.body ?? []).map((entry) => ({ file: entry.file, line: entry.start.line }));
}
