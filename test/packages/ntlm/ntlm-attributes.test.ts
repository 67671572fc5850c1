/** What an NTLM context answers to QueryContextAttributes, and which ASC_RET_* bits it has. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ntlmPackage } from '../../../src/packages/ntlm/ntlm-package.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { attempt, right, type1 } from './deviating-client.ts';
import { negotiateMessage, WINDOWS_FLAGS } from './ntlm-client.ts';
import { credential, leg, NOW } from './ntlm-server.ts';

const { ASC_RET_CONFIDENTIALITY, ASC_RET_CONNECTION, ASC_RET_IDENTIFY } = Sspi;
const SIGNED = Sspi.ASC_RET_INTEGRITY | Sspi.ASC_RET_REPLAY_DETECT | Sspi.ASC_RET_SEQUENCE_DETECT;

describe('NTLM attributes', () => {
  it('the package says what it can: INTEGRITY, PRIVACY, TOKEN_ONLY, CONNECTION and NEGOTIABLE', () => {
    const { name, capabilities, version, rpcId, maxToken } = ntlmPackage.info;
    assert.deepEqual([name, capabilities, version, rpcId, maxToken], ['NTLM', 0x817, 1, 10, 2888]);
  });

  it('an established context answers what NTLM has, and nothing else', () => {
    const { context, attributes } = attempt(right, { requirements: Sspi.ASC_REQ_CONNECTION });
    const value = <A extends Sspi.ContextAttribute>(attribute: A): Sspi.ContextAttributeValues[A] | undefined =>
      Sspi.queryContextAttributes(context!, attribute).value;
    assert.deepEqual(value(Sspi.SECPKG_ATTR_SIZES), {
      maxToken: ntlmPackage.info.maxToken,
      maxSignature: 16,
      blockSize: 0,
      securityTrailer: 16,
    });
    assert.equal(value(Sspi.SECPKG_ATTR_NAMES), 'Domain\\User');
    assert.deepEqual(value(Sspi.SECPKG_ATTR_NATIVE_NAMES), { client: 'Domain\\User', server: 'Server' });
    assert.deepEqual(value(Sspi.SECPKG_ATTR_LIFESPAN), { start: new Date(NOW), expiry: undefined });
    assert.equal(value(Sspi.SECPKG_ATTR_PACKAGE_INFO), ntlmPackage.info);
    assert.deepEqual(value(Sspi.SECPKG_ATTR_NEGOTIATION_INFO), {
      package: ntlmPackage.info,
      state: Sspi.SECPKG_NEGOTIATION_COMPLETE,
    });
    assert.equal(value(Sspi.SECPKG_ATTR_FLAGS), attributes);
    const none = Sspi.queryContextAttributes(context!, Sspi.SECPKG_ATTR_ACCESS_TOKEN);
    assert.deepEqual(none, { status: Sspi.SEC_E_UNSUPPORTED_FUNCTION });
  });

  it('a challenged context answers none of them', () => {
    const { context } = leg(credential(), undefined, type1);
    for (const attribute of [Sspi.SECPKG_ATTR_NAMES, Sspi.SECPKG_ATTR_SESSION_KEY, Sspi.SECPKG_ATTR_FLAGS] as const) {
      assert.deepEqual(Sspi.queryContextAttributes(context!, attribute), { status: Sspi.SEC_E_INVALID_HANDLE });
    }
    assert.deepEqual(Sspi.querySecurityContextToken(context!), { status: Sspi.SEC_E_INVALID_HANDLE });
  });

  it('what is given out is a copy: who changes the key or the time changes nothing of the context', () => {
    const { context } = attempt(right);
    const key = (): Uint8Array => Sspi.queryContextAttributes(context!, Sspi.SECPKG_ATTR_SESSION_KEY).value!;
    const lifespan = (): Date => Sspi.queryContextAttributes(context!, Sspi.SECPKG_ATTR_LIFESPAN).value!.start;
    const before = Buffer.from(key()).toString('hex');
    key().fill(0);
    lifespan().setTime(0);
    assert.equal(Buffer.from(key()).toString('hex'), before);
    assert.equal(lifespan().getTime(), NOW);
  });

  const IDENTIFY = 0x100000;
  const [SIGN, SEAL] = [0x10, 0x20];
  for (const [name, flags, requirements, expected] of [
    ['signing and sealing', WINDOWS_FLAGS, 0, SIGNED | ASC_RET_CONFIDENTIALITY],
    ['signing alone', WINDOWS_FLAGS & ~SEAL, 0, SIGNED],
    ['sealing alone, which includes signing', WINDOWS_FLAGS & ~SIGN, 0, SIGNED | ASC_RET_CONFIDENTIALITY],
    ['neither', WINDOWS_FLAGS & ~SIGN & ~SEAL, 0, 0],
    ['a connection asked for', WINDOWS_FLAGS & ~SIGN & ~SEAL, Sspi.ASC_REQ_CONNECTION, ASC_RET_CONNECTION],
    ['identification alone', (WINDOWS_FLAGS & ~SIGN & ~SEAL) | IDENTIFY, 0, ASC_RET_IDENTIFY],
  ] as const) {
    it(`ASC_RET_* of ${name}`, () => {
      const { status, attributes } = attempt(right, { negotiate: negotiateMessage(flags), requirements });
      assert.equal(status, Sspi.SEC_E_OK);
      assert.equal(attributes, expected);
    });
  }
});
