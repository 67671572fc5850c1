import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import { installPackages, isDebian, missingPackages } from './debian.ts';
import { withLock } from './lock.ts';
import { nodeBinary } from './node-binary.ts';
import { freePort, listen } from './ports.ts';
import { runChecked, runProcess, startProcess } from './process.ts';
import { scratchFolder } from './scratch.ts';

/** A program that runs a line of JavaScript, on every system. */
const program = (code: string): [command: string, words: readonly string[]] => [process.execPath, ['-e', code]];
const endless = 'setInterval(() => undefined, 1000)';

describe('the test ground', () => {
  it('removes a scratch folder with what it holds', async () => {
    let path: string;
    {
      await using folder = await scratchFolder('lab');
      path = folder.path;
      await writeFile(folder.file('a'), '');
      assert.ok(existsSync(folder.file('a')));
    }
    assert.ok(!existsSync(path));
  });

  it('finds a line of a process and ends it by its id', async () => {
    const child = await startProcess(...program(`console.log('first'); console.error('port 4711'); ${endless}`));
    const match = await child.waitForLine(/^port (\d+)$/);
    assert.equal(match[1], '4711');
    const { signal } = await child.stop();
    assert.equal(signal, 'SIGTERM');
    assert.throws(() => process.kill(child.pid, 0), { code: 'ESRCH' });
  });

  it('says what a process printed where the line never comes', async () => {
    const child = await startProcess(...program("console.log('something else')"));
    await assert.rejects(child.waitForLine(/ready/), /ended without[^]*something else/);
    await assert.rejects(runChecked(...program("console.error('why'); process.exitCode = 3")), /ended with 3[^]*why/);
  });

  it('rejects for a program that does not exist, and kills one that takes too long', async () => {
    await assert.rejects(startProcess('/nonexistent/program'), /cannot start/);
    await assert.rejects(runProcess(...program(endless), { timeout: 20 }), /more than 20 ms/);
  });

  it('holds a lock for one at a time', async () => {
    if (process.platform !== 'linux') return;
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
