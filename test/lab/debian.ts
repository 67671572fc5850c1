/** Debian packages that live tests need: installed where this process may, else said to be missing. */
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { withLock } from './lock.ts';
import { runChecked, runProcess } from './process.ts';
import type { ProcessResult } from './process.ts';
import { recordTier } from './tier-record.ts';
import { tiers } from './tiers.ts';
import type { TierName } from './tiers.ts';

/** The packages cannot be had on this machine; the message says why. */
export class PackagesUnavailableError extends Error {
  override readonly name = 'PackagesUnavailableError';
}

/** Whether this machine runs Debian itself, by /etc/os-release. */
export function isDebian(): boolean {
  try {
    return /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

/**
 * Which of the packages dpkg does not have installed.
 *
 * @throws PackagesUnavailableError where there is no dpkg
 */
export async function missingPackages(packages: readonly string[]): Promise<string[]> {
  if (packages.length === 0) return [];
  let result: ProcessResult;
  try {
    result = await runProcess('dpkg-query', ['-W', '-f=${Package} ${db:Status-Status}\n', ...packages]);
  } catch {
    throw new PackagesUnavailableError(`no dpkg on this machine to look for ${packages.join(', ')}`);
  }
  const installed = new Set(
    result.stdout.split('\n').flatMap((line) => (line.endsWith(' installed') ? [line.split(' ')[0] ?? ''] : [])),
  );
  return packages.filter((name) => !installed.has(name));
}

async function aptGet(args: readonly string[]): Promise<void> {
  const options = ['-o', 'DPkg::Lock::Timeout=600', '-o', 'Acquire::Retries=3', '-qq'];
  const { code, stderr } = await runProcess('apt-get', [...options, ...args], {
    // RUNLEVEL=1 keeps packages from starting their servers.
    env: { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C', RUNLEVEL: '1' },
    timeout: 900_000,
  });
  if (code !== 0) throw new PackagesUnavailableError(`apt-get ${args[0] ?? ''} failed: ${stderr.trim().slice(-400)}`);
}

/**
 * Installs those packages that are missing. One process at a time; the others wait and find the work done.
 *
 * @param progress told what is being done, for people who wait
 * @throws PackagesUnavailableError where it is not root, there is no apt-get, or apt-get fails
 */
export async function installPackages(
  packages: readonly string[],
  progress: (message: string) => void = () => undefined,
): Promise<void> {
  if ((await missingPackages(packages)).length === 0) return;
  await withLock('apt', async () => {
    const missing = await missingPackages(packages);
    if (missing.length === 0) return;
    if (process.getuid?.() !== 0) {
      throw new PackagesUnavailableError(`not root, and not installed: ${missing.join(' ')} (apt-get install them)`);
    }
    const install = ['install', '-y', '--no-install-recommends', ...missing];
    progress(`installing ${missing.join(' ')}`);
    try {
      await aptGet(install);
    } catch {
      // Lists of packages that are missing or out of date are the usual cause.
      progress('updating the lists of packages');
      await aptGet(['update']);
      await aptGet(install);
    }
    const still = await missingPackages(packages);
    if (still.length > 0) throw new PackagesUnavailableError(`apt-get did not install ${still.join(' ')}`);
  });
}

/**
 * Unpacks packages into a folder without installing them: those that another one, which the tests need, would have to go
 * for.
 *
 * @param folder an empty folder
 * @throws PackagesUnavailableError where they cannot be had
 */
export async function unpackPackages(packages: readonly string[], folder: string): Promise<void> {
  const download = (): Promise<ProcessResult> =>
    runProcess('apt-get', ['-qq', 'download', ...packages], { cwd: folder, timeout: 300_000 });
  try {
    let { code, stderr } = await download();
    if (code !== 0) {
      await withLock('apt', () => aptGet(['update']));
      ({ code, stderr } = await download());
    }
    if (code !== 0) throw new PackagesUnavailableError(`apt-get download failed: ${stderr.trim().slice(-400)}`);
    const archives = (await readdir(folder)).filter((name) => name.endsWith('.deb'));
    for (const name of archives) await runChecked('dpkg-deb', ['--extract', name, '.'], { cwd: folder });
  } catch (error) {
    if (error instanceof PackagesUnavailableError) throw error;
    throw new PackagesUnavailableError(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Makes sure that a tier's packages, and those named here, are installed; the tier report learns of it.
 *
 * @param packages beyond those the tier always needs
 * @throws PackagesUnavailableError; use `tier` of test/lab/tier.ts where tests should be left out instead
 */
export async function requirePackages(name: TierName, packages: readonly string[] = []): Promise<void> {
  try {
    await installPackages([...new Set([...tiers[name].packages, ...packages])]);
  } catch (error) {
    recordTier(name, error instanceof Error ? error.message : String(error));
    throw error;
  }
  recordTier(name, undefined);
}
