/** SPNEGO around a mechanism that is done with the first token of the client: Kerberos. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NEG_STATE_ACCEPT_COMPLETED } from '../../../src/formats/spnego.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { vector } from '../../vectors/tokens.ts';
import { acceptor, both, hex, outputToken, response } from './acceptor.ts';
import { mechTypeList, negTokenInit } from './client-tokens.ts';
import { kerberosToken } from './inner-packages.ts';
import { OID_KERBEROS, OID_KERBEROS_MICROSOFT, OID_NTLM } from '../../../src/formats/object-identifiers.ts';

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
