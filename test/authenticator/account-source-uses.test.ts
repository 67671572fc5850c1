import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountSource } from '../../src/accounts/account-source.ts';
import { beginUse, endUse } from '../../src/authenticator/account-source-uses.ts';

const source = (): AccountSource => ({ description: 'one', verifyNtlm: () => ({ result: 'refused' }) });

describe('an account source that several authenticators use', () => {
  it('is closed by the last of them, and once more after it was used again', () => {
    const [shared, other] = [source(), source()];
    beginUse(other);
    for (let round = 0; round < 2; round++) {
      for (let user = 0; user < 3; user++) beginUse(shared);
      assert.deepEqual([endUse(shared), endUse(shared), endUse(shared)], [false, false, true]);
    }
    assert.equal(endUse(other), true);
  });

  it('is closed by one that never began to use it', () => {
    assert.equal(endUse(source()), true);
  });
});
