/** Account sources that break their word, through the contract: nobody gets in by it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountSource, NtlmLogon } from '../../../src/accounts/account-source.ts';
import {
  acceptSecurityContext,
  deleteSecurityContext,
  queryContextAttributes,
  SEC_E_INTERNAL_ERROR,
  SEC_E_LOGON_DENIED,
  SEC_E_NO_AUTHENTICATING_AUTHORITY,
  SEC_E_OK,
  SECBUFFER_TOKEN,
  SECPKG_ATTR_NAMES,
  SECPKG_ATTR_SESSION_KEY,
} from '../../../src/sspi/index.ts';
import type { AcceptSecurityContextResult } from '../../../src/sspi/index.ts';
import { attempt, right, type1 } from './deviating-client.ts';
import { authenticateMessage } from './ntlm-client.ts';
import { credential, leg, tokenOf } from './ntlm-server.ts';

describe('NTLM attacks', () => {
  describe('A21: what an account source may do wrong', () => {
    const key = new Uint8Array(16).fill(1);
    const account = { userName: 'User' };
    const results: Readonly<Record<string, readonly [result: unknown, status: number]>> = {
      'C23: undefined': [undefined, SEC_E_LOGON_DENIED],
      'C23: null': [null, SEC_E_LOGON_DENIED],
      'C23: true': [true, SEC_E_LOGON_DENIED],
      'an empty object': [{}, SEC_E_LOGON_DENIED],
      refused: [{ result: 'refused' }, SEC_E_LOGON_DENIED],
      'Accepted in capitals': [{ result: 'Accepted', account, sessionBaseKey: key }, SEC_E_LOGON_DENIED],
      'accepted without key': [{ result: 'accepted', account }, SEC_E_LOGON_DENIED],
      'a key of 8 bytes': [{ result: 'accepted', account, sessionBaseKey: key.subarray(8) }, SEC_E_LOGON_DENIED],
      'a key in hex': [{ result: 'accepted', account, sessionBaseKey: '01'.repeat(16) }, SEC_E_LOGON_DENIED],
      'no account': [{ result: 'accepted', sessionBaseKey: key }, SEC_E_LOGON_DENIED],
      'an account that is null': [{ result: 'accepted', account: null, sessionBaseKey: key }, SEC_E_LOGON_DENIED],
      'an account that is text': [{ result: 'accepted', account: 'User', sessionBaseKey: key }, SEC_E_LOGON_DENIED],
      'a name that is no text': [
        { result: 'accepted', account: { userName: 7 }, sessionBaseKey: key },
        SEC_E_LOGON_DENIED,
      ],
      'an account without a name': [
        { result: 'accepted', account: { userName: '' }, sessionBaseKey: key },
        SEC_E_LOGON_DENIED,
      ],
      'C22: the Guest account': [
        { result: 'accepted', account: { ...account, sid: 'S-1-5-21-1-2-3-501' }, sessionBaseKey: key },
        SEC_E_LOGON_DENIED,
      ],
      'C20: ANONYMOUS LOGON': [
        { result: 'accepted', account: { ...account, sid: 'S-1-5-7' }, sessionBaseKey: key },
        SEC_E_LOGON_DENIED,
      ],
      'NULL, which is nobody': [
        { result: 'accepted', account: { ...account, sid: 'S-1-0-0' }, sessionBaseKey: key },
        SEC_E_LOGON_DENIED,
      ],
      'a group whose denyOnly is misspelt': [
        {
          result: 'accepted',
          account: { ...account, groups: [{ name: 'Staff', denyonly: true }] },
          sessionBaseKey: key,
        },
        SEC_E_INTERNAL_ERROR,
      ],
      'A09: a name with a line break': [
        { result: 'accepted', account: { ...account, displayName: 'a\r\nb' }, sessionBaseKey: key },
        SEC_E_INTERNAL_ERROR,
      ],
      unavailable: [{ result: 'unavailable', reason: 'x' }, SEC_E_NO_AUTHENTICATING_AUTHORITY],
      'unavailable, with more than a reason': [
        { result: 'unavailable', reason: { secret: 'x' }, account, sessionBaseKey: key },
        SEC_E_NO_AUTHENTICATING_AUTHORITY,
      ],
    };
    const verifyOnce = (
      verifyNtlm: (logon: NtlmLogon) => unknown,
    ): AcceptSecurityContextResult | Promise<AcceptSecurityContextResult> => {
      const source = { description: 'of a test', verifyNtlm } as unknown as AccountSource;
      const handle = credential({ accounts: source });
      const first = leg(handle, undefined, type1);
      return acceptSecurityContext({
        ...{ credential: handle, context: first.context, requirements: 0, targetDataRep: 0 },
        input: [
          { type: SECBUFFER_TOKEN, data: authenticateMessage(type1, tokenOf(first), { ...right, mic: false }).message },
        ],
      });
    };
    for (const [name, [result, status]] of Object.entries(results)) {
      it(`${name}, at once and later`, async () => {
        const now = verifyOnce(() => result);
        assert.ok(!(now instanceof Promise));
        assert.equal(now.status, status);
        assert.equal((await verifyOnce(async () => result)).status, status);
      });
    }
    it('a key changed by its owner afterwards changes nothing, and is not wiped for its owner', () => {
      const own = new Uint8Array(16).fill(1);
      const result = verifyOnce(() => ({ result: 'accepted', account, sessionBaseKey: own }));
      assert.ok(!(result instanceof Promise));
      assert.equal(result.status, SEC_E_OK);
      const given = queryContextAttributes(result.context!, SECPKG_ATTR_SESSION_KEY).value!;
      own.fill(2);
      assert.deepEqual(queryContextAttributes(result.context!, SECPKG_ATTR_SESSION_KEY).value, given);
      deleteSecurityContext(result.context!);
      assert.deepEqual(own, new Uint8Array(16).fill(2));
    });
    it('an account that cannot be used is told to the log, with the field and the cure', async () => {
      const { diagnosis } = await verifyOnce(() => ({
        ...{ result: 'accepted', sessionBaseKey: key },
        account: { ...account, groups: [{ name: 'Staff', denyonly: true }] },
      }));
      assert.deepEqual(diagnosis, {
        account: 'Domain\\User',
        text:
          'the account source gave an account that cannot be used: account.groups[0].denyonly is not an option. ' +
          'Write "account.groups[0].denyOnly".',
      });
    });
    it('throws', () => {
      const result = verifyOnce(() => {
        throw new Error('no database');
      });
      assert.ok(!(result instanceof Promise));
      assert.equal(result.status, SEC_E_INTERNAL_ERROR);
    });
    it('rejects', async () => {
      assert.equal((await verifyOnce(() => Promise.reject(new Error('no database')))).status, SEC_E_INTERNAL_ERROR);
    });
    it('C28: the identity is the record of the source, not the words of the client', async () => {
      const result = attempt({ ...right, userName: 'USER', domain: 'dOMAIN', hashedDomain: 'dOMAIN' });
      assert.equal(queryContextAttributes(result.context!, SECPKG_ATTR_NAMES).value, 'Domain\\User');
    });
  });
});
