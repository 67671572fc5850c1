import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultsOf } from '../../../src/foundation/option-table.ts';
import { limitOptions } from '../../../src/authenticator/limit-options.ts';
import { applyNativeCalls } from '../../../src/authenticator/providers/native-calls.ts';
import { asyncCallLimit } from '../../../src/native/native-calls.ts';

describe('limits.nativeCalls', () => {
  const apply = (nativeCalls: number | undefined, variable: string | undefined): void =>
    applyNativeCalls({ limits: { ...defaultsOf(limitOptions), nativeCalls } }, variable);

  it('leaves the default alone where it is not given', () => {
    const before = asyncCallLimit;
    apply(undefined, '1');
    assert.equal(asyncCallLimit, before);
  });

  it('must leave a thread of the pool free', () => {
    for (const [nativeCalls, variable, message] of [
      [4, undefined, /is 4, but libuv's pool has 4 threads\. Start node with UV_THREADPOOL_SIZE=5 or more, or give 3/],
      [16, '16', /is 16, but libuv's pool has 16 threads\. Start node with UV_THREADPOOL_SIZE=17 or more, or give 15/],
      [1, '1', /is 1, but libuv's pool has 1 thread\./],
    ] as const) {
      assert.throws(() => apply(nativeCalls, variable), { code: 'ERR_SSPI_AUTH_OPTION', message });
    }
  });

  it('is the limit of this process', () => {
    apply(15, '16');
    assert.equal(asyncCallLimit, 15);
    apply(5, '16');
    assert.equal(asyncCallLimit, 15, 'of several the greatest');
  });
});
