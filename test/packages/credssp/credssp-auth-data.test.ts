/** Options of CredSSP that cannot be used, each with the option's name and a cure; and what its credential holds. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { credsspSettings } from '../../../src/packages/credssp/credssp-auth-data.ts';
import { credsspPackage } from '../../../src/packages/credssp/index.ts';
import { negotiatePackage } from '../../../src/packages/negotiate/index.ts';
import { ntlmPackage } from '../../../src/packages/ntlm/index.ts';
import { schannelPackage } from '../../../src/packages/schannel/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import type { PackageCredential, SecurityPackage } from '../../../src/sspi/index.ts';
import { credsspAuthData } from './credssp-server.ts';

const { schannel, negotiate } = credsspAuthData();
const acquire = async (authData: unknown, principal?: string): Promise<Sspi.CredentialHandle> =>
  await Sspi.acquireCredentialsHandle({ package: credsspPackage, credentialUse: 'inbound', principal, authData });

describe('authData of CredSSP', () => {
  for (const [name, authData, message] of [
    ['nothing', undefined, /"authData" is missing/],
    ['no Schannel', { negotiate }, /"authData\.schannel" is missing.*package Schannel/],
    ['no Negotiate', { schannel }, /"authData\.negotiate" is missing.*package Negotiate/],
    ['a name', { schannel: { package: 'Schannel' }, negotiate }, /"authData\.schannel\.package" is "Schannel".*itself/],
    ['another package', { schannel, negotiate: { package: ntlmPackage } }, /"authData\.negotiate\.package" is "NTLM"/],
    ['the packages the wrong way round', { schannel: negotiate, negotiate: schannel }, /Give the package Schannel/],
    ['null', { schannel: { package: null }, negotiate }, /"authData\.schannel\.package" is null/],
    ['a number', { schannel: { package: 7 }, negotiate }, /"authData\.schannel\.package" is 7/],
    ['an object', { schannel: { package: {} }, negotiate }, /"authData\.schannel\.package" is a value of type object/],
    ['a package without a name', { schannel: { package: { acquireCredentials: () => 0 } }, negotiate }, /has no name/],
    [
      'a certificate that is missing',
      { schannel: { package: schannelPackage, authData: {} }, negotiate },
      /"authData\.schannel\.authData\.cert" is missing/,
    ],
    [
      'no packages',
      { schannel, negotiate: { package: negotiatePackage, authData: { packages: [] } } },
      /"authData\.negotiate\.authData\.packages" has no package/,
    ],
    ['F01: a version that there is not', { schannel, negotiate, minVersion: 1 }, /"authData\.minVersion" is 1/],
    ['F01: versions the wrong way round', { schannel, negotiate, minVersion: 6, maxVersion: 5 }, /above maxVersion/],
    ['an option that is none', { schannel, negotiate, delegate: true }, /"authData\.delegate" is not an option/],
    ['a word for a flag', { schannel, negotiate, delegation: 'yes' }, /"authData\.delegation" is "yes"/],
  ] as const) {
    it(`${name} is an error with a cure`, async () => {
      await assert.rejects(acquire(authData), (error: Error) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /PRIVATE/);
        return true;
      });
    });
  }

  it('F01: the defaults are versions 5 and 6, no delegation, and restricted administration', () => {
    const { delegation, restrictedAdmin, minVersion, maxVersion } = credsspSettings({ schannel, negotiate });
    assert.deepEqual([delegation, restrictedAdmin, minVersion, maxVersion], [false, true, 5, 6]);
  });

  it('the principal is for Negotiate alone', async () => {
    const seen: (string | undefined)[] = [];
    const watched = (inner: SecurityPackage): SecurityPackage => ({
      info: inner.info,
      acquireCredentials(parameters) {
        seen.push(parameters.principal);
        return inner.acquireCredentials(parameters);
      },
    });
    const credential = await acquire(
      {
        schannel: { ...schannel, package: watched(schannelPackage) },
        negotiate: { ...negotiate, package: watched(negotiatePackage) },
      },
      'TERMSRV/web.lab.test',
    );
    assert.deepEqual(seen, [undefined, 'TERMSRV/web.lab.test']);
    Sspi.freeCredentialsHandle(credential);
  });

  it('credentials inside are freed once: with it, and where one of them cannot be had', async () => {
    const freed: string[] = [];
    const scripted = (name: string, fails = false, expiry?: Date): SecurityPackage => ({
      info: { ...schannelPackage.info, name },
      acquireCredentials(): PackageCredential {
        if (fails) throw new Error('no credential');
        return { accept: () => ({ status: Sspi.SEC_E_INTERNAL_ERROR }), free: () => void freed.push(name), expiry };
      },
    });
    const pair = (first: SecurityPackage, second: SecurityPackage) => ({
      schannel: { package: first },
      negotiate: { package: second },
    });
    const credential = await acquire(pair(scripted('Schannel'), scripted('Negotiate')));
    Sspi.freeCredentialsHandle(credential);
    assert.deepEqual(freed.splice(0), ['Schannel', 'Negotiate']);
    await assert.rejects(acquire(pair(scripted('Schannel'), scripted('Negotiate', true))), /no credential/);
    assert.deepEqual(freed.splice(0), ['Schannel']);
    await assert.rejects(acquire(pair(scripted('Schannel', true), scripted('Negotiate'))), /no credential/);
    assert.deepEqual(freed, []);
  });

  it('it ends with the first of both', async () => {
    const ends = (time: number | undefined) => ({
      accept: () => ({ status: Sspi.SEC_E_INTERNAL_ERROR }),
      free: () => undefined,
      expiry: time === undefined ? undefined : new Date(time),
    });
    const given = (name: string, time: number | undefined): SecurityPackage => ({
      info: { ...schannelPackage.info, name },
      acquireCredentials: () => ends(time),
    });
    for (const [first, second, wanted] of [
      [2000, 1000, 1000],
      [1000, 2000, 1000],
      [undefined, 3000, 3000],
      [undefined, undefined, undefined],
    ] as const) {
      const credential = await credsspPackage.acquireCredentials({
        credentialUse: 'inbound',
        principal: undefined,
        authData: {
          schannel: { package: given('Schannel', first) },
          negotiate: { package: given('NEGOTIATE', second) },
        },
      });
      assert.equal(credential.expiry?.getTime(), wanted);
    }
  });

  it('a freed one gives SEC_E_NO_CREDENTIALS', async () => {
    const credential = await acquire({ schannel, negotiate });
    Sspi.freeCredentialsHandle(credential);
    const { status } = await Sspi.acceptSecurityContext({
      ...{ credential, context: undefined, input: [], requirements: 0, targetDataRep: 0 },
    });
    assert.equal(Sspi.statusName(status), 'SEC_E_NO_CREDENTIALS');
  });
});
