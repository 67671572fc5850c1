/** Programs of this repository that tests start: as the runner has bundled them, or through the loader of TypeScript. */
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startProcess } from './process.ts';
import type { ProcessOptions, RunningProcess } from './process.ts';

/** Environment variable with the folder in which the runner has bundled test files and programs. */
export const programFolderVariable = 'SSPI_AUTH_TEST_PROGRAMS';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tsx = import.meta.resolve('tsx');

/** Where the bundle of a source stands. */
export function bundlePath(folder: string, source: string): string {
  return join(folder, relative(root, source).replace(/\.ts$/, '.mjs'));
}

/** How node is to run a source. */
export interface Program {
  readonly options: readonly string[];
  /** Absolute path of its bundle, or its own. */
  readonly path: string;
  /** The same, for an import. */
  readonly url: string;
}

/**
 * A program of this repository, or a module that a program imports. A bundle starts in a fifth of the time; without the
 * runner there is none.
 *
 * @param source its URL or absolute path
 */
export function programOf(source: string | URL): Program {
  const path = source instanceof URL ? fileURLToPath(source) : source;
  const folder = process.env[programFolderVariable];
  const bundle = folder === undefined ? undefined : bundlePath(folder, path);
  if (bundle === undefined || !existsSync(bundle)) {
    return { options: ['--import', tsx], path, url: pathToFileURL(path).href };
  }
  return { options: ['--enable-source-maps'], path: bundle, url: pathToFileURL(bundle).href };
}

/** The words after `node` that start a program of this repository. */
export function programWords(source: string | URL): readonly string[] {
  const { options, path } = programOf(source);
  return [...options, path];
}

/** A program that has said that it is ready. */
export interface RunningProgram extends AsyncDisposable {
  readonly process: RunningProcess;
  /** What its line has. */
  readonly said: RegExpMatchArray;
}

/**
 * Starts a program of this repository and waits for a line that says it is ready.
 *
 * @param source its URL
 * @throws Error with its output where there is no such line
 */
export async function startProgram(
  source: URL,
  words: readonly string[],
  ready: RegExp,
  options: ProcessOptions = {},
): Promise<RunningProgram> {
  const running = await startProcess(process.execPath, [...programWords(source), ...words], options);
  try {
    const said = await running.waitForLine(ready, 60_000);
    return { process: running, said, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
  } catch (error) {
    await running.stop();
    throw error;
  }
}
