/** How libraries are bound: to their own dependencies, and to the allocator of the process where it has one of its own. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runProcess } from '../../lab/process.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('winpr', ['libgssapi-krb5-2', 'libjemalloc2', 'libasan8']);
const source = fileURLToPath(new URL('../../../src/native/koffi.ts', import.meta.url));

/** Opens a library in a process of its own. With GSSAPI it calls what allocates and frees. */
const program = `import { openLibrary } from ${JSON.stringify(source)};
const [, , path] = process.argv;
const library = openLibrary(path);
if (path.includes('gssapi')) {
  const out = Buffer.alloc(16);
  for (const name of ['gss_indicate_mechs', 'gss_release_oid_set']) {
    const status = library.func(name, 'uint32', ['void *', 'void *'])(out.subarray(8), out.subarray(0, 8));
    if (status !== 0) throw new Error(name + ' gives ' + status);
  }
}
console.log('opened');
`;

/** What was printed, and the OpenSSL functions that the loader bound a library to in the executable of node. */
interface Opened {
  readonly output: string;
  readonly code: number | null;
  readonly ofNode: readonly string[];
}

async function open(library: string, env: Readonly<Record<string, string>>): Promise<Opened> {
  await using folder = await scratchFolder('bindings');
  const file = folder.file('open.ts');
  await writeFile(file, program);
  const { code, stdout, stderr } = await runProcess(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), file, library],
    { env: { LD_DEBUG: 'bindings', LD_DEBUG_OUTPUT: folder.file('loader'), ...env } },
  );
  const names = new Set<string>();
  // The loader writes a file for each process: tsx may start others.
  for (const name of await readdir(folder.path)) {
    if (!name.startsWith('loader')) continue;
    const bound = /binding file (\S+) \[\d+\] to (\S+) \[\d+\]: \w+ symbol `((?:EVP|HMAC|BIO|MD5|SHA1|RC4)_\w+)'/g;
    for (const [, from = '', to, symbol = ''] of (await readFile(folder.file(name), 'utf8')).matchAll(bound)) {
      if (from.includes(library) && to === process.execPath) names.add(symbol);
    }
  }
  return { output: stdout + stderr, code, ofNode: [...names] };
}

describe('how libraries are bound', ready, () => {
  it('WinPR calls the OpenSSL that it links, and none of that in node', async () => {
    const { output, ofNode } = await open('libwinpr2.so.2', {});
    assert.match(output, /^opened/);
    assert.deepEqual(ofNode, []);
  });

  // Bound to itself, a library would free with the C library what the allocator of the process has allocated.
  for (const [what, env] of [
    ['jemalloc', { LD_PRELOAD: 'libjemalloc.so.2' }],
    ['AddressSanitizer', { LD_PRELOAD: 'libasan.so.8', ASAN_OPTIONS: 'detect_leaks=0' }],
  ] as const) {
    it(`with ${what} they are bound as node is`, async () => {
      const gssapi = await open('libgssapi_krb5.so.2', env);
      assert.deepEqual([gssapi.code, gssapi.output], [0, 'opened\n']);
      const { output, ofNode } = await open('libwinpr2.so.2', env);
      assert.match(output, /^opened/);
      // It shows too that the test above can see such bindings.
      assert.ok(ofNode.length > 20, ofNode.join(' '));
    });
  }
});
