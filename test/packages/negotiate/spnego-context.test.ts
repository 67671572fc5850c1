import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  NEG_STATE_ACCEPT_COMPLETED,
  NEG_STATE_ACCEPT_INCOMPLETE,
  NEG_STATE_REJECT,
  NEG_STATE_REQUEST_MIC,
  OID_KERBEROS,
  OID_KERBEROS_MICROSOFT,
  OID_KERBEROS_USER_TO_USER,
  OID_NEGOEX,
  OID_NTLM,
  OID_SPNEGO,
} from '../../../src/formats/spnego.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { vector } from '../../vectors/tokens.ts';
import { acceptor, assertRefused, outputToken, response } from './acceptor.ts';
import { initialToken, mechTypeList, negTokenInit, negTokenResp } from './client-tokens.ts';
import { clientMic, kerberosToken, ntlmToken, serverMic } from './inner-packages.ts';

const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex');
const from = (text: string): Buffer => Buffer.from(text, 'hex');
const both = ['Kerberos', 'NTLM'] as const;
const REJECT = 'a1073005a0030a0102';

describe('Kerberos in one leg', () => {
  for (const [name, oid] of [
    ['the standard', OID_KERBEROS],
    ['the Microsoft', OID_KERBEROS_MICROSOFT],
  ] as const) {
    it(`completes and echoes ${name} object identifier`, () => {
      const { leg, kerberos, assertNothingLeft } = acceptor(both);
      const result = leg(negTokenInit({ mechTypes: mechTypeList(oid, OID_NTLM), mechToken: kerberosToken('ok') }));
      assert.equal(result.status, Sspi.SEC_E_OK);
      const expected = oid === OID_KERBEROS ? 'spnego.resp.krb5.completed' : 'spnego.resp.mskrb5.completed';
      assert.equal(hex(outputToken(result)), hex(vector(expected)));
      assert.equal(result.attributes, Sspi.ASC_RET_INTEGRITY);
      assert.deepEqual(result.expiry, new Date(86_400_000));
      assert.deepEqual(kerberos.tokens, ['first:ok']);
      Sspi.deleteSecurityContext(result.context!);
      assertNothingLeft();
    });
  }

  it('sends the final token with SEC_E_OK, and the other buffers of the inner package behind it', () => {
    const { leg } = acceptor(both);
    const result = leg(negTokenInit({ mechTypes: mechTypeList(OID_KERBEROS), mechToken: kerberosToken('ok+reply') }));
    assert.equal(result.status, Sspi.SEC_E_OK);
    assert.deepEqual(response(result), {
      type: 'NegTokenResp',
      negState: NEG_STATE_ACCEPT_COMPLETED,
      supportedMech: OID_KERBEROS,
      responseToken: response(result).responseToken,
      mechListMic: undefined,
    });
    assert.equal(hex(response(result).responseToken), hex(kerberosToken('reply-to-ok+reply')));
    assert.deepEqual(
      result.output.map(({ type }) => type),
      [Sspi.SECBUFFER_TOKEN, Sspi.SECBUFFER_CHANNEL_BINDINGS_RESULT],
    );
    Sspi.deleteSecurityContext(result.context!);
  });

  it('takes the token of either identifier under either identifier', () => {
    const { leg } = acceptor(['Kerberos']);
    const mechToken = kerberosToken('ok', OID_KERBEROS_MICROSOFT);
    const result = leg(negTokenInit({ mechTypes: mechTypeList(OID_KERBEROS), mechToken }));
    assert.equal(result.status, Sspi.SEC_E_OK);
    Sspi.deleteSecurityContext(result.context!);
  });

  it('hands the channel bindings and the requirements on', () => {
    const { credential, kerberos } = acceptor(both);
    const bindings = { type: Sspi.SECBUFFER_CHANNEL_BINDINGS | Sspi.SECBUFFER_READONLY, data: new Uint8Array(32) };
    const token = negTokenInit({ mechTypes: mechTypeList(OID_KERBEROS), mechToken: kerberosToken('ok') });
    const requirements = Sspi.ASC_REQ_ALLOW_MISSING_BINDINGS | Sspi.ASC_REQ_CONNECTION;
    const result = Sspi.acceptSecurityContext({
      credential,
      context: undefined,
      input: [{ type: Sspi.SECBUFFER_TOKEN, data: token }, bindings],
      requirements,
      targetDataRep: Sspi.SECURITY_NATIVE_DREP,
    });
    assert.ok(!(result instanceof Promise));
    const [call] = kerberos.calls;
    assert.equal(call!.requirements, requirements);
    assert.equal(call!.targetDataRep, Sspi.SECURITY_NATIVE_DREP);
    assert.equal(call!.input.length, 2);
    assert.equal(hex(call!.input[0]!.data), hex(kerberosToken('ok')));
    assert.deepEqual(call!.input[1], bindings);
    Sspi.deleteSecurityContext(result.context!);
  });
});

