/** Programs of the documents, run as they stand. */
import assert from 'node:assert/strict';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onAnyPort, portLine } from './any-port.ts';
import { codeBlocks, readDocument, root } from './documents.ts';
import { startProcess } from './process.ts';
import type { RunningProcess } from './process.ts';
import { scratchFolder } from './scratch.ts';

const tsx = fileURLToPath(import.meta.resolve('tsx'));

/** A program that listens. */
export interface DocumentProgram extends AsyncDisposable {
  readonly port: number;
  /** `localhost:<port>` */
  readonly authority: string;
  readonly process: RunningProcess;
}

/** How a program is run, beyond what the document says. */
export interface DocumentProgramOptions {
  /** Changes its code, for what a test has to put in. */
  readonly change?: (code: string) => string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts a program of a document, on a free port.
 *
 * @param path of the document
 * @param part of the code of its block; the document has one program with it
 */
export async function documentProgram(
  path: string,
  part: string,
  { change = (code) => code, env = {} }: DocumentProgramOptions = {},
): Promise<DocumentProgram> {
  const folder = await scratchFolder('program');
  try {
    await symlink(join(root, 'node_modules'), folder.file('node_modules'));
    await writeFile(folder.file('package.json'), '{ "type": "module" }');
    const blocks = codeBlocks(readDocument(path));
    const [block, ...others] = blocks.filter(({ code }) => code.includes(part) && code.includes('.listen('));
    assert.ok(block !== undefined && others.length === 0, `${path} has one program with ${part}`);
    for (const { file, code } of blocks) await writeFile(folder.file(file), file === block.file ? change(code) : code);
    const running = await startProcess(process.execPath, ['--import', tsx, ...onAnyPort, block.file], {
      cwd: folder.path,
      // The package by its name is its sources.
      env: { TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'), ...env },
    });
    const dispose = async (): Promise<void> => {
      await running.stop();
      await folder.remove();
    };
    try {
      const [, port = ''] = await running.waitForLine(portLine, 60_000);
      return {
        port: Number(port),
        authority: `localhost:${port}`,
        process: running,
        [Symbol.asyncDispose]: dispose,
      };
    } catch (error) {
      await dispose();
      throw error;
    }
  } catch (error) {
    await folder.remove();
    throw error;
  }
}
