/** What GSSAPI says, in the statuses and attributes of the contract: nothing but a clean yes is one (G07). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  applicationTag,
  contextTag,
  DER_SEQUENCE,
  derElement,
  derInteger,
  derObjectIdentifier,
} from '../../../../src/formats/der.ts';
import { OID_KERBEROS } from '../../../../src/formats/object-identifiers.ts';
import { bindingsResult, contextAttributes } from '../../../../src/kerberos/accept-results.ts';
import * as Gss from '../../../../src/native/gssapi/call/gss-status.ts';
import * as Sspi from '../../../../src/sspi/index.ts';

const numRuns = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000);
const routine = (error: number): number => error << 16;

describe('a refusal of gss_accept_sec_context', () => {
  it('never is a status that keeps a context, whatever the codes (G07)', () => {
    const codes = fc.integer({ min: -0x80000000, max: 0xffffffff });
    fc.assert(
      fc.property(codes, codes, (major, minor) => {
        assert.ok(!Sspi.keepsContext(Gss.acceptFailure(major, minor)));
        assert.ok(!Sspi.keepsContext(Gss.acceptFailure(major, 0)));
      }),
      { numRuns },
    );
    for (const major of [0, 1, 2, 4]) assert.equal(Gss.acceptFailure(major, 0), Sspi.SEC_E_LOGON_DENIED);
  });

  const cases: readonly (readonly [string, number, number, number])[] = [
    ['wrong channel bindings', routine(4), 0, Sspi.SEC_E_BAD_BINDINGS],
    ['a defective token', routine(9), Gss.KRB_AP_ERR_SKEW, Sspi.SEC_E_INVALID_TOKEN],
    ['no reason at all', routine(13), 0, Sspi.SEC_E_LOGON_DENIED],
    ['a reason that nobody knows', routine(13), 5, Sspi.SEC_E_LOGON_DENIED],
    ['a ticket that was altered', routine(13), Gss.KRB_AP_ERR_BAD_INTEGRITY, Sspi.SEC_E_LOGON_DENIED],
    ['a ticket that has expired', routine(13), Gss.KRB_AP_ERR_TKT_EXPIRED, Sspi.SEC_E_CONTEXT_EXPIRED],
    ['a ticket that is not valid yet', routine(13), Gss.KRB_AP_ERR_TKT_NYV, Sspi.SEC_E_TIME_SKEW],
    ['a replay', routine(13), Gss.KRB_AP_ERR_REPEAT, Sspi.SEC_E_LOGON_DENIED],
    ['another service', routine(13), Gss.KRB_AP_ERR_NOT_US, Sspi.SEC_E_WRONG_PRINCIPAL],
    ['a clock that is off', routine(13), Gss.KRB_AP_ERR_SKEW, Sspi.SEC_E_TIME_SKEW],
    ['a key of another version', routine(13), Gss.KRB_AP_ERR_BADKEYVER, Sspi.SEC_E_NO_KERB_KEY],
    ['no key', routine(13), Gss.KRB_AP_ERR_NOKEY, Sspi.SEC_E_NO_KERB_KEY],
    ['no key in the keytab', routine(13), Gss.KRB5_KT_NOTFOUND, Sspi.SEC_E_NO_KERB_KEY],
    ['no version of the key in the keytab', routine(13), Gss.KRB5_KT_KVNONOTFOUND, Sspi.SEC_E_NO_KERB_KEY],
    ['an encryption type that is refused', routine(13), Gss.KRB5_NOPERM_ETYPE, Sspi.SEC_E_ALGORITHM_MISMATCH],
  ];
  for (const [name, major, minor, status] of cases) {
    it(`for ${name} is ${Sspi.statusName(status)}`, () => assert.equal(Gss.acceptFailure(major, minor), status));
  }

  it('is for channel bindings, or not', () => {
    assert.ok(Gss.isBadBindings(routine(4)));
    assert.ok(Gss.isBadBindings(routine(4) | 1));
    for (const major of [0, 4, routine(5), routine(0x40), 4 << 24]) assert.ok(!Gss.isBadBindings(major));
  });

  it('may come as an error message of Kerberos, and only as a whole one', () => {
    const message = derElement(
      applicationTag(30),
      derElement(
        DER_SEQUENCE,
        derElement(contextTag(0), derInteger(5)),
        derElement(contextTag(1), derInteger(30)),
        derElement(contextTag(4), derInteger(1)),
        derElement(contextTag(5), derInteger(1)),
        derElement(contextTag(6), derInteger(37)),
      ),
    );
    const token = (tokenId: number): Uint8Array =>
      derElement(applicationTag(0), derObjectIdentifier(OID_KERBEROS), Uint8Array.of(tokenId, 0), message);
    assert.equal(Gss.krbErrorCode(token(3)), Gss.KRB_AP_ERR_SKEW);
    assert.equal(Gss.krbErrorCode(token(2)), 0);
    assert.equal(Gss.krbErrorCode(token(3).subarray(1)), 0);
    assert.equal(Gss.krbErrorCode(new Uint8Array(0)), 0);
  });
});

describe('an answer about a message', () => {
  const cases: readonly (readonly [number, number])[] = [
    [0, Sspi.SEC_E_OK],
    [1, Sspi.SEC_E_OUT_OF_SEQUENCE],
    [2, Sspi.SEC_E_OUT_OF_SEQUENCE],
    [4, Sspi.SEC_E_OUT_OF_SEQUENCE],
    [8, Sspi.SEC_E_OUT_OF_SEQUENCE],
    [16, Sspi.SEC_E_OUT_OF_SEQUENCE],
    [1 << 24, Sspi.SEC_E_INTERNAL_ERROR],
    [routine(6), Sspi.SEC_E_MESSAGE_ALTERED],
    [routine(6) | 2, Sspi.SEC_E_MESSAGE_ALTERED],
    [routine(9), Sspi.SEC_E_MESSAGE_ALTERED],
    [routine(7), Sspi.SEC_E_CONTEXT_EXPIRED],
    [routine(11), Sspi.SEC_E_CONTEXT_EXPIRED],
    [routine(12), Sspi.SEC_E_CONTEXT_EXPIRED],
    [routine(14), Sspi.SEC_E_QOP_NOT_SUPPORTED],
    [routine(16), Sspi.SEC_E_UNSUPPORTED_FUNCTION],
    [routine(13), Sspi.SEC_E_INTERNAL_ERROR],
  ];
  for (const [major, status] of cases) {
    it(`0x${major.toString(16)} is ${Sspi.statusName(status)}`, () => assert.equal(Gss.messageStatus(major), status));
  }
});

describe('an accepted context', () => {
  it('has the attributes that its flags say, and no others', () => {
    const attributes = new Map([
      [Gss.GSS_C_MUTUAL_FLAG, Sspi.ASC_RET_MUTUAL_AUTH],
      [Gss.GSS_C_REPLAY_FLAG, Sspi.ASC_RET_REPLAY_DETECT],
      [Gss.GSS_C_SEQUENCE_FLAG, Sspi.ASC_RET_SEQUENCE_DETECT],
      [Gss.GSS_C_CONF_FLAG, Sspi.ASC_RET_CONFIDENTIALITY],
      [Gss.GSS_C_INTEG_FLAG, Sspi.ASC_RET_INTEGRITY],
      [Gss.GSS_C_IDENTIFY_FLAG, Sspi.ASC_RET_IDENTIFY],
    ]);
    for (let bit = 0; bit < 32; bit++) {
      const flag = 1 << bit;
      assert.equal(contextAttributes(flag, false, 0), attributes.get(flag) ?? 0, `0x${(flag >>> 0).toString(16)}`);
    }
    const all = [...attributes.keys()].reduce((sum, flag) => sum | flag, 0);
    assert.equal(
      contextAttributes(all, false, 0),
      [...attributes.values()].reduce((sum, bit) => sum | bit, 0),
    );
  });

  it('delegates where credentials are there, whatever its flags', () => {
    assert.equal(contextAttributes(Gss.GSS_C_DELEG_FLAG, false, 0), 0);
    assert.equal(contextAttributes(0, true, 0), Sspi.ASC_RET_DELEGATE);
  });

  it('has of the requirements what is the caller’s own affair', () => {
    assert.equal(contextAttributes(0, false, Sspi.ASC_REQ_CONNECTION), Sspi.ASC_RET_CONNECTION);
    assert.equal(contextAttributes(0, false, Sspi.ASC_REQ_EXTENDED_ERROR), Sspi.ASC_RET_EXTENDED_ERROR);
    const others = ~(Sspi.ASC_REQ_CONNECTION | Sspi.ASC_REQ_EXTENDED_ERROR);
    assert.equal(contextAttributes(0, false, others), 0);
  });

  it('tells whether it is bound to its channel (sspi.h, SEC_CHANNEL_BINDINGS_RESULT)', () => {
    for (const [bound, hex] of [
      [true, '11000000'],
      [false, '42000000'],
    ] as const) {
      const { type, data } = bindingsResult(bound);
      assert.deepEqual([type, Buffer.from(data).toString('hex')], [Sspi.SECBUFFER_CHANNEL_BINDINGS_RESULT, hex]);
    }
  });
});
