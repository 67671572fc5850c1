/**
 * The version of this package, from its package.json. Its folder is searched for, because the code may run built or
 * from its sources.
 */
import { readFileSync } from 'node:fs';

/** Such as `1.2.3`; `unknown` if no folder above the code has the package.json of this package. */
export function packageVersion(): string {
  let folder = new URL('.', import.meta.url);
  for (;;) {
    const parsed = readPackage(new URL('package.json', folder));
    if (parsed?.name === 'sspi-auth') return parsed.version ?? 'unknown';
    const above = new URL('..', folder);
    if (above.href === folder.href) return 'unknown';
    folder = above;
  }
}

function readPackage(file: URL): { readonly name?: string; readonly version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as { readonly name?: string; readonly version?: string };
  } catch {
    return undefined;
  }
}
