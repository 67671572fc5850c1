import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeChallengeMessage } from '../../../src/formats/ntlm/challenge-message.ts';
import { filetimeOf } from '../../../src/formats/filetime.ts';
import {
  ASC_RET_CONFIDENTIALITY,
  ASC_RET_CONNECTION,
  ASC_RET_INTEGRITY,
  deleteSecurityContext,
  queryContextAttributes,
  querySecurityContextToken,
  SEC_E_LOGON_DENIED,
  SEC_E_OK,
  SEC_I_CONTINUE_NEEDED,
  SECPKG_ATTR_NAMES,
  SECPKG_ATTR_SESSION_KEY,
} from '../../../src/sspi/index.ts';
import { authenticateMessage, CURL_FLAGS, negotiateMessage, WINDOWS_FLAGS } from './ntlm-client.ts';
import { credential, leg, NOW, tokenOf } from './ntlm-server.ts';

describe('NTLM handshake', () => {
  it('challenges with both names and the time, and accepts the right password', () => {
    const handle = credential({ dnsDomain: 'domain.test', dnsComputerName: 'server.domain.test' });
    const type1 = negotiateMessage(WINDOWS_FLAGS);
    const first = leg(handle, undefined, type1);
    assert.equal(first.status, SEC_I_CONTINUE_NEEDED);
    assert.equal(first.attributes, undefined);
    const challenge = decodeChallengeMessage(tokenOf(first));
    assert.deepEqual(challenge.targetInfo, {
      nbDomainName: 'Domain',
      nbComputerName: 'Server',
      dnsDomainName: 'domain.test',
      dnsComputerName: 'server.domain.test',
      timestamp: filetimeOf(NOW),
    });
    assert.equal(challenge.targetName, 'Domain');
    const client = authenticateMessage(type1, tokenOf(first), {
      userName: 'user',
      domain: 'DOMAIN',
      password: 'Password',
      mic: true,
    });
    const last = leg(handle, first.context, client.message);
    assert.equal(last.status, SEC_E_OK);
    assert.deepEqual(last.output, []);
    const wanted = ASC_RET_INTEGRITY | ASC_RET_CONFIDENTIALITY | ASC_RET_CONNECTION;
    assert.equal((last.attributes ?? 0) & wanted, wanted);
    const context = last.context!;
    assert.equal(queryContextAttributes(context, SECPKG_ATTR_NAMES).value, 'Domain\\User');
    assert.deepEqual(
      Buffer.from(queryContextAttributes(context, SECPKG_ATTR_SESSION_KEY).value!),
      Buffer.from(client.exportedSessionKey),
    );
    const token = querySecurityContextToken(context).value!;
    assert.equal(token.userName, 'User');
    assert.equal(token.sid, 'S-1-5-21-1-2-3-1104');
    assert.ok(Object.isFrozen(token) && Object.isFrozen(token.groups));
    assert.equal(deleteSecurityContext(context), SEC_E_OK);
  });

  it('takes a 32-byte OEM message like that of curl', () => {
    const handle = credential();
    const type1 = negotiateMessage(CURL_FLAGS);
    const first = leg(handle, undefined, type1);
    const client = authenticateMessage(type1, tokenOf(first), {
      userName: 'alice',
      password: 'wonderland',
      headerBytes: 64,
    });
    assert.equal(leg(handle, first.context, client.message).status, SEC_E_OK);
  });

  for (const password of ['Wonderland', '', 'wonderland ']) {
    it(`refuses the password ${JSON.stringify(password)}`, () => {
      const handle = credential();
      const type1 = negotiateMessage(WINDOWS_FLAGS);
      const first = leg(handle, undefined, type1);
      const client = authenticateMessage(type1, tokenOf(first), { userName: 'alice', password, mic: true });
      assert.equal(leg(handle, first.context, client.message).status, SEC_E_LOGON_DENIED);
    });
  }
});