describe('NTLM in two legs', () => {
  const mechTypes = mechTypeList(OID_NTLM, OID_KERBEROS);

  function begin(): { server: ReturnType<typeof acceptor>; context: Sspi.ContextHandle } {
    const server = acceptor(both);
    const first = server.leg(negTokenInit({ mechTypes, mechToken: ntlmToken('more') }));
    assert.equal(first.status, Sspi.SEC_I_CONTINUE_NEEDED);
    assert.equal(response(first).negState, NEG_STATE_ACCEPT_INCOMPLETE);
    assert.equal(response(first).supportedMech, OID_NTLM);
    assert.equal(hex(response(first).responseToken), hex(ntlmToken('reply-to-more')));
    return { server, context: first.context! };
  }

  it('runs what the client names first, whatever the server would rather have', () => {
    const { server } = begin();
    assert.deepEqual(server.kerberos.tokens, []);
    assert.deepEqual(server.ntlm.tokens, ['first:more']);
  });

  it('completes without a MIC where the client sent none', () => {
    const { server, context } = begin();
    const last = server.leg(negTokenResp({ responseToken: ntlmToken('ok') }), context);
    assert.equal(last.status, Sspi.SEC_E_OK);
    assert.equal(hex(outputToken(last)), 'a1073005a0030a0100');
    assert.equal(server.ntlm.resets, 0);
    Sspi.deleteSecurityContext(context);
    server.assertNothingLeft();
  });

  it('verifies the MIC of the client, answers it, and starts the cipher states anew', () => {
    const { server, context } = begin();
    const token = negTokenResp({ responseToken: ntlmToken('ok'), mechListMic: clientMic(mechTypes) });
    const last = server.leg(token, context);
    assert.equal(last.status, Sspi.SEC_E_OK);
    assert.equal(response(last).negState, NEG_STATE_ACCEPT_COMPLETED);
    assert.equal(response(last).supportedMech, undefined, 'only in the first reply');
    assert.equal(hex(response(last).mechListMic), hex(serverMic(mechTypes)));
    assert.equal(server.ntlm.resets, 1);
    Sspi.deleteSecurityContext(context);
  });

  const wrong: readonly (readonly [string, Uint8Array])[] = [
    ['one bit off', clientMic(mechTypes).map((byte, index) => (index === 0 ? byte ^ 1 : byte))],
    ['over another list: Kerberos was taken out of it', clientMic(mechTypeList(OID_KERBEROS, OID_NTLM))],
    ["the server's own", serverMic(mechTypes)],
    ['of a later message', clientMic(mechTypes, 1)],
    ['empty', new Uint8Array(0)],
    ['short', clientMic(mechTypes).subarray(1)],
  ];
  for (const [name, mechListMic] of wrong) {
    it(`refuses a MIC that is ${name} (B04)`, () => {
      const { server, context } = begin();
      const result = server.leg(negTokenResp({ responseToken: ntlmToken('ok'), mechListMic }), context);
      assertRefused(result, Sspi.SEC_E_INVALID_TOKEN);
      assert.equal(hex(outputToken(result)), REJECT);
      server.assertNothingLeft();
    });
  }

  it('refuses a MIC before the mechanism is done', () => {
    const { server, context } = begin();
    const token = negTokenResp({ responseToken: ntlmToken('more'), mechListMic: clientMic(mechTypes) });
    assertRefused(server.leg(token, context), Sspi.SEC_E_INVALID_TOKEN);
    server.assertNothingLeft();
  });

  it('goes on for as many legs as the mechanism needs', () => {
    const { server, context } = begin();
    assert.equal(
      server.leg(negTokenResp({ responseToken: ntlmToken('more') }), context).status,
      Sspi.SEC_I_CONTINUE_NEEDED,
    );
    assert.equal(server.leg(negTokenResp({ responseToken: ntlmToken('ok') }), context).status, Sspi.SEC_E_OK);
    assert.deepEqual(server.ntlm.tokens, ['first:more', 'later:more', 'later:ok']);
    Sspi.deleteSecurityContext(context);
  });

  it('is over after the last leg: a second last token finds nothing (A12)', () => {
    const { server, context } = begin();
    const last = negTokenResp({ responseToken: ntlmToken('ok') });
    assert.equal(server.leg(last, context).status, Sspi.SEC_E_OK);
    assertRefused(server.leg(last, context), Sspi.SEC_E_INVALID_TOKEN);
    assertRefused(server.leg(last, context), Sspi.SEC_E_INVALID_HANDLE);
    assert.deepEqual(server.ntlm.tokens, ['first:more', 'later:ok']);
    server.assertNothingLeft();
  });

  const seconds: readonly (readonly [string, Uint8Array, number])[] = [
    ['NegTokenInit again (B07)', negTokenInit({ mechTypes, mechToken: ntlmToken('ok') }), Sspi.SEC_E_INVALID_TOKEN],
    ['negState reject (B07)', negTokenResp({ negState: 2, responseToken: ntlmToken('ok') }), Sspi.SEC_E_INVALID_TOKEN],
    ['negState 99 (B07)', from('a1073005a0030a0163'), Sspi.SEC_E_INVALID_TOKEN],
    [
      'another supportedMech (B07)',
      negTokenResp({ supportedMech: OID_KERBEROS, responseToken: ntlmToken('ok') }),
      Sspi.SEC_E_INVALID_TOKEN,
    ],
    ['an empty NegTokenResp (B08)', from('a1023000'), Sspi.SEC_E_INVALID_TOKEN],
    ['no responseToken (B08)', negTokenResp({ negState: 1 }), Sspi.SEC_E_INVALID_TOKEN],
    ['an empty responseToken (B08)', negTokenResp({ responseToken: new Uint8Array(0) }), Sspi.SEC_E_INVALID_TOKEN],
    ['a MIC alone (B08)', negTokenResp({ mechListMic: clientMic(mechTypes) }), Sspi.SEC_E_INVALID_TOKEN],
    ['a raw NTLM message', ntlmToken('ok'), Sspi.SEC_E_INVALID_TOKEN],
    ['a raw Kerberos token', kerberosToken('ok'), Sspi.SEC_E_INVALID_TOKEN],
    ['no bytes', new Uint8Array(0), Sspi.SEC_E_INVALID_TOKEN],
    [
      'something behind it (A04)',
      Buffer.concat([negTokenResp({ responseToken: ntlmToken('ok') }), Buffer.alloc(1)]),
      Sspi.SEC_E_INVALID_TOKEN,
    ],
    [
      'NegTokenResp in an initial frame',
      initialToken(negTokenResp({ responseToken: ntlmToken('ok') })),
      Sspi.SEC_E_INVALID_TOKEN,
    ],
    ['a message the package denies', negTokenResp({ responseToken: ntlmToken('denied') }), Sspi.SEC_E_LOGON_DENIED],
    [
      'a message the package breaks on',
      negTokenResp({ responseToken: ntlmToken('throws') }),
      Sspi.SEC_E_INTERNAL_ERROR,
    ],
    [
      'SEC_I_COMPLETE_NEEDED of the package (G07)',
      negTokenResp({ responseToken: ntlmToken('complete') }),
      Sspi.SEC_E_INTERNAL_ERROR,
    ],
    [
      'SEC_E_INCOMPLETE_MESSAGE of the package (G07)',
      negTokenResp({ responseToken: ntlmToken('incomplete') }),
      Sspi.SEC_E_INTERNAL_ERROR,
    ],
  ];
  for (const [name, token, status] of seconds) {
    it(`refuses as the second token ${name}, and the context stays deleted (B11)`, () => {
      const { server, context } = begin();
      assertRefused(server.leg(token, context), status);
      assertRefused(server.leg(negTokenResp({ responseToken: ntlmToken('ok') }), context), Sspi.SEC_E_INVALID_HANDLE);
      assert.ok(!server.ntlm.tokens.includes('later:ok'));
      server.assertNothingLeft();
    });
  }

  it('refuses every prefix of the second token (A03)', () => {
    const token = negTokenResp({ responseToken: ntlmToken('ok'), mechListMic: clientMic(mechTypes) });
    for (let length = 0; length < token.byteLength; length++) {
      const { server, context } = begin();
      assertRefused(server.leg(token.subarray(0, length), context), Sspi.SEC_E_INVALID_TOKEN);
      assert.deepEqual(server.ntlm.tokens, ['first:more']);
      server.assertNothingLeft();
    }
  });
});

