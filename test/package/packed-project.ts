/** An empty project with the packed tarball of this repository installed, as a user has it. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from '../lab/lock.ts';
import { npm } from '../lab/npm.ts';
import { runProcess, startProcess } from '../lab/process.ts';
import type { ProcessResult, RunningProcess } from '../lab/process.ts';
import { scratchFolder } from '../lab/scratch.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What the tests read of package.json. */
export interface PackedManifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly bin: Readonly<Record<string, string>>;
}

/** The project, until it is disposed of. */
export interface PackedProject extends AsyncDisposable {
  readonly path: string;
  /** Paths in the tarball, without its leading `package/`. */
  readonly files: readonly string[];
  /** Folder of the installed package. */
  readonly installed: string;
  /** package.json as it was packed. */
  readonly manifest: PackedManifest;
  /** Writes a file of the project. */
  write(name: string, text: string): Promise<void>;
  /** Runs a program in the project's folder. */
  run(command: string, args: readonly string[]): Promise<ProcessResult>;
  /** Starts one that goes on. */
  start(command: string, args: readonly string[]): Promise<RunningProcess>;
  /** Makes packages of this repository's node_modules available to the project, where they are not yet. */
  link(...packages: string[]): Promise<void>;
}

interface PackReport {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** Where what npm has made of this build is kept for other test files and other releases of Node. */
const kept = join(root, '.scratch/packed');

async function pack(folder: string, source: string): Promise<PackReport> {
  const words = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder, source];
  const [report] = JSON.parse(await npm(words, { cwd: root })) as [PackReport];
  return report;
}

/** A hash of all that npm could pack, with names: what the installation is kept by. */
async function hashOfBuild(): Promise<string> {
  const { files } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { files: string[] };
  const top = await readdir(root, { withFileTypes: true });
  const parts = [...files, ...top.filter((entry) => entry.isFile()).map(({ name }) => name)];
  parts.push('node_modules/koffi/package.json');
  const hash = createHash('sha256');
  for (const part of [...new Set(parts)].sort()) {
    const path = join(root, part);
    if (!existsSync(path)) continue;
    const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => undefined);
    const names = entries?.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)) ?? [
      path,
    ];
    for (const name of names.sort())
      hash
        .update(`${name}\0`)
        .update(await readFile(name))
        .update('\0');
  }
  return hash.digest('hex').slice(0, 32);
}

/**
 * Packs what `npm run build` left in dist/ and installs it with npm, from files alone: no registry, no cache, no
 * framework, no TypeScript.
 *
 * @param home folder that holds `files.json`, the tarballs and `project/` when this has ended
 */
async function install(home: string): Promise<void> {
  await using folder = await scratchFolder('pack');
  const own = await pack(folder.path, root);
  // koffi comes from node_modules, so that npm needs nobody to ask.
  const koffi = await pack(folder.path, join(root, 'node_modules/koffi/'));
  const path = folder.file('home/project');
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'package.json'), '{ "private": true }');
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--omit=optional'];
  const offline = ['--offline', '--cache', folder.file('cache')];
  const tarballs = [folder.file(own.filename), folder.file(koffi.filename)];
  await npm(['install', ...offline, ...quiet, ...tarballs], { cwd: path });
  await cp(folder.file(own.filename), folder.file('home/sspi-auth.tgz'));
  await writeFile(folder.file('home/files.json'), JSON.stringify(own.files.map((file) => file.path)));
  // Copied aside and moved when it is whole; the temporary folder may be another file system.
  const aside = `${home}-${process.pid}`;
  await cp(folder.file('home'), aside, { recursive: true, verbatimSymlinks: true });
  await rename(aside, home).catch(async (error: unknown) => {
    await rm(aside, { recursive: true, force: true });
    if (!existsSync(home)) throw error;
  });
}

/**
 * The folder with the installation of this build: made once, by whoever comes first.
 *
 * @throws Error where dist/ was not built
 */
async function installedOnce(): Promise<string> {
  if (!existsSync(join(root, 'dist/src/index.js'))) throw new Error('dist/ is not built: npm run build');
  const key = await hashOfBuild();
  const home = join(kept, key);
  const make = async (): Promise<void> => {
    if (existsSync(home)) return;
    await mkdir(kept, { recursive: true });
    for (const name of await readdir(kept)) {
      if (!name.startsWith(key)) await rm(join(kept, name), { recursive: true, force: true });
    }
    await install(home);
  };
  // The lock is Linux' alone. Elsewhere two may make it, and the first one's stays.
  await (process.platform === 'linux' ? withLock(`packed-${key}`, make) : make());
  return home;
}

/** The packed tarball of this build. */
export async function packedTarball(): Promise<string> {
  return join(await installedOnce(), 'sspi-auth.tgz');
}

/**
 * Makes a project of its own for a test file, in which `npm install` of the packed tarball has been run.
 *
 * @throws Error where dist/ was not built
 */
export async function packedProject(): Promise<PackedProject> {
  const home = await installedOnce();
  const folder = await scratchFolder('packed');
  try {
    const path = folder.file('project');
    await cp(join(home, 'project'), path, { recursive: true, verbatimSymlinks: true });
    const installed = join(path, 'node_modules/sspi-auth');
    const manifest = await readFile(join(installed, 'package.json'), 'utf8');
    const files = await readFile(join(home, 'files.json'), 'utf8');
    return {
      path,
      installed,
      files: JSON.parse(files) as string[],
      manifest: JSON.parse(manifest) as PackedManifest,
      write: (name, text) => writeFile(join(path, name), text),
      // Bundlers and compilers take their time beside other tests.
      run: (command, args) => runProcess(command, args, { cwd: path, timeout: 180_000 }),
      start: (command, args) => startProcess(command, args, { cwd: path }),
      async link(...packages) {
        const place = join(path, 'node_modules');
        // A junction, which Windows lets everybody make; elsewhere the word means nothing.
        for (const name of packages) {
          if (existsSync(join(place, name))) continue;
          await mkdir(dirname(join(place, name)), { recursive: true });
          await symlink(join(root, 'node_modules', name), join(place, name), 'junction');
        }
      },
      [Symbol.asyncDispose]: () => folder.remove(),
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

/** Path of this repository's TypeScript compiler. */
export const compiler = join(root, 'node_modules/typescript/bin/tsc');
