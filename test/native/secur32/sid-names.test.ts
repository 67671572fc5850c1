import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SidNames } from '../../../src/native/secur32/sid-names.ts';

const sid = Uint8Array.of(1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0);

function counted(most = 3, milliseconds = 1000): { names: SidNames; asked: string[]; clock: { time: number } } {
  const asked: string[] = [];
  const clock = { time: 0 };
  const names = new SidNames(
    async (bytes) => {
      asked.push(Buffer.from(bytes).toString('hex'));
      if (bytes[11] === 1) throw new Error('no domain controller');
      return bytes[11] === 2 ? undefined : `LAB\\${asked.length}`;
    },
    { now: () => clock.time, elapsed: () => clock.time },
    most,
    milliseconds,
  );
  return { names, asked, clock };
}

describe('names of SIDs', () => {
  it('asks once for many who ask at the same time, and remembers', async () => {
    const { names, asked } = counted();
    const answers = await Promise.all(['S-1', 'S-1', 'S-1'].map((text) => names.name(text, sid)));
    assert.deepEqual(answers, ['LAB\\1', 'LAB\\1', 'LAB\\1']);
    assert.equal(await names.name('S-1', sid), 'LAB\\1');
    assert.equal(asked.length, 1);
  });

  it('asks again when the time is over', async () => {
    const { names, clock } = counted();
    await names.name('S-1', sid);
    clock.time = 999;
    assert.equal(await names.name('S-1', sid), 'LAB\\1');
    clock.time = 1000;
    assert.equal(await names.name('S-1', sid), 'LAB\\2');
  });

  it('is bounded: the oldest goes first', async () => {
    const { names, asked } = counted();
    for (let index = 0; index < 100; index++) await names.name(`S-${index}`, sid);
    assert.equal(names.size, 3);
    await names.name('S-99', sid);
    assert.equal(asked.length, 100);
    await names.name('S-0', sid);
    assert.equal(asked.length, 101);
  });

  it('has no name where nobody answers, and remembers that as well', async () => {
    const { names, asked } = counted();
    const failing = Uint8Array.from(sid);
    failing[11] = 1;
    assert.equal(await names.name('S-1', failing), undefined);
    assert.equal(await names.name('S-1', failing), undefined);
    const nameless = Uint8Array.from(sid);
    nameless[11] = 2;
    assert.equal(await names.name('S-2', nameless), undefined);
    assert.equal(asked.length, 2);
  });

  it('copies the SID: the memory of a token is gone when the answer comes', async () => {
    const { names, asked } = counted();
    const bytes = Uint8Array.from(sid);
    const answer = names.name('S-1', bytes);
    bytes.fill(0);
    await answer;
    assert.deepEqual(asked, [Buffer.from(sid).toString('hex')]);
  });
});