describe("the mechanism is not the client's first", () => {
  const mechTypes = mechTypeList(OID_NEGOEX, OID_NTLM);
  const optimistic = Buffer.from('NEGOEXTS and what follows');

  function begin(options: { integrity?: boolean } = {}): {
    server: ReturnType<typeof acceptor>;
    context: Sspi.ContextHandle;
  } {
    const server = acceptor(both, options);
    const first = server.leg(negTokenInit({ mechTypes, mechToken: optimistic, mechListMic: Buffer.from('of NEGOEX') }));
    assert.equal(first.status, Sspi.SEC_I_CONTINUE_NEEDED);
    assert.deepEqual(response(first), {
      type: 'NegTokenResp',
      negState: NEG_STATE_REQUEST_MIC,
      supportedMech: OID_NTLM,
      responseToken: undefined,
      mechListMic: undefined,
    });
    assert.deepEqual(server.ntlm.tokens, [], 'the optimistic token is discarded, NEGOEX not parsed (B09)');
    assert.equal(server.ntlm.made, 0);
    return { server, context: first.context! };
  }
  function beginNtlm(options: { integrity?: boolean } = {}): ReturnType<typeof begin> {
    const { server, context } = begin(options);
    const second = server.leg(negTokenResp({ negState: 3, responseToken: ntlmToken('more') }), context);
    assert.equal(second.status, Sspi.SEC_I_CONTINUE_NEEDED);
    assert.equal(response(second).negState, NEG_STATE_ACCEPT_INCOMPLETE);
    assert.equal(response(second).supportedMech, undefined);
    return { server, context };
  }

  it('asks for a MIC and completes with both', () => {
    const { server, context } = beginNtlm();
    const token = negTokenResp({ responseToken: ntlmToken('ok'), mechListMic: clientMic(mechTypes) });
    const last = server.leg(token, context);
    assert.equal(last.status, Sspi.SEC_E_OK);
    assert.equal(hex(response(last).mechListMic), hex(serverMic(mechTypes)));
    Sspi.deleteSecurityContext(context);
    server.assertNothingLeft();
  });

  it('refuses the last token of the client without its MIC (B05)', () => {
    const { server, context } = beginNtlm();
    const result = server.leg(negTokenResp({ responseToken: ntlmToken('ok') }), context);
    assertRefused(result, Sspi.SEC_E_INVALID_TOKEN);
    assert.match(result.diagnosis?.text ?? '', /mechListMIC is missing/);
    server.assertNothingLeft();
  });

  it('needs none where the mechanism has no integrity to make one (RFC 4178 section 5)', () => {
    const { server, context } = beginNtlm({ integrity: false });
    const last = server.leg(negTokenResp({ responseToken: ntlmToken('ok') }), context);
    assert.equal(last.status, Sspi.SEC_E_OK);
    assert.equal(last.attributes, 0);
    Sspi.deleteSecurityContext(context);
  });

  it('refuses a MIC that the mechanism cannot verify (B04)', () => {
    const { server, context } = beginNtlm({ integrity: false });
    const token = negTokenResp({ responseToken: ntlmToken('ok'), mechListMic: clientMic(mechTypes) });
    assertRefused(server.leg(token, context), Sspi.SEC_E_INVALID_TOKEN);
    server.assertNothingLeft();
  });

  it('sends its MIC with its own last token and waits for that of the client', () => {
    const list = mechTypeList(OID_NEGOEX, OID_KERBEROS_MICROSOFT, OID_KERBEROS);
    const server = acceptor(['Kerberos']);
    const { context } = server.leg(negTokenInit({ mechTypes: list, mechToken: optimistic }));
    const second = server.leg(negTokenResp({ responseToken: kerberosToken('ok+reply') }), context);
    assert.equal(second.status, Sspi.SEC_I_CONTINUE_NEEDED);
    assert.equal(second.attributes, undefined);
    assert.equal(response(second).negState, NEG_STATE_ACCEPT_INCOMPLETE);
    assert.equal(hex(response(second).mechListMic), hex(serverMic(list)));
    assert.equal(Sspi.querySecurityContextToken(context!).status, Sspi.SEC_E_INVALID_HANDLE, 'half open (B08)');
    const last = server.leg(negTokenResp({ mechListMic: clientMic(list) }), context);
    assert.equal(last.status, Sspi.SEC_E_OK);
    assert.equal(outputToken(last), undefined, 'nothing is left to say');
    assert.equal(last.attributes, Sspi.ASC_RET_INTEGRITY);
    assert.deepEqual(
      last.output.map(({ type }) => type),
      [Sspi.SECBUFFER_CHANNEL_BINDINGS_RESULT],
    );
    assert.equal(Sspi.querySecurityContextToken(context!).status, Sspi.SEC_E_OK);
    Sspi.deleteSecurityContext(context!);
    server.assertNothingLeft();
  });

  const lastMics: readonly (readonly [string, (list: Uint8Array) => Uint8Array])[] = [
    ['a wrong MIC (B04)', (list) => negTokenResp({ mechListMic: clientMic(list, 1) })],
    ['no MIC (B05)', () => negTokenResp({ negState: 0 })],
    ['nothing at all (B08)', () => from('a1023000')],
    ['one more token', (list) => negTokenResp({ responseToken: kerberosToken('ok'), mechListMic: clientMic(list) })],
  ];
  for (const [name, token] of lastMics) {
    it(`refuses ${name} where only the MIC of the client is missing`, () => {
      const list = mechTypeList(OID_NEGOEX, OID_KERBEROS);
      const server = acceptor(['Kerberos']);
      const { context } = server.leg(negTokenInit({ mechTypes: list, mechToken: optimistic }));
      server.leg(negTokenResp({ responseToken: kerberosToken('ok+reply') }), context);
      assertRefused(server.leg(token(list), context), Sspi.SEC_E_INVALID_TOKEN);
      server.assertNothingLeft();
    });
  }

  it('takes no token of another mechanism in place of the one it chose', () => {
    for (const token of [
      kerberosToken('ok'),
      Buffer.from('rubbish'),
      negTokenInit({ mechTypes, mechToken: ntlmToken('ok') }),
    ]) {
      const { server, context } = begin();
      assertRefused(server.leg(negTokenResp({ responseToken: token }), context), Sspi.SEC_E_INVALID_TOKEN);
      assert.deepEqual(server.kerberos.tokens.concat(server.ntlm.tokens), []);
      server.assertNothingLeft();
    }
  });
});

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
    const negHints = from('3009a0071b0568656c6c6f');
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
    for (const reqFlags of ['03020100', '030201fe', '03020780', '030100', '0305000000ffff'].map(from)) {
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
      assert.match(result.diagnosis?.text ?? '', /^the client offers .*; this server has /);
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
      negTokenInit({ mechTypes, mechToken: from('6e020500') }),
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

  it('a failure of the package is told in its own words inside of reject', () => {
    const server = acceptor(both);
    const result = server.leg(negTokenInit({ mechTypes, mechToken: kerberosToken('denied+reply') }));
    assertRefused(result, Sspi.SEC_E_LOGON_DENIED);
    assert.equal(response(result).negState, NEG_STATE_REJECT);
    assert.equal(hex(response(result).responseToken), hex(kerberosToken('reply-to-denied+reply')));
    assert.equal(result.diagnosis?.text, 'inner says no');
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
