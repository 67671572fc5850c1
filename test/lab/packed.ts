/** The package as npm would publish it: packed from a copy of this repository, so that nothing here is written to. */
import { cp, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChecked } from './process.ts';
import { scratchFolder } from './scratch.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a package is made of; the rest of the repository is left where it is. */
const parts = /^(src|adapters|docs|\.config|package\.json|tsconfig\.json|[A-Z]+\.md|LICENSE)$/;

/**
 * Builds and packs.
 *
 * @param destination an existing folder for the tarball
 * @returns path of the tarball
 */
export async function packPackage(destination: string): Promise<string> {
  await using copy = await scratchFolder('pack');
  for (const name of await readdir(root)) {
    if (parts.test(name)) await cp(join(root, name), copy.file(name), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), copy.file('node_modules'));
  const output = await runChecked('npm', ['pack', '--silent', '--pack-destination', destination], {
    cwd: copy.path,
    timeout: 180_000,
  });
  const name = output.trim().split('\n').at(-1) ?? '';
  return join(destination, name);
}
