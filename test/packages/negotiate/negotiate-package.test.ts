import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OptionError } from '../../../src/foundation/errors.ts';
import { ntlmPackage } from '../../../src/packages/ntlm/index.ts';
import { negotiatePackage } from '../../../src/packages/negotiate/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { vector } from '../../vectors/tokens.ts';
import { acceptor, assertRefused, both, hex, outputToken, response } from './acceptor.ts';
import { mechTypeList, negTokenInit, negTokenResp } from './client-tokens.ts';
import { clientMic, innerPackage, kerberosToken, newJournal, ntlmToken, serverMic } from './inner-packages.ts';
import { OID_KERBEROS, OID_NEGOEX, OID_NTLM } from '../../../src/formats/object-identifiers.ts';
import { decryptNow, encryptNow } from '../../sspi/messages-now.ts';

describe('raw tokens under Negotiate', () => {
  it('NTLM is answered in kind, leg by leg', () => {
    const server = acceptor(both);
    const first = server.leg(ntlmToken('more'));
    assert.equal(first.status, Sspi.SEC_I_CONTINUE_NEEDED);
    assert.equal(hex(outputToken(first)), hex(ntlmToken('reply-to-more')));
    const last = server.leg(ntlmToken('ok'), first.context);
    assert.equal(last.status, Sspi.SEC_E_OK);
    assert.equal(outputToken(last), undefined);
    assert.equal(last.attributes, Sspi.ASC_RET_INTEGRITY);
    const answer = Sspi.queryContextAttributes(first.context!, Sspi.SECPKG_ATTR_NEGOTIATION_INFO);
    assert.equal(answer.value?.package.name, 'NTLM');
    assertRefused(server.leg(ntlmToken('ok'), first.context), Sspi.SEC_E_INVALID_TOKEN);
    assert.deepEqual(server.ntlm.tokens, ['first:more', 'later:ok'], 'a second last token reaches nobody (A12)');
    server.assertNothingLeft();
  });

  it('Kerberos is answered in kind, in one leg', () => {
    const server = acceptor(both);
    const result = server.leg(kerberosToken('ok+reply'));
    assert.equal(result.status, Sspi.SEC_E_OK);
    assert.equal(hex(outputToken(result)), hex(kerberosToken('reply-to-ok+reply')));
    assert.equal(result.output.length, 2);
    assertRefused(server.leg(kerberosToken('ok'), result.context), Sspi.SEC_E_INVALID_TOKEN);
    assert.deepEqual(server.kerberos.tokens, ['first:ok+reply'], 'a second token reaches nobody (A12)');
    server.assertNothingLeft();
  });

  it('of a mechanism that is not allowed are refused and reach nobody (G11)', () => {
    const kerberosOnly = acceptor(['Kerberos']);
    for (const token of [ntlmToken('ok'), vector('sample.ntlm_negotiate'), vector('sample.negotiate.rawNtlmType1')]) {
      const result = kerberosOnly.leg(token);
      assertRefused(result, Sspi.SEC_E_INVALID_TOKEN);
      assert.equal(outputToken(result), undefined);
      assert.match(result.diagnosis?.text ?? '', /^find out why the client could not get a ticket: .*: the client offers NTLM; this server has Kerberos$/);
    }
    const ntlmOnly = acceptor(['NTLM']);
    assertRefused(ntlmOnly.leg(kerberosToken('ok')), Sspi.SEC_E_INVALID_TOKEN);
    assert.deepEqual([...kerberosOnly.kerberos.tokens, ...kerberosOnly.ntlm.tokens, ...ntlmOnly.ntlm.tokens], []);
  });

  const refused: readonly (readonly [string, Uint8Array, number])[] = [
    ['denied', ntlmToken('denied'), Sspi.SEC_E_LOGON_DENIED],
    ['broken', ntlmToken('throws'), Sspi.SEC_E_INTERNAL_ERROR],
    ['SEC_E_OK without a context', ntlmToken('yes-without'), Sspi.SEC_E_INTERNAL_ERROR],
    ['SEC_I_COMPLETE_NEEDED (G07)', ntlmToken('complete'), Sspi.SEC_E_INTERNAL_ERROR],
    ['SEC_E_INCOMPLETE_MESSAGE (G07)', ntlmToken('incomplete'), Sspi.SEC_E_INTERNAL_ERROR],
  ];
  for (const [name, token, status] of refused) {
    it(`are refused on either leg: ${name}`, () => {
      const server = acceptor(both);
      assertRefused(server.leg(token), status);
      // Later the context is there already.
      if (status === Sspi.SEC_E_INTERNAL_ERROR && name.includes('without')) return;
      const { context } = server.leg(ntlmToken('more'));
      const later = server.leg(token, context);
      assertRefused(later, status);
      if (status === Sspi.SEC_E_LOGON_DENIED) {
        assert.deepEqual(later.diagnosis, { text: 'inner says no', package: 'NTLM' });
      }
      server.assertNothingLeft();
    });
  }
});

