/** Programs of tests in one file of JavaScript each: several processes of one start faster than through a loader. */
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { startProcess } from './process.ts';
import type { ProcessOptions, RunningProcess } from './process.ts';
import { scratchFolder } from './scratch.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A program that runs; its folder goes with it. */
export interface BundledProgram extends AsyncDisposable {
  readonly process: RunningProcess;
  /** What its line has. */
  readonly said: RegExpMatchArray;
}

/**
 * Bundles a program with the sources that it imports, starts it, and waits for a line that says it is ready.
 *
 * @param program its path
 * @throws Error with its output where there is no such line
 */
export async function startBundled(
  program: string,
  words: readonly string[],
  ready: RegExp,
  options: ProcessOptions = {},
): Promise<BundledProgram> {
  const folder = await scratchFolder('bundled');
  try {
    await symlink(join(root, 'node_modules'), folder.file('node_modules'));
    const outfile = folder.file('program.mjs');
    const common = {
      bundle: true,
      format: 'esm',
      platform: 'node',
      packages: 'external',
      target: 'node20.19',
    } as const;
    await build({ ...common, entryPoints: [program], outfile, logLevel: 'error' });
    const running = await startProcess(process.execPath, [outfile, ...words], options);
    const dispose = async (): Promise<void> => {
      await running.stop();
      await folder.remove();
    };
    try {
      const said = await running.waitForLine(ready, 60_000);
      return { process: running, said, [Symbol.asyncDispose]: dispose };
    } catch (error) {
      await running.stop();
      throw error;
    }
  } catch (error) {
    await folder.remove();
    throw error;
  }
}
