import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Frame } from '../../../../src/native/gssapi/call/frame.ts';
import { FramePool } from '../../../../src/native/gssapi/call/frame-pool.ts';
import { asyncCallLimit, MOST_WAITING } from '../../../../src/native/koffi.ts';
import type { GssapiLibrary } from '../../../../src/native/gssapi/call/library.ts';

/** All that a frame asks of a library before it is used. */
const library = {
  allocate: (size: number) => ({ address: 0n, bytes: Buffer.alloc(size) }),
} as unknown as GssapiLibrary;

async function entered(pool: FramePool): Promise<Frame> {
  const frame = await pool.enter();
  assert.ok(frame !== undefined);
  return frame;
}

/** As many frames as there are. */
function enteredByAll(pool: FramePool): Promise<Frame[]> {
  return Promise.all(Array.from({ length: asyncCallLimit }, () => entered(pool)));
}

describe('the frames of calls off the event loop', () => {
  it('are as many as calls that run at once, and go to those who wait in the order they came', async () => {
    const pool = new FramePool(library);
    const frames = await enteredByAll(pool);
    assert.equal(new Set(frames).size, asyncCallLimit);
    const order: string[] = [];
    const first = pool.enter()?.then((frame) => (order.push('first'), frame));
    const second = pool.enter()?.then((frame) => (order.push('second'), frame));
    const [frame] = frames;
    assert.ok(frame !== undefined);
    pool.leave(frame);
    assert.equal(await first, frame);
    pool.leave(frame);
    assert.equal(await second, frame);
    assert.deepEqual(order, ['first', 'second']);
    pool.leave(frame);
    assert.equal(await pool.enter(), frame);
  });

  it('while no call ends, no more wait than a bound; with one that ends, the next may', async () => {
    const pool = new FramePool(library);
    const frames = await enteredByAll(pool);
    const waiting = Array.from({ length: MOST_WAITING }, () => pool.enter());
    assert.ok(waiting.every((entered) => entered !== undefined));
    assert.equal(pool.enter(), undefined);
    const [frame] = frames;
    assert.ok(frame !== undefined);
    pool.leave(frame);
    assert.equal(await waiting[0], frame);
    assert.notEqual(pool.enter(), undefined);
    assert.equal(pool.enter(), undefined);
  });
});
