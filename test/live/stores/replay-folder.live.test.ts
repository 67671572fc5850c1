/** The replay folder on file systems and under users that it cannot use (Linux, root). */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { ReplayFolder } from '../../../src/stores/replay-folder.ts';
import { runChecked } from '../../lab/process.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import { START, SteeredClock } from '../../stores/steered-clock.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const asRoot = { skip: isRoot ? (false as const) : 'needs root on Linux for mounts' };

function open(path: string): ReplayFolder {
  return new ReplayFolder({ path, skew: 300_000, clock: new SteeredClock(), option: 'replayCache' });
}

const hashOf = (index: number): Buffer => createHash('sha256').update(`${index}`).digest();

/** Mounts a small file system in memory for as long as `use` runs. */
async function onTmpfs(options: string, use: (path: string) => void | Promise<void>): Promise<void> {
  await using scratch = await scratchFolder('replay-mount');
  await runChecked('mount', ['-t', 'tmpfs', '-o', `mode=700,${options}`, 'tmpfs', scratch.path]);
  try {
    await use(scratch.path);
  } finally {
    // Another process of the machine may be looking into /tmp just now: then the mount goes when it has looked.
    await runChecked('umount', ['--lazy', scratch.path]);
  }
}

describe('a replay folder', asRoot, () => {
  it('D25: refuses when its file system is full, says why, and forgets nothing', async () => {
    await onTmpfs('nr_inodes=20', (path) => {
      const folder = open(`${path}/replay`);
      let isNew = 0;
      assert.throws(
        () => {
          for (; isNew < 100; isNew++) assert.equal(folder.claim(hashOf(isNew), START), true);
        },
        { code: 'ERR_SSPI_AUTH_STORE', message: /make room in the replay folder .* cannot be written to \(ENOSPC/ },
      );
      assert.ok(isNew > 5 && isNew < 20, `${isNew}`);
      for (let index = 0; index < isNew; index++) assert.equal(folder.claim(hashOf(index), START), false);
    });
  });

  it('does not start on a full file system', async () => {
    await onTmpfs('nr_inodes=5', async (path) => {
      await mkdir(`${path}/replay`, { mode: 0o700 });
      for (let index = 0; index < 3; index++) await writeFile(`${path}/${index}`, '').catch(() => undefined);
      assert.throws(() => open(`${path}/replay`), {
        code: 'ERR_SSPI_AUTH_OPTION',
        message: /cannot be written to \(ENOSPC.*Make room in it/,
      });
    });
  });

  it('does not start on a read-only file system, and refuses when it becomes one', async () => {
    await onTmpfs('size=64k', async (path) => {
      const folder = open(`${path}/replay`);
      assert.equal(folder.claim(hashOf(1), START), true);
      await runChecked('mount', ['-o', 'remount,ro', path]);
      assert.throws(() => folder.claim(hashOf(2), START), { code: 'ERR_SSPI_AUTH_STORE', message: /EROFS/ });
      assert.equal(folder.claim(hashOf(1), START), false);
      assert.throws(() => open(`${path}/replay`), { code: 'ERR_SSPI_AUTH_OPTION', message: /EROFS/ });
      assert.throws(() => open(`${path}/other`), { code: 'ERR_SSPI_AUTH_OPTION', message: /cannot be made \(EROFS/ });
    });
  });

  it('does not start where the folder is of another user', async () => {
    await using scratch = await scratchFolder('replay-foreign');
    const path = scratch.file('replay');
    await mkdir(path, { mode: 0o700 });
    await chown(path, 65_534, 65_534);
    assert.throws(() => open(path), {
      code: 'ERR_SSPI_AUTH_OPTION',
      message: /replay, which belongs to another user \(uid 65534\)\. Remove it, or run chown 0 /,
    });
  });
});
