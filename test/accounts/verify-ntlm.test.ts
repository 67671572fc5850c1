import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { describe, it } from 'node:test';
import { verifyNtlmResponse } from '../../src/accounts/verify-ntlm.ts';
import { ntowfv1, ntowfv2, ntProofString } from '../../src/crypto/ntlm-keys.ts';
import { logon } from './ntlm-logon.ts';
import { reason } from '../../src/identity/reasons/reason.ts';

const ntHash = ntowfv1('p');
const alice = { account: { userName: 'alice' }, ntHash, password: 'p' };

const wrongPassword = { result: 'refused', reason: 'wrong password' };

describe('verifyNtlmResponse', () => {
  it('C08: refuses a response that is a proof at most, whatever it is a proof of', () => {
    const asked = logon({ userName: 'alice', password: 'p' });
    assert.equal(verifyNtlmResponse(alice, asked).result, 'accepted');
    for (const length of [0, 8, 15, 16]) {
      const ntResponse = asked.ntResponse.subarray(0, length);
      assert.deepEqual(verifyNtlmResponse(alice, { ...asked, ntResponse }), wrongPassword);
    }
    const nothing = new Uint8Array(0);
    const ntResponse = ntProofString(ntowfv2(ntHash, 'alice', ''), asked.serverChallenge, nothing);
    assert.deepEqual(verifyNtlmResponse(alice, { ...asked, ntResponse }), wrongPassword);
  });

  it('C23: refuses an account without a hash, and one that is not there', () => {
    for (const password of ['p', '']) {
      const asked = logon({ userName: 'alice', password });
      const without = { result: 'refused', reason: reason('account-without-secret') };
      assert.deepEqual(verifyNtlmResponse({ ...alice, ntHash: undefined }, asked), without);
      const unknown = { result: 'refused', reason: 'no such account' };
      assert.deepEqual(verifyNtlmResponse(undefined, asked), unknown);
    }
  });

  it('G04: no NTOWFv2 is left in memory, whatever the result', () => {
    const original = crypto.hash;
    const made: Buffer[] = [];
    crypto.hash = ((...parameters: Parameters<typeof original>) => {
      const digest: unknown = original(...parameters);
      if (Buffer.isBuffer(digest)) made.push(digest);
      return digest;
    }) as typeof original;
    syncBuiltinESMExports();
    try {
      for (const [password, expected] of [
        ['p', 'accepted'],
        ['x', 'refused'],
      ] as const) {
        const asked = logon({ userName: 'alice', domain: 'CORP', password });
        made.length = 0;
        const { result } = verifyNtlmResponse(alice, asked);
        assert.equal(result, expected);
        const [responseKey, proof, next] = made;
        assert.deepEqual(responseKey, Buffer.alloc(16));
        assert.notDeepEqual(proof, Buffer.alloc(16));
        // The session key of the one, the key of the second try of the other.
        assert.equal(next?.equals(Buffer.alloc(16)), expected === 'refused');
      }
    } finally {
      crypto.hash = original;
      syncBuiltinESMExports();
    }
  });
});
