/** One challenge serves one attempt on one context, and nothing is left of it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountSource } from '../../../src/accounts/account-source.ts';
import { decodeChallengeMessage } from '../../../src/formats/ntlm/challenge-message.ts';
import {
  acceptSecurityContext,
  ASC_REQ_CONNECTION,
  deleteSecurityContext,
  liveHandles,
  queryContextAttributes,
  querySecurityContextToken,
  SEC_E_INVALID_HANDLE,
  SEC_E_INVALID_TOKEN,
  SEC_E_LOGON_DENIED,
  SEC_E_OK,
  SEC_E_OUT_OF_SEQUENCE,
  SECBUFFER_TOKEN,
  SECPKG_ATTR_NAMES,
} from '../../../src/sspi/index.ts';
import type { AcceptSecurityContextResult } from '../../../src/sspi/index.ts';
import { attempt, right, type1 } from './deviating-client.ts';
import { authenticateMessage } from './ntlm-client.ts';
import { accounts, credential, leg, tokenOf } from './ntlm-server.ts';

describe('NTLM attacks', () => {
  describe('one challenge, one attempt', () => {
    it('C02: a message of another connection', () => {
      const handle = credential();
      const [a, b] = [leg(handle, undefined, type1), leg(handle, undefined, type1)];
      const { message } = authenticateMessage(type1, tokenOf(a), right);
      assert.equal(leg(handle, b.context, message).status, SEC_E_LOGON_DENIED);
      assert.equal(leg(handle, b.context, message).status, SEC_E_INVALID_HANDLE);
      assert.equal(leg(handle, a.context, message).status, SEC_E_OK);
    });
    it('C03: the same message twice, the second drops the context', () => {
      const handle = credential();
      const first = leg(handle, undefined, type1);
      const { message } = authenticateMessage(type1, tokenOf(first), right);
      const done = leg(handle, first.context, message);
      assert.equal(done.status, SEC_E_OK);
      assert.equal(leg(handle, done.context, message).status, SEC_E_OUT_OF_SEQUENCE);
      assert.equal(querySecurityContextToken(done.context!).status, SEC_E_INVALID_HANDLE);
      assert.equal(leg(handle, done.context, message).status, SEC_E_INVALID_HANDLE);
    });
    it('C03: a wrong password uses the challenge up', () => {
      const handle = credential();
      const first = leg(handle, undefined, type1);
      const wrong = authenticateMessage(type1, tokenOf(first), { ...right, password: 'x' }).message;
      assert.equal(leg(handle, first.context, wrong).status, SEC_E_LOGON_DENIED);
      const { message } = authenticateMessage(type1, tokenOf(first), right);
      assert.equal(leg(handle, first.context, message).status, SEC_E_INVALID_HANDLE);
    });
    it('C04: a NEGOTIATE_MESSAGE where the answer is due', () => {
      const handle = credential();
      const first = leg(handle, undefined, type1);
      assert.equal(leg(handle, first.context, type1).status, SEC_E_INVALID_TOKEN);
    });
    it('A12: the second of two messages at once finds nothing', async () => {
      const slow: AccountSource = { description: 'slow', verifyNtlm: async (logon) => accounts.verifyNtlm!(logon) };
      const handle = credential({ accounts: slow });
      const first = leg(handle, undefined, type1);
      const { message } = authenticateMessage(type1, tokenOf(first), right);
      const call = (): AcceptSecurityContextResult | Promise<AcceptSecurityContextResult> =>
        acceptSecurityContext({
          ...{ credential: handle, context: first.context, requirements: ASC_REQ_CONNECTION, targetDataRep: 0 },
          input: [{ type: SECBUFFER_TOKEN, data: message }],
        });
      const [one, two] = [call(), call()];
      assert.ok(one instanceof Promise && !(two instanceof Promise));
      assert.equal(two.status, SEC_E_INVALID_HANDLE);
      assert.equal((await one).status, SEC_E_OK);
    });
    it('A12: the caller may overwrite its buffer while the source is asked', async () => {
      const slow: AccountSource = { description: 'slow', verifyNtlm: async (logon) => accounts.verifyNtlm!(logon) };
      const handle = credential({ accounts: slow });
      const negotiate = Buffer.from(type1);
      const first = leg(handle, undefined, negotiate);
      negotiate.fill(0);
      // A Buffer, as HTTP hands it over: its slice() would not copy.
      const message = Buffer.from(authenticateMessage(type1, tokenOf(first), right).message);
      const pending = acceptSecurityContext({
        ...{ credential: handle, context: first.context, requirements: 0, targetDataRep: 0 },
        input: [{ type: SECBUFFER_TOKEN, data: message }],
      });
      message.fill(0);
      assert.equal((await pending).status, SEC_E_OK);
    });
    it('A17: abandoned handshakes leave nothing behind', () => {
      const handle = credential();
      const before = liveHandles().contexts;
      for (let i = 0; i < 2000; i++)
        assert.equal(deleteSecurityContext(leg(handle, undefined, type1).context!), SEC_E_OK);
      for (let i = 0; i < 200; i++) {
        const first = leg(handle, undefined, type1);
        leg(handle, first.context, authenticateMessage(type1, tokenOf(first), { ...right, password: 'no' }).message);
      }
      assert.equal(liveHandles().contexts, before);
    });
    it('G09: deleted twice, used after deletion', () => {
      const done = attempt(right);
      assert.equal(deleteSecurityContext(done.context!), SEC_E_OK);
      assert.equal(deleteSecurityContext(done.context!), SEC_E_INVALID_HANDLE);
      assert.equal(queryContextAttributes(done.context!, SECPKG_ATTR_NAMES).status, SEC_E_INVALID_HANDLE);
    });
    it('C27: challenges are never the same, and every bit of them varies', () => {
      const handle = credential();
      const seen = new Set<string>();
      const ones = new Array<number>(64).fill(0);
      const count = 2000;
      for (let i = 0; i < count; i++) {
        const first = leg(handle, undefined, type1);
        const { serverChallenge } = decodeChallengeMessage(tokenOf(first));
        deleteSecurityContext(first.context!);
        seen.add(Buffer.from(serverChallenge).toString('hex'));
        for (let bit = 0; bit < 64; bit++) ones[bit]! += (serverChallenge[bit >> 3]! >> (bit & 7)) & 1;
      }
      assert.equal(seen.size, count);
      // Seven standard deviations: once in 10^10 runs by chance.
      for (const value of ones) assert.ok(Math.abs(value - count / 2) < 7 * Math.sqrt(count / 4));
    });
  });
});
