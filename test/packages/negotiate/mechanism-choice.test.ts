/** The server runs another mechanism than the client's first: request-mic, and the mechListMIC of both sides. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NEG_STATE_ACCEPT_INCOMPLETE, NEG_STATE_REQUEST_MIC } from '../../../src/formats/spnego.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { acceptor, assertRefused, both, hex, outputToken, response } from './acceptor.ts';
import { fromHex, mechTypeList, negTokenInit, negTokenResp } from './client-tokens.ts';
import { clientMic, kerberosToken, ntlmToken, serverMic } from './inner-packages.ts';
import { OID_KERBEROS, OID_KERBEROS_MICROSOFT, OID_NEGOEX, OID_NTLM } from '../../../src/formats/object-identifiers.ts';

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
    for (const text of ['ok', 'ok+empty']) {
      const { server, context } = beginNtlm();
      const result = server.leg(negTokenResp({ responseToken: ntlmToken(text) }), context);
      assertRefused(result, Sspi.SEC_E_INVALID_TOKEN);
      assert.match(result.diagnosis?.text ?? '', /mechListMIC is missing/);
      server.assertNothingLeft();
    }
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
    assert.equal(server.kerberos.resets, 2, 'after each of the two MICs');
    const again = server.leg(negTokenResp({ mechListMic: clientMic(list, 1) }), context);
    assertRefused(again, Sspi.SEC_E_INVALID_TOKEN);
    server.assertNothingLeft();
  });

  const lastMics: readonly (readonly [string, (list: Uint8Array) => Uint8Array])[] = [
    ['a wrong MIC (B04)', (list) => negTokenResp({ mechListMic: clientMic(list, 1) })],
    ['no MIC (B05)', () => negTokenResp({ negState: 0 })],
    ['nothing at all (B08)', () => fromHex('a1023000')],
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