describe('an established context', () => {
  function established(): { context: Sspi.ContextHandle } {
    const server = acceptor(both);
    const { context } = server.leg(
      negTokenInit({ mechTypes: mechTypeList(OID_KERBEROS), mechToken: kerberosToken('ok') }),
    );
    return { context: context! };
  }

  it('tells the package that really ran, and hands every other question on (G11)', () => {
    const { context } = established();
    const negotiation = Sspi.queryContextAttributes(context, Sspi.SECPKG_ATTR_NEGOTIATION_INFO);
    assert.equal(negotiation.value?.package.comment, 'inner Kerberos');
    assert.equal(negotiation.value?.state, Sspi.SECPKG_NEGOTIATION_COMPLETE);
    assert.equal(Sspi.queryContextAttributes(context, Sspi.SECPKG_ATTR_NAMES).value, 'user of Kerberos');
    assert.equal(Sspi.queryContextAttributes(context, Sspi.SECPKG_ATTR_SIZES).status, Sspi.SEC_E_UNSUPPORTED_FUNCTION);
    assert.equal(Sspi.querySecurityContextToken(context).value?.userName, 'user');
    assert.equal(Sspi.outlivesHandshake(context), true);
    assert.equal(Sspi.queryDelegatedCredentials(context).value?.credentialCache, 'MEMORY:Kerberos');
    assert.equal(Sspi.impersonateSecurityContext(context), Sspi.SEC_E_NO_IMPERSONATION);
    assert.equal(Sspi.revertSecurityContext(context), Sspi.SEC_E_OK);
    Sspi.deleteSecurityContext(context);
  });

  it('protects messages with the inner context', () => {
    const { context } = established();
    const data = Buffer.from('message');
    const message = [{ type: Sspi.SECBUFFER_DATA, data }];
    const signature = Sspi.makeSignature(context, message);
    assert.equal(hex(signature.value?.[0]?.data), hex(serverMic(data)));
    const received = [...message, { type: Sspi.SECBUFFER_TOKEN, data: clientMic(data) }];
    assert.equal(Sspi.verifySignature(context, received).status, Sspi.SEC_E_OK);
    assert.equal(Sspi.verifySignature(context, received).status, Sspi.SEC_E_MESSAGE_ALTERED, 'sequence numbers go on');
    assert.deepEqual(encryptNow(context, message).value, message);
    assert.deepEqual(decryptNow(context, message).value, message);
    Sspi.deleteSecurityContext(context);
  });

  it('is nobody before it stands (B08)', () => {
    const server = acceptor(both);
    const { context } = server.leg(negTokenInit({ mechTypes: mechTypeList(OID_NEGOEX, OID_NTLM) }));
    assert.equal(
      Sspi.queryContextAttributes(context!, Sspi.SECPKG_ATTR_NEGOTIATION_INFO).status,
      Sspi.SEC_E_INVALID_HANDLE,
    );
    assert.equal(Sspi.querySecurityContextToken(context!).status, Sspi.SEC_E_INVALID_HANDLE);
    assert.equal(Sspi.makeSignature(context!, []).status, Sspi.SEC_E_INVALID_HANDLE);
    assert.equal(Sspi.impersonateSecurityContext(context!), Sspi.SEC_E_INVALID_HANDLE);
    assert.equal(Sspi.outlivesHandshake(context!), false);
    assert.equal(Sspi.deleteSecurityContext(context!), Sspi.SEC_E_OK);
    server.assertNothingLeft();
  });

  it('has no message protection and no impersonation where the inner package has none', () => {
    const bare: Sspi.SecurityPackage = {
      info: { ...negotiatePackage.info, name: 'Kerberos' },
      acquireCredentials: () => ({
        accept: () => ({
          status: Sspi.SEC_E_OK,
          context: {
            accept: () => ({ status: Sspi.SEC_E_INTERNAL_ERROR }),
            queryAttribute: () => ({ status: Sspi.SEC_E_UNSUPPORTED_FUNCTION }),
            queryToken: () => ({ status: Sspi.SEC_E_UNSUPPORTED_FUNCTION }),
            delete: () => undefined,
          },
        }),
        free: () => undefined,
      }),
    };
    const credential = Sspi.acquireCredentialsHandle({
      package: negotiatePackage,
      credentialUse: 'inbound',
      authData: { packages: [{ package: bare }] },
    });
    assert.ok(!(credential instanceof Promise));
    const result = Sspi.acceptSecurityContext({
      credential,
      context: undefined,
      input: [{ type: Sspi.SECBUFFER_TOKEN, data: kerberosToken('ok') }],
      requirements: 0,
      targetDataRep: 0,
    });
    assert.ok(!(result instanceof Promise) && result.context !== undefined);
    const { context } = result;
    for (const protect of [Sspi.makeSignature, Sspi.verifySignature, encryptNow, decryptNow]) {
      assert.equal(protect(context, []).status, Sspi.SEC_E_UNSUPPORTED_FUNCTION);
    }
    assert.equal(Sspi.impersonateSecurityContext(context), Sspi.SEC_E_UNSUPPORTED_FUNCTION);
    assert.equal(Sspi.revertSecurityContext(context), Sspi.SEC_E_UNSUPPORTED_FUNCTION);
    assert.equal(Sspi.outlivesHandshake(context), false);
    assert.equal(Sspi.queryDelegatedCredentials(context).status, Sspi.SEC_E_NO_CREDENTIALS);
    Sspi.deleteSecurityContext(context);
  });
});

