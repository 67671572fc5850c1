import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import { installPackages, isDebian, missingPackages } from './debian.ts';
import { withLock } from './lock.ts';
import { nodeBinary } from './node-binary.ts';
import { freePort, listen } from './ports.ts';
import { runChecked, runProcess, startProcess } from './process.ts';
import { scratchFolder } from './scratch.ts';

describe('the test ground', () => {
  it('removes a scratch folder with what it holds', async () => {
    let path: string;
    {
      await using folder = await scratchFolder('lab');
      path = folder.path;
      await runChecked('touch', [folder.file('a')]);
      assert.ok(existsSync(folder.file('a')));
    }
    assert.ok(!existsSync(path));
  });

  it('finds a line of a process and ends it by its id', async () => {
    const child = await startProcess('sh', ['-c', 'echo first; echo port 4711 >&2; exec sleep 600']);
    const match = await child.waitForLine(/^port (\d+)$/);
    assert.equal(match[1], '4711');
    const { signal } = await child.stop();
    assert.equal(signal, 'SIGTERM');
    assert.throws(() => process.kill(child.pid, 0), { code: 'ESRCH' });
  });

  it('says what a process printed where the line never comes', async () => {
    const child = await startProcess('sh', ['-c', 'echo something else']);
    await assert.rejects(child.waitForLine(/ready/), /ended without[^]*something else/);
    await assert.rejects(runChecked('sh', ['-c', 'echo why >&2; exit 3']), /ended with 3[^]*why/);
  });

  it('rejects for a program that does not exist, and kills one that takes too long', async () => {
    await assert.rejects(startProcess('/nonexistent/program'), /cannot start/);
    await assert.rejects(runProcess('sleep', ['600'], { timeout: 20 }), /more than 20 ms/);
  });

  it('holds a lock for one at a time', async () => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await runChecked('true');
      inside--;
    };
    await Promise.all([1, 2, 3].map(() => withLock(`lab-${process.pid}`, work)));
    assert.equal(most, 1);
  });

  it('takes the Node that runs for the release line it is of', async () => {
    assert.equal(await nodeBinary(Number.parseInt(process.versions.node)), process.execPath);
  });

  it('gives a port that can be listened on', async () => {
    await using server = await listen(createServer());
    assert.ok((await freePort()) > 0);
    assert.ok(server.port > 0);
  });

  it('knows which packages are missing', async () => {
    if (!isDebian()) return;
    assert.deepEqual(await missingPackages(['dpkg', 'no-such-package-sspi-auth']), ['no-such-package-sspi-auth']);
    await installPackages(['dpkg']);
  });
});
