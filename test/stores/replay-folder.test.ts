import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, readdir, rename, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { ReplayFolder } from '../../src/stores/replay-folder.ts';
import type { ReplayFolderOptions } from '../../src/stores/replay-folder.ts';
import { defaultReplayFolder, replayFolderPath } from '../../src/stores/replay-folder-place.ts';
import { PERIOD, periodOf } from '../../src/stores/replay-periods.ts';
import { runChecked } from '../lab/process.ts';
import { scratchFolder } from '../lab/scratch.ts';
import { START, SteeredClock } from './steered-clock.ts';
import type { Claims } from './replay-claimer.ts';

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();
const skew = 300_000;
const unknown = { code: 'ERR_SSPI_AUTH_STORE' };
const claimer = fileURLToPath(new URL('replay-claimer.ts', import.meta.url));

function open(path: string, clock: SteeredClock, more: Partial<ReplayFolderOptions> = {}): ReplayFolder {
  return new ReplayFolder({ path, skew, clock, option: 'replayCache', ...more });
}

describe('ReplayFolder', () => {
  it('D01: takes each Authenticator once', async () => {
    await using scratch = await scratchFolder('replay');
    const folder = open(scratch.file('replay'), new SteeredClock());
    assert.equal(folder.claim(hashOf('a'), START), true);
    assert.equal(folder.claim(hashOf('a'), START), false);
    assert.equal(folder.claim(hashOf('b'), START), true);
  });

  it('D01: also where the memory is full, and the folder alone knows', async () => {
    await using scratch = await scratchFolder('replay');
    const folder = open(scratch.file('replay'), new SteeredClock(), { maximumInMemory: 0 });
    assert.equal(folder.claim(hashOf('a'), START), true);
    assert.equal(folder.claim(hashOf('a'), START), false);
  });

  it('D25: after a restart, and in another copy of the package', async () => {
    await using scratch = await scratchFolder('replay');
    const clock = new SteeredClock();
    assert.equal(open(scratch.file('replay'), clock).claim(hashOf('a'), START), true);
    assert.equal(open(scratch.file('replay'), clock).claim(hashOf('a'), START), false);
    const copy = (await import(`${new URL('../../src/stores/replay-folder.ts', import.meta.url).href}?copy`)) as {
      ReplayFolder: typeof ReplayFolder;
    };
    assert.notEqual(copy.ReplayFolder, ReplayFolder);
    const options = { path: scratch.file('replay'), skew, clock, option: 'replayCache' };
    assert.equal(new copy.ReplayFolder(options).claim(hashOf('a'), START), false);
  });

  it('D25: in worker threads at the same time', async () => {
    await using scratch = await scratchFolder('replay');
    const claims: Claims = { path: scratch.file('replay'), count: 200, ctime: START, now: START };
    // Node 20 takes no TypeScript from --import in a worker.
    const program = `import('tsx/esm/api').then(({ register }) => (register(), import(${JSON.stringify(claimer)})));`;
    const answers = await Promise.all(
      [1, 2, 3].map(async () => {
        const worker = new Worker(program, { eval: true, workerData: claims, execArgv: [] });
        const [answer] = (await once(worker, 'message')) as [string];
        await once(worker, 'exit');
        return Number(answer);
      }),
    );
    assert.equal(
      answers.reduce((sum, answer) => sum + answer, 0),
      200,
      answers.join(' '),
    );
  });

  it('D25: in processes of node:cluster at the same time, and in another one after them', async () => {
    await using scratch = await scratchFolder('replay');
    const claims: Claims = { path: scratch.file('replay'), count: 200, ctime: START, now: START };
    const words = ['--import', 'tsx', claimer];
    const answers = await runChecked(process.execPath, [...words, 'cluster', JSON.stringify(claims), '2']);
    const numbers = answers.trim().split(' ').map(Number);
    assert.deepEqual([numbers.length, numbers.reduce((sum, number) => sum + number, 0)], [2, 200], answers);
    assert.equal((await runChecked(process.execPath, [...words, 'claim', JSON.stringify(claims)])).trim(), '0');
  });

  it('D25: a replay that arrives in a later period meets its original', async () => {
    await using scratch = await scratchFolder('replay');
    const clock = new SteeredClock();
    const ctime = START + skew;
    assert.equal(open(scratch.file('replay'), clock).claim(hashOf('a'), ctime), true);
    clock.pass(2 * skew);
    assert.notEqual(periodOf(clock.now()), periodOf(ctime));
    assert.equal(open(scratch.file('replay'), clock).claim(hashOf('a'), ctime), false);
  });

  it('D02: refuses what is older than the folder, because it may have been accepted before', async () => {
    await using scratch = await scratchFolder('replay');
    const clock = new SteeredClock();
    open(scratch.file('replay'), clock);
    clock.pass(10_000);
    const folder = open(scratch.file('replay'), clock);
    assert.throws(() => folder.claim(hashOf('a'), START - 1), {
      ...unknown,
      message: /remembers since 2026-11-29T12:02:30.000Z, and the token is older/,
    });
    assert.equal(folder.claim(hashOf('a'), START), true);
  });

  it('removes periods that are past, in the background, and remembers that it did', async () => {
    await using scratch = await scratchFolder('replay');
    const clock = new SteeredClock();
    const path = scratch.file('replay');
    const folder = open(path, clock);
    for (let index = 0; index < 100; index++) folder.claim(hashOf(`${index}`), START);
    clock.pass(PERIOD);
    folder.claim(hashOf('later'), clock.now());
    await folder.removal;
    assert.equal((await readdir(`${path}/${periodOf(START)}`)).length, 100, 'it is still needed');
    clock.pass(2 * PERIOD);
    folder.claim(hashOf('much later'), clock.now());
    await folder.removal;
    const gone = periodOf(START + PERIOD);
    assert.deepEqual((await readdir(path)).filter((name) => /^\d+(\.gone)?$/.test(name)).sort(), [
      `${gone}.gone`,
      `${gone + 2}`,
    ]);
    assert.deepEqual(await readdir(`${path}/${gone}.gone`), []);
    clock.pass(10 * PERIOD);
    folder.claim(hashOf('after all'), clock.now());
    await folder.removal;
    const names = (await readdir(path)).filter((name) => name.endsWith('.gone'));
    assert.deepEqual(names, [`${periodOf(START + 3 * PERIOD)}.gone`], 'the last one tells');
  });

  it('D25: refuses what was forgotten when the clock was set back, after a restart too', async () => {
    await using scratch = await scratchFolder('replay');
    const clock = new SteeredClock();
    const path = scratch.file('replay');
    const folder = open(path, clock);
    assert.equal(folder.claim(hashOf('a'), START), true);
    clock.pass(12 * PERIOD);
    assert.equal(folder.claim(hashOf('b'), clock.now()), true);
    await folder.removal;
    clock.set(-12 * PERIOD);
    for (const refusing of [folder, open(path, clock)]) {
      assert.throws(() => refusing.claim(hashOf('a'), START), { ...unknown, message: /clock of this server set back/ });
    }
    clock.pass(PERIOD);
    assert.equal(folder.claim(hashOf('c'), clock.now()), true, 'the next period is open');
  });

  it('D25: forgets nothing that it has while the clock is set back', async () => {
    await using scratch = await scratchFolder('replay');
    const clock = new SteeredClock();
    const folder = open(scratch.file('replay'), clock);
    assert.equal(folder.claim(hashOf('a'), START), true);
    clock.set(-86_400_000);
    clock.pass(120_000);
    assert.equal(folder.claim(hashOf('a'), START), false);
    assert.equal(open(scratch.file('replay'), clock).claim(hashOf('a'), START), false);
  });

  it('D25: refuses the period of a subfolder that somebody removed, in every process', async () => {
    await using scratch = await scratchFolder('replay');
    const clock = new SteeredClock();
    const path = scratch.file('replay');
    const folder = open(path, clock);
    folder.claim(hashOf('a'), START);
    await rm(`${path}/${periodOf(START)}`, { recursive: true });
    assert.throws(() => folder.claim(hashOf('b'), START), unknown);
    assert.throws(() => open(path, clock).claim(hashOf('a'), START), unknown);
    clock.pass(PERIOD);
    assert.equal(folder.claim(hashOf('c'), clock.now()), true);
  });

  it('D25: makes the folder anew when it was removed, and refuses the tokens from before', async () => {
    await using scratch = await scratchFolder('replay');
    const clock = new SteeredClock();
    const path = scratch.file('replay');
    const folder = open(path, clock);
    folder.claim(hashOf('a'), START);
    clock.pass(1000);
    await rm(path, { recursive: true });
    assert.throws(() => folder.claim(hashOf('b'), START + 500), { ...unknown, message: /remembers since/ });
    assert.equal(folder.claim(hashOf('c'), START + 1000), true);
    assert.equal((await stat(path)).mode & 0o777, 0o700);
    assert.throws(() => open(path, clock).claim(hashOf('a'), START), unknown);
  });

  it('D25: refuses while the folder can be made no more, and says why', async () => {
    await using scratch = await scratchFolder('replay');
    const path = scratch.file('parent', 'replay');
    await mkdir(scratch.file('parent'));
    const folder = open(path, new SteeredClock());
    await rename(scratch.file('parent'), scratch.file('away'));
    assert.throws(() => folder.claim(hashOf('a'), START + 1), { ...unknown, message: /cannot be made.*ENOENT/ });
    await rename(scratch.file('away'), scratch.file('parent'));
    assert.equal(folder.claim(hashOf('a'), START + 1), true);
  });

  it('trusts no folder without the file that tells since when it remembers', async () => {
    await using scratch = await scratchFolder('replay');
    const path = scratch.file('replay');
    const clock = new SteeredClock();
    const folder = open(path, clock);
    for (const name of await readdir(path)) if (name.startsWith('since.')) await unlink(`${path}/${name}`);
    await writeFile(`${path}/since.soon`, '');
    clock.pass(60_000);
    assert.throws(() => folder.claim(hashOf('a'), START + 1), unknown);
  });

  const unusable: [string, (path: string) => Promise<unknown>, RegExp][] = [
    ['a file', (path) => writeFile(path, ''), /is no folder\. Remove what is there/],
    ['a link to a folder', (path) => symlink('/tmp', path), /is no folder/],
    [
      'a folder that is open to others',
      async (path) => {
        await mkdir(path);
        await chmod(path, 0o755);
      },
      /is open to other users.*chmod 700 .*\/parent\/replay\..*replayCache: '.*"store"/s,
    ],
    ['a folder that is missing', (path) => rm(dirname(path), { recursive: true }), /cannot be made.*Make the folder/],
  ];
  for (const [name, prepare, message] of unusable) {
    it(`does not start with ${name}`, async () => {
      await using scratch = await scratchFolder('replay');
      await mkdir(scratch.file('parent'));
      const path = scratch.file('parent', 'replay');
      await prepare(path);
      assert.throws(() => open(path, new SteeredClock()), {
        code: 'ERR_SSPI_AUTH_OPTION',
        option: 'replayCache',
        message,
      });
    });
  }

  it('takes an empty folder of its own user', async () => {
    await using scratch = await scratchFolder('replay');
    await mkdir(scratch.file('replay'), { mode: 0o700 });
    assert.equal(open(scratch.file('replay'), new SteeredClock()).claim(hashOf('a'), START), true);
  });
});

describe('the name of a replay folder', () => {
  it('is by default one for the user', () => {
    assert.equal(defaultReplayFolder(1000), '/var/tmp/sspi-auth-replay_1000');
    assert.match(defaultReplayFolder(undefined), /sspi-auth-replay/);
  });

  it('is an absolute path', () => {
    assert.equal(replayFolderPath('/run/app/replay', 'replayCache'), '/run/app/replay');
    assert.throws(() => replayFolderPath('run/app', 'replayCache'), {
      message: /no absolute path.*'\/run\/app\/replay'/s,
    });
  });

  for (const name of ['file2:/run/app/replay', 'dfl:', 'none:', 'FILE:/x', 'memory:x']) {
    it(`is no name of MIT krb5: ${name}`, () => {
      assert.throws(() => replayFolderPath(name, 'replayCache'), {
        code: 'ERR_SSPI_AUTH_OPTION',
        message: name === 'none:' ? /MIT krb5\. Give false/ : /MIT krb5\. Give the path of a folder.*'gssapi'/s,
      });
    });
  }
});
