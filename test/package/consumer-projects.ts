/** Projects for the programs of consumers, each program in a folder of its own below the packed tarball. */
import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { npm } from '../lab/npm.ts';
import { runProcess, startProcess } from '../lab/process.ts';
import type { ProcessResult, RunningProcess } from '../lab/process.ts';
import { scratchFolder } from '../lab/scratch.ts';
import { consumerPrograms } from './consumer-programs.ts';
import type { ConsumerProgram } from './consumer-programs.ts';
import { packedProject, packedTarball } from './packed-project.ts';

/** A project with the tarball and the frameworks, until it is disposed of. */
export interface ConsumerProject extends AsyncDisposable {
  readonly path: string;
  /** Path of a program's file, from the project. */
  file(program: ConsumerProgram, name: string): string;
  /** Writes a program's file. */
  write(program: ConsumerProgram, name: string, text: string): Promise<void>;
  /** Runs a program in the project's folder. */
  run(command: string, args: readonly string[]): Promise<ProcessResult>;
  /** Starts one that goes on. */
  start(command: string, args: readonly string[]): Promise<RunningProcess>;
}

/** `express4 as express`: the package, and the name it is imported by. */
function namesOf(entry: string): readonly [source: string, name: string] {
  const [source = '', name = source] = entry.split(' as ');
  return [source, name];
}

const folderOf = ({ name }: ConsumerProgram): string => name.toLowerCase().replaceAll(/\W+/g, '-');

/** Gives each program its folder, with packages that it imports by another name. */
async function withFolders(path: string, dispose: () => Promise<void>): Promise<ConsumerProject> {
  const file = (program: ConsumerProgram, name: string): string => join(folderOf(program), name);
  for (const program of consumerPrograms) {
    const modules = join(path, file(program, 'node_modules'));
    await mkdir(modules, { recursive: true });
    for (const [source, name] of program.packages.map(namesOf)) {
      const target = join(path, 'node_modules', source);
      if (source !== name && existsSync(target)) await symlink(target, join(modules, name), 'junction');
    }
  }
  return {
    path,
    file,
    write: (program, name, text) => writeFile(join(path, file(program, name)), text),
    run: (command, args) => runProcess(command, args, { cwd: path, timeout: 120_000 }),
    start: (command, args) => startProcess(command, args, { cwd: path }),
    [Symbol.asyncDispose]: dispose,
  };
}

/** With the frameworks of this repository's node_modules: nothing is downloaded. */
export async function linkedConsumers(): Promise<ConsumerProject> {
  const project = await packedProject();
  await project.link(...consumerPrograms.flatMap(({ packages }) => packages.map((entry) => namesOf(entry)[0])));
  return withFolders(project.path, async () => project[Symbol.asyncDispose]());
}

/** npm installs the tarball and packages of the registry together, so that peers have to fit. */
async function installed(packages: readonly string[]): Promise<ConsumerProject> {
  const folder = await scratchFolder('consumers');
  try {
    await writeFile(folder.file('package.json'), '{ "private": true }');
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund'];
    const words = ['install', ...quiet, await packedTarball(), ...packages];
    await npm(words, { cwd: folder.path, timeout: 300_000 });
    return await withFolders(folder.path, () => folder.remove());
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

/** With the newest frameworks, the newest TypeScript and the newest types of the registry. */
export function newestConsumers(): Promise<ConsumerProject> {
  const names = new Set(consumerPrograms.flatMap(({ packages }) => packages.map((entry) => namesOf(entry)[0])));
  names.delete('express4');
  const types = ['node', 'express', 'koa', 'passport'].map((name) => `@types/${name}`);
  const newest = [...names, ...types, 'typescript'].map((name) => `${name}@latest`);
  return installed([...newest, 'express4@npm:express@4']);
}

/**
 * With the oldest releases of frameworks that the package allows as its peers.
 *
 * @param peers versions by name
 */
export function oldestConsumers(peers: ReadonlyMap<string, string>): Promise<ConsumerProject> {
  const packages = [...peers].map(([name, version]) => `${name}@${version}`);
  // Releases for Hono 4 begin with 1.3; the peer says nothing of it.
  return installed([...packages, '@hono/node-server@1']);
}
