/** What a client may begin with: NegTokenInit in all its forms, what is answered with reject, and what is refused. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NEG_STATE_ACCEPT_INCOMPLETE, NEG_STATE_REJECT } from '../../../src/formats/spnego.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { acceptor, assertRefused, both, hex, outputToken, REJECT, response } from './acceptor.ts';
import { fromHex, initialToken, mechTypeList, negTokenInit, negTokenResp } from './client-tokens.ts';
import { clientMic, kerberosToken, ntlmToken, serverMic } from './inner-packages.ts';
import {
  OID_KERBEROS,
  OID_KERBEROS_MICROSOFT,
  OID_KERBEROS_USER_TO_USER,
  OID_NEGOEX,
  OID_NTLM,
  OID_SPNEGO,
} from '../../../src/formats/object-identifiers.ts';

describe('first tokens', () => {
  it('without a token: names the mechanism and waits for its first token', () => {
    const server = acceptor(both);
    const { context, ...first } = server.leg(
      negTokenInit({ mechTypes: mechTypeList(OID_KERBEROS_MICROSOFT, OID_KERBEROS) }),
    );
    assert.equal(first.status, Sspi.SEC_I_CONTINUE_NEEDED);
    assert.equal(response({ ...first, context }).negState, NEG_STATE_ACCEPT_INCOMPLETE);
    assert.equal(response({ ...first, context }).supportedMech, OID_KERBEROS_MICROSOFT);
    const last = server.leg(negTokenResp({ responseToken: kerberosToken('ok') }), context);
    assert.equal(last.status, Sspi.SEC_E_OK);
    Sspi.deleteSecurityContext(context!);
    server.assertNothingLeft();
  });

  it('a token of another mechanism than the first of the list is discarded, never parsed as that (B10)', () => {
    const server = acceptor(both);
    const first = server.leg(
      negTokenInit({ mechTypes: mechTypeList(OID_KERBEROS, OID_NTLM), mechToken: ntlmToken('ok') }),
    );
    assert.equal(first.status, Sspi.SEC_I_CONTINUE_NEEDED);
    assert.equal(response(first).supportedMech, OID_KERBEROS);
    assert.equal(response(first).responseToken, undefined);
    assert.deepEqual(server.kerberos.tokens.concat(server.ntlm.tokens), []);
    const last = server.leg(negTokenResp({ responseToken: kerberosToken('ok') }), first.context);
    assert.equal(last.status, Sspi.SEC_E_OK);
    Sspi.deleteSecurityContext(first.context!);
  });

  it('so is a Kerberos token where NTLM is first (B10)', () => {
    const server = acceptor(both);
    const first = server.leg(
      negTokenInit({ mechTypes: mechTypeList(OID_NTLM, OID_KERBEROS), mechToken: kerberosToken('ok') }),
    );
    assert.equal(first.status, Sspi.SEC_I_CONTINUE_NEEDED);
    assert.equal(response(first).supportedMech, OID_NTLM);
    assert.deepEqual(server.kerberos.tokens.concat(server.ntlm.tokens), []);
    assert.equal(server.leg(negTokenResp({ responseToken: ntlmToken('ok') }), first.context).status, Sspi.SEC_E_OK);
    Sspi.deleteSecurityContext(first.context!);
    server.assertNothingLeft();
  });

  it('no token buffer at all is an invalid token on either leg (A01)', () => {
    const server = acceptor(both);
    const without = (context?: Sspi.ContextHandle): Sspi.AcceptSecurityContextResult => {
      const { credential } = server;
      const call = { input: [], requirements: Sspi.ASC_REQ_EXTENDED_ERROR, targetDataRep: Sspi.SECURITY_NATIVE_DREP };
      const result = Sspi.acceptSecurityContext({ credential, context, ...call });
      assert.ok(!(result instanceof Promise));
      return result;
    };
    assertRefused(without(), Sspi.SEC_E_INVALID_TOKEN);
    const { context } = server.leg(negTokenInit({ mechTypes: mechTypeList(OID_NTLM), mechToken: ntlmToken('more') }));
    assertRefused(without(context), Sspi.SEC_E_INVALID_TOKEN);
    server.assertNothingLeft();
  });

  it('a MIC with the only token verifies and is answered', () => {
    const mechTypes = mechTypeList(OID_KERBEROS);
    const server = acceptor(both);
    const token = { mechTypes, mechToken: kerberosToken('ok'), mechListMic: clientMic(mechTypes) };
    const result = server.leg(negTokenInit(token));
    assert.equal(result.status, Sspi.SEC_E_OK);
    assert.equal(hex(response(result).mechListMic), hex(serverMic(mechTypes)));
    Sspi.deleteSecurityContext(result.context!);
    const bad = { ...token, mechListMic: clientMic(mechTypeList(OID_KERBEROS, OID_NTLM)) };
    assertRefused(server.leg(negTokenInit(bad)), Sspi.SEC_E_INVALID_TOKEN);
    server.assertNothingLeft();
  });

  it('NegTokenInit2 of a client: hints have no effect, the MIC is in [4] (B12)', () => {
    const mechTypes = mechTypeList(OID_KERBEROS);
    const negHints = fromHex('3009a0071b0568656c6c6f');
    const server = acceptor(both);
    const fields = { mechTypes, mechToken: kerberosToken('ok'), negHints, micTag: 4 };
    const good = server.leg(negTokenInit({ ...fields, mechListMic: clientMic(mechTypes) }));
    assert.equal(good.status, Sspi.SEC_E_OK);
    Sspi.deleteSecurityContext(good.context!);
    assertRefused(
      server.leg(negTokenInit({ ...fields, mechListMic: clientMic(mechTypes, 1) })),
      Sspi.SEC_E_INVALID_TOKEN,
    );
    server.assertNothingLeft();
  });

  it('reqFlags have no effect at all (B06)', () => {
    const server = acceptor(both);
    for (const reqFlags of ['03020100', '030201fe', '03020780', '030100', '0305000000ffff'].map(fromHex)) {
      const result = server.leg(
        negTokenInit({ mechTypes: mechTypeList(OID_KERBEROS), reqFlags, mechToken: kerberosToken('ok') }),
      );
      assert.equal(result.status, Sspi.SEC_E_OK);
      assert.equal(result.attributes, Sspi.ASC_RET_INTEGRITY);
      Sspi.deleteSecurityContext(result.context!);
    }
    assert.ok(server.kerberos.calls.every(({ requirements }) => requirements === Sspi.ASC_REQ_EXTENDED_ERROR));
  });

  it('the MIC covers the list as received, an identifier twice included', () => {
    const mechTypes = mechTypeList(OID_KERBEROS, OID_KERBEROS, OID_NTLM, OID_KERBEROS);
    const server = acceptor(both);
    const result = server.leg(
      negTokenInit({ mechTypes, mechToken: kerberosToken('ok'), mechListMic: clientMic(mechTypes) }),
    );
    assert.equal(result.status, Sspi.SEC_E_OK);
    Sspi.deleteSecurityContext(result.context!);
  });

  const rejected: readonly (readonly [string, readonly ('Kerberos' | 'NTLM')[], Uint8Array])[] = [
    [
      'NTLM alone where only Kerberos is allowed (G11)',
      ['Kerberos'],
      negTokenInit({ mechTypes: mechTypeList(OID_NTLM), mechToken: ntlmToken('ok') }),
    ],
    [
      'Kerberos alone where only NTLM is allowed',
      ['NTLM'],
      negTokenInit({ mechTypes: mechTypeList(OID_KERBEROS), mechToken: kerberosToken('ok') }),
    ],
    [
      'NEGOEX alone (B09)',
      both,
      negTokenInit({ mechTypes: mechTypeList(OID_NEGOEX), mechToken: Buffer.from('NEGOEXTS') }),
    ],
    [
      'SPNEGO alone (B09)',
      both,
      negTokenInit({ mechTypes: mechTypeList(OID_SPNEGO), mechToken: initialToken(new Uint8Array(0)) }),
    ],
    [
      'user-to-user alone (D19)',
      both,
      negTokenInit({
        mechTypes: mechTypeList(OID_KERBEROS_USER_TO_USER),
        mechToken: kerberosToken('ok', OID_KERBEROS_USER_TO_USER),
      }),
    ],
    [
      'a mechanism nobody knows (B09)',
      both,
      negTokenInit({ mechTypes: mechTypeList('1.2.3.4'), mechToken: kerberosToken('ok') }),
    ],
  ];
  for (const [name, packages, token] of rejected) {
    it(`are answered with reject: ${name}`, () => {
      const server = acceptor(packages);
      const result = server.leg(token);
      assertRefused(result, Sspi.SEC_E_INVALID_TOKEN);
      assert.equal(hex(outputToken(result)), REJECT);
      assert.match(result.diagnosis?.text ?? '', /the client offers .*; this server has /);
      assert.deepEqual(server.kerberos.tokens.concat(server.ntlm.tokens), []);
    });
  }

  const mechTypes = mechTypeList(OID_KERBEROS);
  const refused: readonly (readonly [string, Uint8Array, number])[] = [
    ['no bytes (A01)', new Uint8Array(0), Sspi.SEC_E_INVALID_TOKEN],
    ['NegTokenResp (B07)', negTokenResp({ responseToken: kerberosToken('ok') }), Sspi.SEC_E_INVALID_TOKEN],
    [
      'NegTokenResp in an initial frame (B07)',
      initialToken(negTokenResp({ responseToken: kerberosToken('ok') })),
      Sspi.SEC_E_INVALID_TOKEN,
    ],
    ['an empty frame', initialToken(new Uint8Array(0)), Sspi.SEC_E_INVALID_TOKEN],
    [
      'SPNEGO inside SPNEGO (B09)',
      negTokenInit({ mechTypes, mechToken: negTokenInit({ mechTypes, mechToken: kerberosToken('ok') }) }),
      Sspi.SEC_E_INVALID_TOKEN,
    ],
    ['rubbish as the token', negTokenInit({ mechTypes, mechToken: Buffer.from('rubbish') }), Sspi.SEC_E_INVALID_TOKEN],
    [
      'a user-to-user token under the Kerberos identifier (D19)',
      negTokenInit({ mechTypes, mechToken: kerberosToken('ok', OID_KERBEROS_USER_TO_USER) }),
      Sspi.SEC_E_INVALID_TOKEN,
    ],
    [
      'an AP-REQ without its frame, as DCE style has it (D19)',
      negTokenInit({ mechTypes, mechToken: fromHex('6e020500') }),
      Sspi.SEC_E_INVALID_TOKEN,
    ],
    ['a MIC without a token', negTokenInit({ mechTypes, mechListMic: clientMic(mechTypes) }), Sspi.SEC_E_INVALID_TOKEN],
    ['NTLM 2 or any unknown signature', Buffer.from('NTLMSSQ\0ok'), Sspi.SEC_E_INVALID_TOKEN],
    [
      'something behind the frame (A04)',
      Buffer.concat([negTokenInit({ mechTypes, mechToken: kerberosToken('ok') }), Buffer.alloc(1)]),
      Sspi.SEC_E_INVALID_TOKEN,
    ],
    [
      'a token the package denies',
      negTokenInit({ mechTypes, mechToken: kerberosToken('denied') }),
      Sspi.SEC_E_LOGON_DENIED,
    ],
    [
      'a token the package breaks on',
      negTokenInit({ mechTypes, mechToken: kerberosToken('throws') }),
      Sspi.SEC_E_INTERNAL_ERROR,
    ],
    [
      'SEC_E_OK without a context of the package',
      negTokenInit({ mechTypes, mechToken: kerberosToken('yes-without') }),
      Sspi.SEC_E_INTERNAL_ERROR,
    ],
    [
      'SEC_I_COMPLETE_NEEDED of the package (G07)',
      negTokenInit({ mechTypes, mechToken: kerberosToken('complete') }),
      Sspi.SEC_E_INTERNAL_ERROR,
    ],
    [
      'SEC_E_INCOMPLETE_MESSAGE of the package (G07)',
      negTokenInit({ mechTypes, mechToken: kerberosToken('incomplete') }),
      Sspi.SEC_E_INTERNAL_ERROR,
    ],
  ];
  for (const [name, token, status] of refused) {
    it(`are refused: ${name}`, () => {
      const server = acceptor(both);
      assertRefused(server.leg(token), status);
      server.assertNothingLeft();
    });
  }

  it('SEC_E_OK without a context of the package is answered with reject', () => {
    const server = acceptor(both);
    const result = server.leg(negTokenInit({ mechTypes, mechToken: kerberosToken('yes-without') }));
    assert.equal(response(result).negState, NEG_STATE_REJECT);
    assert.deepEqual(result.diagnosis?.package, 'Kerberos');
  });

  it('a package that breaks on the MIC is answered with reject (A21)', () => {
    const server = acceptor(both, { breaks: true });
    const token = { mechTypes, mechToken: kerberosToken('ok'), mechListMic: clientMic(mechTypes) };
    const result = server.leg(negTokenInit(token));
    assertRefused(result, Sspi.SEC_E_INTERNAL_ERROR);
    assert.equal(response(result).negState, NEG_STATE_REJECT);
    server.assertNothingLeft();
  });

  it('a NegTokenResp without a handshake is told in the log: its first leg came over another connection', () => {
    const server = acceptor(both);
    const result = server.leg(negTokenResp({ responseToken: kerberosToken('ok') }));
    assertRefused(result, Sspi.SEC_E_INVALID_TOKEN);
    assert.match(result.diagnosis?.text ?? '', /on a connection without a handshake/);
    assert.equal(server.leg(fromHex('ff')).diagnosis, undefined);
  });

  it('a failure of the package is told in its own words inside of reject', () => {
    const server = acceptor(both);
    const result = server.leg(negTokenInit({ mechTypes, mechToken: kerberosToken('denied+reply') }));
    assertRefused(result, Sspi.SEC_E_LOGON_DENIED);
    assert.equal(response(result).negState, NEG_STATE_REJECT);
    assert.equal(hex(response(result).responseToken), hex(kerberosToken('reply-to-denied+reply')));
    assert.deepEqual(result.diagnosis, { text: 'inner says no', package: 'Kerberos' });
  });

  it('a failure is told to nobody where the caller does not want it (ASC_REQ_EXTENDED_ERROR)', () => {
    const { credential } = acceptor(['Kerberos']);
    for (const token of [
      negTokenInit({ mechTypes: mechTypeList(OID_NTLM) }),
      negTokenInit({ mechTypes, mechToken: kerberosToken('denied') }),
      negTokenInit({ mechTypes, mechToken: Buffer.from('rubbish') }),
    ]) {
      const result = Sspi.acceptSecurityContext({
        credential,
        context: undefined,
        input: [{ type: Sspi.SECBUFFER_TOKEN, data: token }],
        requirements: 0,
        targetDataRep: 0,
      });
      assert.ok(!(result instanceof Promise));
      assert.ok(result.status >= 0x80000000);
      assert.deepEqual(result.output, []);
    }
  });

  it('does not keep the bytes of the caller', () => {
    const server = acceptor(both);
    const list = mechTypeList(OID_NTLM);
    // A Buffer, whose slices are views.
    const token = Buffer.from(negTokenInit({ mechTypes: list, mechToken: ntlmToken('more') }));
    const { context } = server.leg(token);
    token.fill(0xff);
    const last = negTokenResp({ responseToken: ntlmToken('ok'), mechListMic: clientMic(list) });
    assert.equal(server.leg(last, context).status, Sspi.SEC_E_OK);
    Sspi.deleteSecurityContext(context!);
  });

  it('every prefix is refused and reaches no package (A03)', () => {
    const token = negTokenInit({ mechTypes, mechToken: kerberosToken('ok') });
    const server = acceptor(both);
    for (let length = 0; length < token.byteLength; length++) {
      assertRefused(server.leg(token.subarray(0, length)), Sspi.SEC_E_INVALID_TOKEN);
    }
    assert.deepEqual(server.kerberos.tokens, []);
  });
});
