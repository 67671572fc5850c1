/** A library with the interface of SSPI that does what its tokens say (scripted-sspi.c), compiled where it is needed. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type * as Koffi from 'koffi';
import { runChecked } from './process.ts';
import type { ScratchFolder } from './scratch.ts';

/** What the library has not been given back, and what was done wrongly to it. */
export interface ScriptedCounts {
  readonly credentials: number;
  readonly contexts: number;
  readonly buffers: number;
  /** Handles given back that were not alive. */
  readonly wrong: number;
  /** Calls that ran on a context while another one did. */
  readonly overlaps: number;
}

/**
 * Compiles the library.
 *
 * @returns its path, and what counts for it
 */
export async function buildScriptedSspi(
  folder: ScratchFolder,
): Promise<{ readonly path: string; counts(): ScriptedCounts }> {
  const path = folder.file('libscripted-sspi.so');
  const source = fileURLToPath(new URL('scripted-sspi.c', import.meta.url));
  await runChecked('gcc', ['-O1', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-pthread', '-o', path, source]);
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  return {
    path,
    counts() {
      const memory = Buffer.alloc(20);
      koffi.load(path).func('ScriptedCounts', 'void', ['void *'])(memory);
      const at = (index: number): number => memory.readInt32LE(4 * index);
      return { credentials: at(0), contexts: at(1), buffers: at(2), wrong: at(3), overlaps: at(4) };
    },
  };
}
