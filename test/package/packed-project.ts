/** An empty project with the packed tarball of this repository installed, as a user has it. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

async function pack(folder: string, source: string): Promise<PackReport> {
  const words = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder, source];
  const [report] = JSON.parse(await npm(words, { cwd: root })) as [PackReport];
  return report;
}

/**
 * Packs what `npm run build` left in dist/ and installs it with npm, from files alone: no registry, no cache, no
 * framework, no TypeScript.
 *
 * @throws Error where dist/ was not built
 */
export async function packedProject(): Promise<PackedProject> {
  if (!existsSync(join(root, 'dist/src/index.js'))) throw new Error('dist/ is not built: npm run build');
  const folder = await scratchFolder('packed');
  try {
    const own = await pack(folder.path, root);
    // koffi comes from node_modules, so that npm needs nobody to ask.
    const koffi = await pack(folder.path, join(root, 'node_modules/koffi/'));
    const path = folder.file('project');
    await mkdir(path);
    await writeFile(join(path, 'package.json'), '{ "private": true }');
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--omit=optional'];
    const offline = ['--offline', '--cache', folder.file('cache')];
    const tarballs = [folder.file(own.filename), folder.file(koffi.filename)];
    await npm(['install', ...offline, ...quiet, ...tarballs], { cwd: path });
    const installed = join(path, 'node_modules/sspi-auth');
    const manifest = await readFile(join(installed, 'package.json'), 'utf8');
    return {
      path,
      installed,
      files: own.files.map((file) => file.path),
      manifest: JSON.parse(manifest) as PackedManifest,
      write: (name, text) => writeFile(join(path, name), text),
      run: (command, args) => runProcess(command, args, { cwd: path }),
      start: (command, args) => startProcess(command, args, { cwd: path }),
      async link(...packages) {
        const place = join(path, 'node_modules');
        // A junction, which Windows lets everybody make; elsewhere the word means nothing.
        for (const name of packages) {
          if (existsSync(join(place, name))) continue;
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
