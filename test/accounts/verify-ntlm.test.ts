import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifyNtlmResponse } from '../../src/accounts/verify-ntlm.ts';
import { ntowfv1, ntowfv2, ntProofString } from '../../src/crypto/ntlm-keys.ts';
import { logon } from './ntlm-logon.ts';

const ntHash = ntowfv1('p');
const alice = { account: { userName: 'alice' }, ntHash, password: 'p' };

describe('verifyNtlmResponse', () => {
  it('C08: refuses a response that is a proof at most, whatever it is a proof of', () => {
    const asked = logon({ userName: 'alice', password: 'p' });
    assert.equal(verifyNtlmResponse(alice, asked).result, 'accepted');
    for (const length of [0, 8, 15, 16]) {
      const ntResponse = asked.ntResponse.subarray(0, length);
      assert.deepEqual(verifyNtlmResponse(alice, { ...asked, ntResponse }), { result: 'refused' });
    }
    const nothing = new Uint8Array(0);
    const ntResponse = ntProofString(ntowfv2(ntHash, 'alice', ''), asked.serverChallenge, nothing);
    assert.deepEqual(verifyNtlmResponse(alice, { ...asked, ntResponse }), { result: 'refused' });
  });

  it('C23: refuses an account without a hash, and one that is not there', () => {
    for (const password of ['p', '']) {
      const asked = logon({ userName: 'alice', password });
      assert.deepEqual(verifyNtlmResponse({ ...alice, ntHash: undefined }, asked), { result: 'refused' });
      assert.deepEqual(verifyNtlmResponse(undefined, asked), { result: 'refused' });
    }
  });
});
