import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lockedFiles } from '../../../src/native/gssapi/delegation/locked-files.ts';
import { startProcess } from '../../lab/process.ts';
import { programWords } from '../../lab/program.ts';
import type { RunningProcess } from '../../lab/process.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';

const holder = fileURLToPath(new URL('../../lab/delegated-file-holder.ts', import.meta.url));
const runs = { skip: process.platform === 'win32' ? 'GSSAPI is for Linux and macOS' : false };

describe('the folder of delegated tickets', runs, () => {
  let parent: ScratchFolder;
  /** Read when a test begins: another file in this process may be at work while this one is imported. */
  let whatWas: string | undefined;
  beforeEach(async () => {
    whatWas = process.env['TMPDIR'];
    parent = await scratchFolder('ticket-folder');
    process.env['TMPDIR'] = parent.path;
  });
  afterEach(async () => {
    if (whatWas === undefined) Reflect.deleteProperty(process.env, 'TMPDIR');
    else process.env['TMPDIR'] = whatWas;
    await parent.remove();
  });

  const start = async (what: string): Promise<{ child: RunningProcess; path: string }> => {
    const words = [...programWords(holder), what, parent.path];
    const child = await startProcess(process.execPath, words, { env: { TMPDIR: whatWas } });
    const [, path = ''] = await child.waitForLine(/^path (.+)$/);
    return { child, path };
  };
  const nothingIsLeft = async (): Promise<void> => assert.deepEqual(await readdir(parent.path), []);

  it('is of mode 0700, is there while it has files, and goes with the last', async () => {
    const [first, second] = [lockedFiles.newFile(), lockedFiles.newFile()];
    assert.equal(dirname(first.path), dirname(second.path));
    assert.notEqual(first.path, second.path);
    assert.equal(statSync(dirname(first.path)).mode & 0o777, 0o700);
    await writeFile(first.path, 'a ticket');
    first.remove();
    first.remove();
    assert.equal(existsSync(first.path), false);
    assert.equal(existsSync(dirname(first.path)), true);
    second.remove();
    await nothingIsLeft();
    const third = lockedFiles.newFile();
    assert.notEqual(dirname(third.path), dirname(first.path));
    third.remove();
    await nothingIsLeft();
  });

  it('is made anew if somebody has removed it', async () => {
    const first = lockedFiles.newFile();
    await rm(dirname(first.path), { recursive: true });
    const second = lockedFiles.newFile();
    assert.equal(existsSync(dirname(second.path)), true);
    first.remove();
    assert.equal(existsSync(dirname(second.path)), true);
    second.remove();
    await nothingIsLeft();
  });

  it('cannot be made where there is no temporary folder', () => {
    process.env['TMPDIR'] = parent.file('absent');
    assert.throws(() => lockedFiles.newFile(), { code: 'ENOENT' });
    lockedFiles.removeFoldersOfDeadProcesses(parent.file('absent'));
  });

  it('keeps no listener of signals once it is gone', () => {
    const listeners = process.listenerCount('SIGTERM');
    const file = lockedFiles.newFile();
    assert.equal(process.listenerCount('SIGTERM'), listeners + 1);
    file.remove();
    assert.equal(process.listenerCount('SIGTERM'), listeners);
  });

  describe('is gone when its process has ended', () => {
    it('by itself, with its own exit code', async () => {
      const { child } = await start('exits');
      assert.equal((await child.ended).code, 7);
      await nothingIsLeft();
    });
    it('by an uncaught error', async () => {
      const { child } = await start('throws');
      const { code, stderr } = await child.ended;
      assert.equal(code, 1);
      assert.match(stderr, /uncaught/);
      await nothingIsLeft();
    });
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const) {
      it(`by ${signal}, which is its status as without a listener`, async () => {
        const { child } = await start('waits');
        process.kill(child.pid, signal);
        const { code, signal: status } = await child.ended;
        assert.deepEqual([code, status], [null, signal]);
        await nothingIsLeft();
      });
    }
    it('by a listener that ends the process if nobody else listens', async () => {
      const { child } = await start('exits if nobody else listens');
      process.kill(child.pid, 'SIGTERM');
      assert.equal((await child.ended).code, 9);
      await nothingIsLeft();
    });
  });

  it('stays while the application goes on at a signal', async () => {
    const { child, path } = await start('goes on at SIGTERM');
    for (let time = 1; time <= 2; time++) {
      process.kill(child.pid, 'SIGTERM');
      await child.waitForLine(new RegExp(`^still here ${time}$`));
      assert.equal(existsSync(path), true);
    }
    process.kill(child.pid, 'SIGINT');
    assert.equal((await child.ended).signal, 'SIGINT');
    await nothingIsLeft();
  });

  it('of a process that was killed goes at the next start; that of one that runs stays', async () => {
    const dead = await start('waits');
    const alive = await start('waits');
    process.kill(dead.child.pid, 'SIGKILL');
    await dead.child.ended;
    assert.equal(existsSync(dead.path), true);
    const own = lockedFiles.newFile();
    await writeFile(own.path, 'a ticket');
    lockedFiles.removeFoldersOfDeadProcesses(parent.path);
    assert.deepEqual([dead.path, alive.path, own.path].map(existsSync), [false, true, true]);
    assert.equal(existsSync(dirname(dead.path)), false);
    own.remove();
    await alive.child.stop();
    await nothingIsLeft();
  });

  it('nothing but folders of this user goes at the next start', async () => {
    await mkdir(parent.file('other'));
    await writeFile(parent.file('other', 'file'), '');
    await symlink(parent.file('other'), parent.file('sspi-auth-delegated-link'));
    await writeFile(parent.file('sspi-auth-delegated-file'), '');
    lockedFiles.removeFoldersOfDeadProcesses(parent.path);
    assert.deepEqual((await readdir(parent.path)).sort(), [
      'other',
      'sspi-auth-delegated-file',
      'sspi-auth-delegated-link',
    ]);
    assert.deepEqual(await readdir(parent.file('other')), ['file']);
  });
});