describe('inner packages that answer later', () => {
  async function later(): Promise<{
    leg: (token: Uint8Array, context?: Sspi.ContextHandle) => Promise<Sspi.AcceptSecurityContextResult>;
    journal: ReturnType<typeof newJournal>;
    credential: Sspi.CredentialHandle;
  }> {
    const journal = newJournal();
    const credential = await Sspi.acquireCredentialsHandle({
      package: negotiatePackage,
      credentialUse: 'inbound',
      authData: { packages: [{ package: innerPackage('NTLM', journal, { asynchronous: true }) }] },
    });
    return {
      journal,
      credential,
      leg: async (token, context) =>
        Sspi.acceptSecurityContext({
          credential,
          context,
          input: [{ type: Sspi.SECBUFFER_TOKEN, data: token }],
          requirements: 0,
          targetDataRep: 0,
        }),
    };
  }
  const mechTypes = mechTypeList(OID_NTLM);

  it('give the same answers, as promises', async () => {
    const { leg, journal } = await later();
    const first = await leg(negTokenInit({ mechTypes, mechToken: ntlmToken('more') }));
    assert.equal(first.status, Sspi.SEC_I_CONTINUE_NEEDED);
    const last = await leg(
      negTokenResp({ responseToken: ntlmToken('ok'), mechListMic: clientMic(mechTypes) }),
      first.context,
    );
    assert.equal(last.status, Sspi.SEC_E_OK);
    assert.equal(hex(response(last).mechListMic), hex(serverMic(mechTypes)));
    Sspi.deleteSecurityContext(first.context!);
    const refused = await leg(
      negTokenInit({ mechTypes, mechToken: ntlmToken('ok'), mechListMic: clientMic(mechTypes, 1) }),
    );
    assertRefused(refused, Sspi.SEC_E_INVALID_TOKEN);
    assert.equal(journal.deleted, journal.made);
  });

  it('A12: the caller may overwrite its buffer meanwhile, the MIC included', async () => {
    const { leg } = await later();
    const first = await leg(negTokenInit({ mechTypes, mechToken: ntlmToken('more') }));
    // A Buffer, whose slices are views.
    const token = Buffer.from(negTokenResp({ responseToken: ntlmToken('ok'), mechListMic: clientMic(mechTypes) }));
    const last = leg(token, first.context);
    token.fill(0xff);
    assert.equal((await last).status, Sspi.SEC_E_OK);
    Sspi.deleteSecurityContext(first.context!);
  });

  it('are never called twice at once, and deletion waits for them', async () => {
    const { leg, journal } = await later();
    const { context } = await leg(negTokenInit({ mechTypes, mechToken: ntlmToken('more') }));
    const last = negTokenResp({ responseToken: ntlmToken('ok') });
    const running = leg(last, context);
    assertRefused(await leg(last, context), Sspi.SEC_E_INVALID_HANDLE);
    assert.equal(Sspi.deleteSecurityContext(context!), Sspi.SEC_E_OK);
    assert.equal(journal.deleted, 0);
    assertRefused(await running, Sspi.SEC_E_UNFINISHED_CONTEXT_DELETED);
    assert.equal(journal.deleted, 1);
    assert.deepEqual(journal.tokens, ['first:more', 'later:ok']);
  });

  it('free their credentials once', async () => {
    const { credential, journal } = await later();
    assert.equal(Sspi.freeCredentialsHandle(credential), Sspi.SEC_E_OK);
    assert.equal(Sspi.freeCredentialsHandle(credential), Sspi.SEC_E_INVALID_HANDLE);
    assert.equal(journal.freed, 1);
  });
});

