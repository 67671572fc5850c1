/** npm kerberos 7, built where this machine can: no dependency of the project, whose installation would need a compiler. */
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { installPackages } from '../test/lab/debian.ts';
import { runChecked } from '../test/lab/process.ts';

const version = '7.0.0';
/** Kept for the next run, beside the results. */
const folder = fileURLToPath(new URL(`../.scratch/bench/npm-kerberos-${version}/`, import.meta.url));

/** What is measured of it. */
export interface NpmKerberos {
  initializeServer(service: string): Promise<{ step(challenge: string): Promise<string>; username: string | null }>;
}

/** Loads it. @throws Error where installNpmKerberos did not come first */
export function loadNpmKerberos(): NpmKerberos {
  return createRequire(`${folder}package.json`)('kerberos') as NpmKerberos;
}

/**
 * Installs it, with the Debian packages its install script compiles with.
 *
 * @throws Error where it can neither be downloaded nor built
 */
export async function installNpmKerberos(progress: (message: string) => void): Promise<void> {
  try {
    loadNpmKerberos();
    return;
  } catch {
    // Not there yet, or built for another Node.
  }
  await installPackages(['libkrb5-dev', 'g++', 'make', 'python3'], progress);
  progress(`installing npm kerberos ${version}`);
  await mkdir(folder, { recursive: true });
  await writeFile(`${folder}package.json`, '{ "private": true }\n');
  // Whoever forbids install scripts by configuration allows this one by running the benchmark.
  const install = ['install', '--no-audit', '--no-fund', '--ignore-scripts=false', '--force', `kerberos@${version}`];
  await runChecked('npm', install, { cwd: folder, timeout: 600_000 });
  loadNpmKerberos();
}
