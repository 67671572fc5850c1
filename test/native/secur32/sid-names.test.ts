import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SidNames } from '../../../src/native/secur32/sid-names.ts';
import type { Sid, SidAnswer } from '../../../src/native/secur32/sid-names.ts';

/** A SID whose last part is its number. */
const sid = (number: number): Sid => ({ sid: `S-1-5-21-${number}`, bytes: Uint8Array.of(1, 1, 5, number) });

/** A cache over a system that answers what a test says, `DOMAIN\N` otherwise. */
class Scene {
  readonly clock = { time: 0 };
  /** The numbers of the SIDs of each call. */
  readonly calls: number[][] = [];
  answers: Readonly<Record<number, SidAnswer>> = {};
  fails = false;
  readonly names: SidNames;

  constructor(most?: number) {
    this.names = new SidNames(
      async (sids) => {
        const numbers = sids.map((bytes) => bytes[3] ?? 0);
        this.calls.push(numbers);
        if (this.fails) throw new Error('no domain controller');
        return numbers.map((number) => this.answers[number] ?? { name: `LAB\\${number}` });
      },
      { now: () => 0, elapsed: () => this.clock.time },
      most,
    );
  }

  /** The names, when they are looked up. */
  async find(...numbers: number[]): Promise<(string | undefined)[]> {
    const { names, lookedUp } = this.names.find(numbers.map(sid));
    await lookedUp;
    return names.map(({ name }) => name);
  }
}

describe('names of SIDs', () => {
  it('are looked up in one call, for as many as are unknown', async () => {
    const scene = new Scene();
    assert.deepEqual(await scene.find(1, 2), ['LAB\\1', 'LAB\\2']);
    assert.deepEqual(await scene.find(1, 3, 4), ['LAB\\1', 'LAB\\3', 'LAB\\4']);
    assert.deepEqual(scene.calls, [
      [1, 2],
      [3, 4],
    ]);
    assert.equal(scene.names.find([sid(1), sid(4)]).lookedUp, undefined, 'nothing to wait for');
  });

  it('are asked for once by many who ask at the same time', async () => {
    const scene = new Scene();
    assert.deepEqual(await Promise.all([scene.find(1, 2), scene.find(2, 1)]), [
      ['LAB\\1', 'LAB\\2'],
      ['LAB\\2', 'LAB\\1'],
    ]);
    assert.deepEqual(scene.calls, [[1, 2]]);
  });

  it('come into what was given out before they were known', async () => {
    const scene = new Scene();
    const { names, lookedUp } = scene.names.find([sid(1)]);
    assert.equal(names[0]?.name, undefined);
    await lookedUp;
    assert.equal(names[0]?.name, 'LAB\\1');
  });

  it('are asked for again after ten minutes, and nobody waits for that', async () => {
    const scene = new Scene();
    await scene.find(1);
    scene.clock.time = 10 * 60_000 - 1;
    await scene.find(1);
    assert.equal(scene.calls.length, 1);
    scene.clock.time++;
    scene.answers = { 1: { name: 'LAB\\renamed' } };
    const { names, lookedUp } = scene.names.find([sid(1)]);
    assert.equal(lookedUp, undefined);
    assert.equal(names[0]?.name, 'LAB\\1');
    await new Promise(setImmediate);
    assert.equal(names[0].name, 'LAB\\renamed');
    assert.equal(scene.calls.length, 2);
  });

  it('that could not be had are asked for again after seconds', async () => {
    const scene = new Scene();
    scene.fails = true;
    assert.deepEqual(await scene.find(1), [undefined]);
    scene.clock.time = 4_999;
    await scene.find(1);
    assert.equal(scene.calls.length, 1);
    scene.clock.time = 5_000;
    scene.fails = false;
    assert.deepEqual(await scene.find(1), ['LAB\\1']);
  });

  it('fail alone: the others of the call are known', async () => {
    const scene = new Scene();
    scene.answers = { 2: 'failed', 3: 'unmapped' };
    assert.deepEqual(await scene.find(1, 2, 3), ['LAB\\1', undefined, undefined]);
    scene.answers = {};
    scene.clock.time = 5_000;
    assert.deepEqual(await scene.find(1, 2, 3), ['LAB\\1', 'LAB\\2', undefined]);
    // A time-out looks the same as a SID without a name, so that is not believed for long either.
    scene.clock.time = 60_000;
    assert.deepEqual(await scene.find(3), ['LAB\\3']);
    assert.deepEqual(scene.calls, [[1, 2, 3], [2], [3]]);
  });

  it('that are known stay while no domain controller answers, for an hour', async () => {
    const scene = new Scene();
    await scene.find(1);
    scene.fails = true;
    for (scene.clock.time = 10 * 60_000; scene.clock.time <= 60 * 60_000; scene.clock.time += 60_000) {
      await scene.find(1);
      await new Promise(setImmediate);
      assert.deepEqual(await scene.find(1), ['LAB\\1']);
    }
    scene.clock.time += 60_000;
    await scene.find(1);
    await new Promise(setImmediate);
    assert.deepEqual(await scene.find(1), [undefined]);
  });

  it('of an answer that is too short are not known', async () => {
    const names = new SidNames(async () => [{ name: 'LAB\\1' }]);
    const found = names.find([sid(1), sid(2)]);
    await found.lookedUp;
    assert.deepEqual(
      found.names.map(({ name }) => name),
      ['LAB\\1', undefined],
    );
  });

  it('are bounded: the oldest goes first', async () => {
    const scene = new Scene(3);
    for (let number = 0; number < 100; number++) await scene.find(number);
    assert.equal(scene.names.size, 3);
    await scene.find(99);
    assert.equal(scene.calls.length, 100);
    await scene.find(0);
    assert.equal(scene.calls.length, 101);
  });

  it('are bounded for a token with more groups than are kept', async () => {
    const scene = new Scene(3);
    assert.deepEqual(await scene.find(1, 2, 3, 4, 5), ['LAB\\1', 'LAB\\2', 'LAB\\3', 'LAB\\4', 'LAB\\5']);
    assert.equal(scene.names.size, 3);
  });

  it('copy the SID: the memory of a token is gone when the answer comes', async () => {
    const { bytes } = sid(1);
    const names = new SidNames(async ([given]) => {
      await Promise.resolve();
      return [{ name: Buffer.from(given ?? []).toString('hex') }];
    });
    const found = names.find([{ sid: 'S-1', bytes }]);
    bytes.fill(0);
    await found.lookedUp;
    assert.equal(found.names[0]?.name, '01010501');
  });
});
