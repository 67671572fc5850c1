/** The versions of the clients that are installed. */
import { readFile } from 'node:fs/promises';
import { runChecked } from '../process.ts';
import type { RealClient } from './client.ts';

/** Whether a version is of a line: `3.11.2` is of `3.11`, and `3.1` is not. */
const isOf = (line: string, version: string): boolean => version === line || version.startsWith(`${line}.`);

/** Versions of packages of npm by the lock file. */
async function lockedVersions(): Promise<Readonly<Record<string, { readonly version?: string }>>> {
  const text = await readFile(new URL('npm/package-lock.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { packages: Record<string, { version?: string }> }).packages;
}

/**
 * The version of a client: of the lock file, or of the Debian package, without what Debian adds to it.
 *
 * @throws Error where it is not installed
 */
export async function installedVersion({ source }: RealClient): Promise<string> {
  if ('npm' in source) return (await lockedVersions())[`node_modules/${source.npm}`]?.version ?? 'none';
  const version = await runChecked('dpkg-query', ['-W', '-f=${Version}', source.debian]);
  return version.replace(/^\d+:/, '').replace(/[-+~][^]*$/, '');
}

/** What is wrong with the versions that docs/clients.md names. */
export async function wrongVersions(clients: readonly RealClient[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const client of clients) {
    const version = await installedVersion(client);
    if (!isOf(client.version, version)) wrong.push(`${client.name} is ${version}, not ${client.version}`);
  }
  return wrong;
}
