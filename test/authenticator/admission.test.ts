/** What a context that stands must be before its client is let in: the options that restrict, against a scripted package. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { admit } from '../../src/authenticator/admission.ts';
import type { Admission } from '../../src/authenticator/admission.ts';
import { verifyToken } from '../../src/authenticator/verification.ts';
import type { OfferedScheme } from '../../src/authenticator/offered-scheme.ts';
import * as Sspi from '../../src/sspi/index.ts';
import { firstToken, ScriptedPackage } from './scripted-package.ts';
import type { Step } from './scripted-package.ts';

type Restrictions = Pick<OfferedScheme, 'packages' | 'servicePrincipalNames' | 'requiredAttributes'>;

/** What becomes of a client whose context the package of the name `Kerberos` made, under restrictions. */
function admission(restrictions: Restrictions, step: Step): Admission {
  const owner = new ScriptedPackage({ right: step }, 'Kerberos');
  const credential = Sspi.acquireCredentialsHandle({
    package: owner,
    credentialUse: 'inbound',
  }) as Sspi.CredentialHandle;
  const scheme: OfferedScheme = {
    name: 'Negotiate',
    provider: 'scripted',
    boundTo: 'connection',
    credential,
    ...restrictions,
  };
  const token = Buffer.from(firstToken('right'), 'latin1');
  const result = verifyToken(scheme, undefined, token, { mode: 'never', bindings: undefined });
  assert.ok('type' in result && result.type === 'accepted');
  const admission = admit(scheme, result);
  assert.equal(owner.live, 1, 'the context stays its owner’s');
  Sspi.deleteSecurityContext(result.context);
  return admission;
}

const names = ['HTTP/intranet', 'HTTP/intranet.corp.example'];
const { ASC_RET_CONFIDENTIALITY, ASC_RET_INTEGRITY } = Sspi;
/** The highest bit: JavaScript makes a negative number of it. */
const highest = 0x80000000;

const cases: readonly (readonly [what: string, Restrictions, Step, expected: string])[] = [
  ['nothing required', {}, {}, 'admitted'],
  ['G11: the package that ran is allowed', { packages: ['NTLM', 'Kerberos'] }, {}, 'admitted'],
  ['G11: another package ran', { packages: ['NTLM'] }, {}, 'package-not-allowed'],
  ['G11: none is allowed', { packages: [] }, {}, 'package-not-allowed'],
  ['G11: nobody knows which package ran', {}, { nameless: true }, 'package-not-allowed'],
  [
    'C18: a name of the service',
    { servicePrincipalNames: names },
    { target: 'HTTP/intranet.corp.example' },
    'admitted',
  ],
  ['C18: a name in another case', { servicePrincipalNames: names }, { target: 'http/INTRANET' }, 'admitted'],
  [
    'C18: a name with the realm that Kerberos adds',
    { servicePrincipalNames: names },
    { target: 'HTTP/intranet@CORP.EXAMPLE' },
    'admitted',
  ],
  [
    'C18: a name with the port that browsers add',
    { servicePrincipalNames: names },
    { target: 'HTTP/intranet:8080' },
    'admitted',
  ],
  [
    'C18: the name of another service',
    { servicePrincipalNames: names },
    { target: 'HTTP/other' },
    'target-not-allowed',
  ],
  ['C18: part of a name', { servicePrincipalNames: names }, { target: 'HTTP/intranet.corp' }, 'target-not-allowed'],
  ['C18: no name', { servicePrincipalNames: names }, { target: '' }, 'target-not-allowed'],
  ['C18: a name that nobody can tell', { servicePrincipalNames: names }, {}, 'target-not-allowed'],
  ['G08: the bit required', { requiredAttributes: ASC_RET_INTEGRITY }, { attributes: ASC_RET_INTEGRITY }, 'admitted'],
  ['G08: the highest bit required', { requiredAttributes: highest }, { attributes: highest }, 'admitted'],
  ['G08: no bits', { requiredAttributes: ASC_RET_INTEGRITY }, {}, 'attributes-missing'],
  ['G08: another bit', { requiredAttributes: ASC_RET_INTEGRITY }, { attributes: 1 }, 'attributes-missing'],
  [
    'G08: one bit of two',
    { requiredAttributes: ASC_RET_INTEGRITY | ASC_RET_CONFIDENTIALITY },
    { attributes: ASC_RET_INTEGRITY },
    'attributes-missing',
  ],
  ['G08: a null session', {}, { attributes: Sspi.ASC_RET_NULL_SESSION }, 'attributes-missing'],
  ['C20: nobody', {}, { account: { isAnonymous: true } }, 'account-refused'],
  ['C22: the Guest account', {}, { account: { isGuest: true } }, 'account-refused'],
  ['A21: an account that is none', {}, { account: new Error() }, 'internal-error'],
];

describe('a context that stands', () => {
  for (const [what, restrictions, step, expected] of cases) {
    it(`${what}: ${expected}`, () => {
      const result = admission(restrictions, step);
      assert.equal(result.type === 'refused' ? result.reason : result.type, expected);
    });
  }

  it('is whose its package says, with what is known of it', () => {
    const expiry = new Date(2_000_000);
    const result = admission({ packages: ['Kerberos'] }, { attributes: ASC_RET_INTEGRITY, expiry });
    assert.ok(result.type === 'admitted');
    assert.deepEqual(
      { ...result.user },
      {
        name: 'LAB\\alice',
        userName: 'alice',
        domain: 'LAB',
        groups: [],
        package: 'Kerberos',
      },
    );
    assert.deepEqual(result.facts, {
      scheme: 'Negotiate',
      package: 'Kerberos',
      provider: 'scripted',
      attributes: ASC_RET_INTEGRITY,
      channelBound: false,
      expiry,
    });
  });
});
