import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Frame } from '../../../../src/native/gssapi/call/frame.ts';
import { FramePool } from '../../../../src/native/gssapi/call/frame-pool.ts';
import { asyncCallLimit, MAX_WAITING_CALLS } from '../../../../src/native/koffi.ts';
import type { GssapiLibrary } from '../../../../src/native/gssapi/call/library.ts';

/** The only function of a library that the constructor of a frame calls. */
const library = {
  allocate: (size: number) => ({ address: 0n, bytes: Buffer.alloc(size) }),
} as unknown as GssapiLibrary;

async function acquired(pool: FramePool): Promise<Frame> {
  const frame = await pool.acquire();
  assert.ok(frame !== undefined);
  return frame;
}

/** Acquires all frames of a pool. */
function allFrames(pool: FramePool): Promise<Frame[]> {
  return Promise.all(Array.from({ length: asyncCallLimit }, () => acquired(pool)));
}

describe('the frames of calls off the event loop', () => {
  it('are as many as calls may run at the same time; waiting callers get them in the order in which they came', async () => {
    const pool = new FramePool(library);
    const frames = await allFrames(pool);
    assert.equal(new Set(frames).size, asyncCallLimit);
    const order: string[] = [];
    const first = pool.acquire()?.then((frame) => (order.push('first'), frame));
    const second = pool.acquire()?.then((frame) => (order.push('second'), frame));
    const [frame] = frames;
    assert.ok(frame !== undefined);
    pool.release(frame);
    assert.equal(await first, frame);
    pool.release(frame);
    assert.equal(await second, frame);
    assert.deepEqual(order, ['first', 'second']);
    pool.release(frame);
    assert.equal(await pool.acquire(), frame);
  });

  it('have a limit of waiting callers; when a call ends, one more caller may wait', async () => {
    const pool = new FramePool(library);
    const frames = await allFrames(pool);
    const waiting = Array.from({ length: MAX_WAITING_CALLS }, () => pool.acquire());
    assert.ok(waiting.every((promise) => promise !== undefined));
    assert.equal(pool.acquire(), undefined);
    const [frame] = frames;
    assert.ok(frame !== undefined);
    pool.release(frame);
    assert.equal(await waiting[0], frame);
    assert.notEqual(pool.acquire(), undefined);
    assert.equal(pool.acquire(), undefined);
  });
});
