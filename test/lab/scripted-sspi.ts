/** A library with the interface of SSPI that does what its tokens say (scripted-sspi.c), compiled where it is needed. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type * as Koffi from 'koffi';
import { handleFunctions, tokenFunctions } from '../../src/native/secur32/declarations.ts';
import { openSecurityLibrary } from '../../src/native/secur32/library.ts';
import type { Secur32Library } from '../../src/native/secur32/library.ts';
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
  /** Access tokens. */
  readonly tokens: number;
}

/** The library, compiled. */
export interface ScriptedSspi {
  readonly path: string;
  counts(): ScriptedCounts;
  /** How many calls wait for `release`. */
  blocked(): number;
  /** Lets every call that waits go on. */
  release(): void;
}

/**
 * Compiles the library.
 *
 * @param name of the file; another one is a library with counts of its own
 */
export async function buildScriptedSspi(folder: ScratchFolder, name = 'libscripted-sspi.so'): Promise<ScriptedSspi> {
  const path = folder.file(name);
  const source = fileURLToPath(new URL('scripted-sspi.c', import.meta.url));
  await runChecked('gcc', ['-O1', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-pthread', '-o', path, source]);
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  return {
    path,
    counts() {
      const memory = Buffer.alloc(24);
      koffi.load(path).func('ScriptedCounts', 'void', ['void *'])(memory);
      const at = (index: number): number => memory.readInt32LE(4 * index);
      return { credentials: at(0), contexts: at(1), buffers: at(2), wrong: at(3), overlaps: at(4), tokens: at(5) };
    },
    blocked: () => koffi.load(path).func('ScriptedBlocked', 'int32', [])() as number,
    release: () => {
      koffi.load(path).func('ScriptedRelease', 'void', [])();
    },
  };
}

/**
 * Gives an opened library the access tokens that only Windows has, out of the scripted one itself: to be called before
 * anything else opens its packages.
 *
 * @returns the functions as the provider calls them; a test may put others in their place
 */
export function addAccessTokens({ path }: ScriptedSspi): NonNullable<Secur32Library['token']> {
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  const functions = Object.fromEntries(
    Object.entries({ ...tokenFunctions, ...handleFunctions }).map(([name, parameters]) => [
      name,
      koffi.load(path).func(name, 'int32', [...parameters]),
    ]),
  );
  Object.assign(openSecurityLibrary(path), { token: functions });
  return functions as never;
}
