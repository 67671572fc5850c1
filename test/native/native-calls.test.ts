/** Which calls get a thread, and when: a kind of call that hangs holds up no other kind. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type * as NativeCalls from '../../src/native/native-calls.ts';
import type { CallPlan, Lane, NativeFunction } from '../../src/native/native-calls.ts';

let copies = 0;

/** The module anew, with lanes that nobody has used. */
async function freshModule(): Promise<typeof NativeCalls> {
  const url = new URL(`../../src/native/native-calls.ts?copy=${copies++}`, import.meta.url);
  return (await import(url.href)) as typeof NativeCalls;
}

let calls: typeof NativeCalls;
beforeEach(async () => {
  calls = await freshModule();
});

/** Native calls that run until the test ends them, by the names it gave them. */
class Threads {
  readonly running = new Map<string, () => void>();
  readonly started: string[] = [];

  run(lane: Lane, name: string, abandoned?: CallPlan['abandoned']): Promise<number> {
    const native: NativeFunction = Object.assign(() => 0, {
      async: (...values: unknown[]) => {
        const done = values.at(-1) as (error: Error | null, result: number) => void;
        this.started.push(name);
        this.running.set(name, () => {
          this.running.delete(name);
          done(null, name.length);
        });
      },
    });
    return calls.callInLane({ lane, abandoned }, native, 1);
  }

  /** The same for a call whose result nobody looks at. */
  begin(lane: Lane, name: string): void {
    this.run(lane, name).catch(() => undefined);
  }

  end(name: string): void {
    const end = this.running.get(name);
    assert.ok(end, `${name} runs`);
    end();
  }

  get names(): string[] {
    return [...this.running.keys()];
  }
}

describe('native calls off the event loop', () => {
  it('run three at once in a pool of four, and the others in the order in which they came', async () => {
    const threads = new Threads();
    const all = ['a', 'b', 'c', 'd', 'e'].map((name) => threads.run('general', name));
    assert.deepEqual(threads.names, ['a', 'b', 'c']);
    threads.end('b');
    assert.deepEqual(threads.names, ['a', 'c', 'd']);
    for (const name of ['a', 'c', 'd', 'e']) threads.end(name);
    assert.deepEqual(await Promise.all(all), [1, 1, 1, 1, 1]);
  });

  it('A21: last legs of NTLM that hang leave a thread to all that need no domain controller', () => {
    const threads = new Threads();
    for (let index = 0; index < 10; index++) threads.begin('ntlm', `ntlm ${index}`);
    assert.deepEqual(threads.names, ['ntlm 0', 'ntlm 1']);
    threads.begin('general', 'ticket');
    assert.deepEqual(threads.names, ['ntlm 0', 'ntlm 1', 'ticket']);
    threads.end('ticket');
    threads.begin('general', 'another ticket');
    assert.ok(threads.names.includes('another ticket'));
  });

  it('A21: names that hang leave a thread to sign-ins', () => {
    const threads = new Threads();
    for (let index = 0; index < 10; index++) threads.begin('names', `names ${index}`);
    assert.equal(threads.names.length, 2);
    threads.begin('general', 'ticket');
    assert.ok(threads.names.includes('ticket'));
  });

  it('A21: with four at once, every kind has a thread of its own, whatever hangs first', () => {
    for (const [first, ...others] of [
      ['general', 'ntlm', 'names'],
      ['ntlm', 'names', 'general'],
      ['names', 'general', 'ntlm'],
    ] as const) {
      const threads = new Threads();
      calls.setAsyncCallLimit(4);
      // A thread is kept for a kind of call once there was one.
      for (const lane of ['ntlm', 'names'] as const) {
        threads.begin(lane, lane);
        threads.end(lane);
      }
      for (let index = 0; index < 10; index++) threads.begin(first, `${first} ${index}`);
      assert.equal(threads.names.length, 2, first);
      for (const lane of others) threads.begin(lane, lane);
      assert.deepEqual(threads.names.slice(2).sort(), [...others].sort(), first);
      for (const name of threads.names) threads.end(name);
      while (threads.names.length > 0) for (const name of threads.names) threads.end(name);
    }
  });

  it('keep no thread for a kind of call that this process does not make', () => {
    const threads = new Threads();
    for (let index = 0; index < 5; index++) threads.begin('general', `ticket ${index}`);
    assert.equal(threads.names.length, calls.asyncCallLimit);
  });

  it('G10: do not run for clients that have gone, and hold nothing of them', async () => {
    const threads = new Threads();
    let gone = false;
    for (const name of ['a', 'b', 'c']) threads.begin('general', name);
    const abandoned = Array.from({ length: 20 }, (_, index) => threads.run('general', `gone ${index}`, () => gone));
    const wanted = threads.run('general', 'wanted', () => false);
    gone = true;
    const refused = Promise.allSettled(abandoned);
    threads.end('a');
    assert.deepEqual(threads.started, ['a', 'b', 'c', 'wanted']);
    for (const { status } of await refused) assert.equal(status, 'rejected');
    await assert.rejects(abandoned[0]!, calls.AbandonedCallError);
    threads.end('wanted');
    assert.equal(await wanted, 6);
  });

  it('G10: those that are not wanted any more make room when the next one comes', async () => {
    const threads = new Threads();
    let gone = false;
    for (const name of ['a', 'b', 'c']) threads.begin('general', name);
    const waiting = Array.from({ length: calls.MAX_WAITING_CALLS }, () => threads.run('general', 'gone', () => gone));
    await assert.rejects(threads.run('general', 'one too many'), /1024 native calls are already waiting/);
    gone = true;
    const results = Promise.allSettled(waiting);
    threads.begin('general', 'wanted');
    assert.ok((await results).every(({ status }) => status === 'rejected'));
    threads.end('a');
    assert.deepEqual(threads.names, ['b', 'c', 'wanted']);
  });

  it('go on where the library refuses a call at once', async () => {
    const native: NativeFunction = Object.assign(() => 0, {
      async: () => {
        throw new Error('too many asynchronous calls');
      },
    });
    for (let index = 0; index < 10; index++) {
      await assert.rejects(calls.callAsynchronously(native), /too many asynchronous calls/);
    }
    const threads = new Threads();
    threads.begin('general', 'next');
    assert.deepEqual(threads.names, ['next']);
  });
});

describe('the limit of native calls', () => {
  it('leaves one thread of the pool free', () => {
    for (const [value, threads, limit] of [
      [undefined, 4, 3],
      ['8', 8, 7],
      ['1', 1, 1],
      ['0', 1, 1],
      ['many', 1, 1],
      ['128', 128, 31],
      ['100000', 1024, 31],
    ] as const) {
      assert.equal(calls.poolThreads(value), threads, value);
      assert.equal(calls.defaultCallLimit('linux', value), limit, value);
    }
  });

  it('does not go by UV_THREADPOOL_SIZE on Windows, where libuv may not have seen it', () => {
    assert.equal(calls.defaultCallLimit('win32', '16'), 3);
  });

  it('is the greatest of those that were set, and lets waiting calls start', () => {
    const threads = new Threads();
    for (let index = 0; index < 8; index++) threads.begin('general', String(index));
    calls.setAsyncCallLimit(2);
    assert.equal(calls.asyncCallLimit, 2);
    calls.setAsyncCallLimit(5);
    assert.equal(threads.names.length, 5);
    calls.setAsyncCallLimit(1);
    assert.equal(calls.asyncCallLimit, 5);
  });
});
