/** Results of sources that break; what becomes of them in a handshake is in ntlm-account-source-attacks.test.ts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readResult } from '../../../src/packages/ntlm/ntlm-result.ts';
import { SEC_E_INTERNAL_ERROR } from '../../../src/sspi/index.ts';

describe('A21: the account of an accepted result', () => {
  const read = (account: object): unknown =>
    readResult({ result: 'accepted', sessionBaseKey: new Uint8Array(16), account }, 'LAB');

  it('that throws when it is read throws what it threw, which is logged', () => {
    const thrown = new RangeError('the directory is gone');
    const account = {
      userName: 'alice',
      get groups(): never {
        throw thrown;
      },
    };
    assert.throws(() => read(account), thrown);
  });

  it('that cannot be used is refused, and the reason is told', () => {
    const { status, reason } = read({ userName: 'alice', groups: 5 }) as { status: number; reason: string };
    assert.equal(status, SEC_E_INTERNAL_ERROR);
    assert.match(reason, /^the account source gave an account that cannot be used: /);
  });
});
