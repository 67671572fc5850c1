import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { DelegatedCaches } from '../../../src/kerberos/delegation/delegated-caches.ts';
import { lockedFiles } from '../../../src/native/gssapi/delegation/locked-files.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';

const runs = { skip: process.platform === 'win32' ? 'GSSAPI is for Linux and macOS' : false };
const expiry = new Date(0);

describe('credential caches of delegated tickets', runs, () => {
  let parent: ScratchFolder;
  /** Read when a test begins: another file in this process may be at work while this one is imported. */
  let whatWas: string | undefined;
  beforeEach(async () => {
    whatWas = process.env['TMPDIR'];
    parent = await scratchFolder('ticket-caches');
    process.env['TMPDIR'] = parent.path;
  });
  afterEach(async () => {
    if (whatWas === undefined) Reflect.deleteProperty(process.env, 'TMPDIR');
    else process.env['TMPDIR'] = whatWas;
    await parent.remove();
  });

  /** A library that can store or not. */
  const caches = (): { caches: DelegatedCaches; library: { canStore: boolean }; warnings: string[] } => {
    const warnings: string[] = [];
    const library = { canStore: true };
    return { caches: new DelegatedCaches(lockedFiles, (text) => warnings.push(text)), library, warnings };
  };

  it('are files of their own, which are removed when they are destroyed', async () => {
    const { caches: stored, library, warnings } = caches();
    const [first, second] = [
      stored.store(() => library.canStore, expiry),
      stored.store(() => library.canStore, undefined),
    ];
    assert.notEqual(first?.credentialCache, second?.credentialCache);
    assert.equal(first?.expiry, expiry);
    const path = first.credentialCache.replace(/^FILE:/, '');
    await writeFile(path, '');
    first.destroy();
    assert.equal(existsSync(path), false);
    second?.destroy();
    second?.destroy();
    assert.deepEqual(await readdir(parent.path), []);
    assert.deepEqual(warnings, []);
  });

  for (const [name, spoil, mend, reason] of [
    [
      'the temporary folder is missing',
      (_: { canStore: boolean }, folder: ScratchFolder) => (process.env['TMPDIR'] = folder.file('absent')),
      (_: { canStore: boolean }, folder: ScratchFolder) => (process.env['TMPDIR'] = folder.path),
      /absent \(ENOENT/,
    ],
    [
      'the library cannot write there, since the file system is full',
      (library: { canStore: boolean }) => (library.canStore = false),
      (library: { canStore: boolean }) => (library.canStore = true),
      /cannot write there/,
    ],
  ] as const) {
    it(`are none if ${name}; the operator is told once`, async () => {
      const { caches: stored, library, warnings } = caches();
      for (let time = 1; time <= 2; time++) {
        spoil(library, parent);
        for (let ticket = 1; ticket <= 3; ticket++)
          assert.equal(
            stored.store(() => library.canStore, expiry),
            undefined,
          );
        assert.equal(warnings.length, time);
        assert.match(warnings.at(-1) ?? '', reason);
        assert.match(warnings.at(-1) ?? '', /without delegatedCredentials.*TMPDIR/);
        mend(library, parent);
        stored.store(() => library.canStore, expiry)?.destroy();
        assert.deepEqual(await readdir(parent.path), []);
      }
    });
  }
});