describe('authData of Negotiate', () => {
  const acquire = (authData: unknown): Sspi.CredentialHandle | Promise<Sspi.CredentialHandle> =>
    Sspi.acquireCredentialsHandle({ package: negotiatePackage, credentialUse: 'inbound', authData });
  const kerberos = innerPackage('Kerberos', newJournal());

  const unusable: readonly (readonly [string, unknown, RegExp])[] = [
    ['nothing', undefined, /"authData" is missing/],
    ['null', null, /"authData" is null/],
    ['no packages', {}, /"authData\.packages" is missing/],
    ['a misspelt name', { package: [{ package: kerberos }] }, /Write "authData\.packages"/],
    ['an empty list', { packages: [] }, /has no package/],
    ['a name', { packages: ['Kerberos'] }, /"authData\.packages\[0\]" is "Kerberos"\. Give an object/],
    ['a null entry', { packages: [null] }, /"authData\.packages\[0\]" is null/],
    ['the name in place of the package', { packages: [{ package: 'NTLM' }] }, /Give the package itself, not its name/],
    [
      'a misspelt authData',
      { packages: [{ package: kerberos, authdata: {} }] },
      /Write "authData\.packages\[0\]\.authData"/,
    ],
    [
      'a misspelt option of an inner package',
      { packages: [{ package: ntlmPackage, authData: { requiremic: true } }] },
      /Write "authData\.packages\[0\]\.authData\.requireMic"/,
    ],
    [
      'something without acquireCredentials',
      { packages: [{ package: { info: kerberos.info } }] },
      /Give the package itself/,
    ],
    [
      'a package without a name',
      { packages: [{ package: { ...kerberos, info: {} } }] },
      /"authData\.packages\[0\]\.package" has no name/,
    ],
    ['Negotiate itself (B09)', { packages: [{ package: negotiatePackage }] }, /is "Negotiate"/],
    ['Digest', { packages: [{ package: innerPackage('Digest', newJournal()) }] }, /is "Digest"/],
    ['a package twice', { packages: [{ package: kerberos }, { package: kerberos }] }, /is Kerberos again/],
  ];
  for (const [name, authData, message] of unusable) {
    it(`cannot be ${name}`, () => {
      assert.throws(
        () => acquire(authData),
        (error) => error instanceof OptionError && message.test(error.message),
      );
    });
  }

  it('reaches each package with its own authData and the principal', () => {
    const seen: unknown[] = [];
    const recording = (name: string): Sspi.SecurityPackage => ({
      ...innerPackage(name, newJournal()),
      acquireCredentials(parameters) {
        seen.push(parameters);
        return {
          expiry: new Date(name === 'NTLM' ? 1000 : 2000),
          accept: () => ({ status: 1 }),
          free: () => undefined,
        };
      },
    });
    const packages = [
      { package: recording('Kerberos'), authData: { keytab: '/x' } },
      { package: recording('NTLM'), authData: { accounts: 1 } },
    ];
    const parameters = { credentialUse: 'inbound', principal: 'HTTP/web' } as const;
    const credential = negotiatePackage.acquireCredentials({ ...parameters, authData: { packages } });
    assert.ok(!(credential instanceof Promise));
    assert.deepEqual(seen, [
      { ...parameters, authData: { keytab: '/x' } },
      { ...parameters, authData: { accounts: 1 } },
    ]);
    assert.deepEqual(credential.expiry, new Date(1000), 'the first to end');
    const endless = negotiatePackage.acquireCredentials({
      ...parameters,
      authData: { packages: [{ package: kerberos }] },
    });
    assert.ok(!(endless instanceof Promise));
    assert.equal(endless.expiry, undefined);
  });

  it('frees what was acquired when one package has no credential', async () => {
    const broken = (asynchronous: boolean): Sspi.SecurityPackage => ({
      ...innerPackage('NTLM', newJournal()),
      acquireCredentials() {
        const error = new Error('no accounts');
        if (!asynchronous) throw error;
        return Promise.reject(error);
      },
    });
    for (const first of [false, true]) {
      for (const second of [false, true]) {
        const journal = newJournal();
        const packages = [
          { package: innerPackage('Kerberos', journal, { asynchronous: first }) },
          { package: broken(second) },
        ];
        await assert.rejects(async () => acquire({ packages }), /no accounts/);
        assert.equal(journal.freed, 1, `${first} ${second}`);
      }
    }
  });

  it('describes itself', () => {
    const { name, capabilities, version, rpcId, maxToken } = negotiatePackage.info;
    // INTEGRITY, PRIVACY, CONNECTION, EXTENDED_ERROR, GSS_COMPATIBLE and MUTUAL_AUTH.
    assert.deepEqual([name, capabilities, version, rpcId, maxToken], ['Negotiate', 0x11093, 1, 9, 65_791]);
  });
});
