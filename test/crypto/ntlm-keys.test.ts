import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { channelBindingsHash } from '../../src/crypto/channel-bindings-hash.ts';
import { md4 } from '../../src/crypto/md4.ts';
import { ntowfv1, ntowfv2, ntProofString, sealingKey, sessionBaseKey, signingKey } from '../../src/crypto/ntlm-keys.ts';
import { rc4 } from '../../src/crypto/rc4.ts';
import { packChannelBindings } from '../../src/formats/channel-bindings.ts';
import { hex, toHex, vector } from '../packages/ntlm/recorded-handshakes.ts';

const { user, domain, password, serverChallenge, randomSessionKey } = vector('nlmp.common').inputs as Record<
  'user' | 'domain' | 'password' | 'serverChallenge' | 'randomSessionKey',
  string
>;
const expected = (id: string): string => vector(id).expected;
const ntHash = ntowfv1(password);
const responseKey = ntowfv2(ntHash, user, domain);

/**
 * Rows of vectors.json, each with the computation that must lead to it. LM and NTLMv1 (DES responses and what hangs on
 * them) have none: they are refused, see ntlm-recorded.test.ts, so there is no code that could compute their rows.
 */
const computations: Readonly<Record<string, () => Uint8Array>> = {
  'nlmp.ntowfv1': () => ntHash,
  'nlmp.v1.sessionBaseKey': () => md4(ntHash),
  'nlmp.v2.ntowfv2': () => responseKey,
  'nlmp.v2.ntProofStr': () => ntProofString(responseKey, hex(serverChallenge), hex(expected('nlmp.v2.temp'))),
  'nlmp.v2.sessionBaseKey': () => sessionBaseKey(responseKey, hex(expected('nlmp.v2.ntProofStr'))),
  'nlmp.v2.encSessionKey': () => rc4(hex(expected('nlmp.v2.sessionBaseKey')), hex(randomSessionKey)),
  'nlmp.v2.clientSealKey': () => sealingKey(hex(randomSessionKey), 'client', 128),
  'nlmp.v2.clientSignKey': () => signingKey(hex(randomSessionKey), 'client'),
  'nlmp.v2.serverSealKey': () => sealingKey(hex(randomSessionKey), 'server', 128),
  'nlmp.v2.serverSignKey': () => signingKey(hex(randomSessionKey), 'server'),
  'nlmp.v1ess.clientSealKey56': () => sealingKey(hex(expected('nlmp.v1ess.kxkey')), 'client', 56),
  'nlmp.v1ess.clientSignKey': () => signingKey(hex(expected('nlmp.v1ess.kxkey')), 'client'),
  'ntowfv2.freerdp.1': () => ntowfv2(ntowfv1('pwd1'), 'user1', 'domain1'),
  'ntowfv2.freerdp.2': () => ntowfv2(ntowfv1('pwd2'), 'user2', 'domain1'),
};

describe('NTLM keys', () => {
  for (const [id, compute] of Object.entries(computations)) {
    it(id, () => {
      assert.equal(toHex(compute()), expected(id));
    });
  }

  it('NTOWFv2 takes the user in any case and the domain in its own (MS-NLMP 3.3.2)', () => {
    assert.deepEqual(ntowfv2(ntHash, 'uSER', domain), responseKey);
    assert.notDeepEqual(ntowfv2(ntHash, user, domain.toUpperCase()), responseKey);
  });

  it('FreeRDP: NTOWFv1 and NTOWFv2 of its recorded handshake', () => {
    const inputs = vector('ntlm.full.freerdp').inputs as Record<string, string>;
    assert.equal(toHex(ntowfv1(inputs['password']!)), inputs['ntHash']);
    assert.equal(toHex(ntowfv2(hex(inputs['ntHash']!), inputs['user']!, inputs['domain']!)), inputs['ntowfv2']);
  });
});

describe('hash of channel bindings', () => {
  const none = new Uint8Array(0);
  const empty = {
    initiatorAddressType: 0,
    initiatorAddress: none,
    acceptorAddressType: 0,
    acceptorAddress: none,
    applicationData: none,
  };

  it('cbt.msblog', () => {
    const { inputs, expected } = vector('cbt.msblog');
    const applicationData = Buffer.concat([Buffer.from('tls-server-end-point:'), hex(inputs['certHashSha256']!)]);
    assert.equal(toHex(channelBindingsHash({ ...empty, applicationData })), expected);
  });

  it('cbt.pack.full', () => {
    const bindings = {
      initiatorAddressType: 2,
      initiatorAddress: hex('01020304'),
      acceptorAddressType: 0,
      acceptorAddress: hex('05060708'),
      applicationData: Buffer.from('café', 'utf8'),
    };
    assert.equal(toHex(packChannelBindings(bindings)), vector('cbt.pack.full').expected);
  });

  it('cbt.empty.bnd: empty bindings are not no bindings', () => {
    assert.equal(toHex(channelBindingsHash(empty)), vector('cbt.empty.bnd').expected);
  });
});
