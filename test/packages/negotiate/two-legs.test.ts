/** SPNEGO around a mechanism of several tokens that is the client's first: NTLM, its MIC, and what may not come second. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NEG_STATE_ACCEPT_COMPLETED, NEG_STATE_ACCEPT_INCOMPLETE } from '../../../src/formats/spnego.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { acceptor, assertRefused, both, hex, outputToken, REJECT, response } from './acceptor.ts';
import { fromHex, initialToken, mechTypeList, negTokenInit, negTokenResp } from './client-tokens.ts';
import { clientMic, kerberosToken, ntlmToken, serverMic } from './inner-packages.ts';
import { OID_KERBEROS, OID_NTLM } from '../../../src/formats/object-identifiers.ts';

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

  it('takes a client that says once more which mechanism runs', () => {
    const { server, context } = begin();
    const last = server.leg(negTokenResp({ supportedMech: OID_NTLM, responseToken: ntlmToken('ok') }), context);
    assert.equal(last.status, Sspi.SEC_E_OK);
    Sspi.deleteSecurityContext(context);
  });

  it('says what came of the channel bindings where there is no last token, and sends no token of no bytes', () => {
    for (const [text, types] of [
      ['ok', [Sspi.SECBUFFER_TOKEN, Sspi.SECBUFFER_CHANNEL_BINDINGS_RESULT]],
      ['ok+empty', [Sspi.SECBUFFER_TOKEN]],
    ] as const) {
      const { server, context } = begin();
      const last = server.leg(negTokenResp({ responseToken: ntlmToken(text) }), context);
      assert.equal(last.status, Sspi.SEC_E_OK);
      assert.equal(response(last).responseToken, undefined);
      assert.deepEqual(
        last.output.map(({ type }) => type),
        types,
      );
      Sspi.deleteSecurityContext(context);
    }
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

  it('stands only with a MIC of its own: what cannot make one answers no MIC', () => {
    const server = acceptor(both, { signs: false });
    const { context } = server.leg(negTokenInit({ mechTypes, mechToken: ntlmToken('more') }));
    const token = negTokenResp({ responseToken: ntlmToken('ok'), mechListMic: clientMic(mechTypes) });
    assertRefused(server.leg(token, context), Sspi.SEC_E_INTERNAL_ERROR);
    server.assertNothingLeft();
  });

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
    ['negState 99 (B07)', fromHex('a1073005a0030a0163'), Sspi.SEC_E_INVALID_TOKEN],
    [
      'another supportedMech (B07)',
      negTokenResp({ supportedMech: OID_KERBEROS, responseToken: ntlmToken('ok') }),
      Sspi.SEC_E_INVALID_TOKEN,
    ],
    ['an empty NegTokenResp (B08)', fromHex('a1023000'), Sspi.SEC_E_INVALID_TOKEN],
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
