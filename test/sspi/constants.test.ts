/** Values of winerror.h and sspi.h, written down a second time: a slip of the pen in src/sspi would be a wrong protocol. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as Sspi from '../../src/sspi/index.ts';

type Values = Readonly<Record<string, number>>;

/** winerror.h. The first sixteen are those of the page "AcceptSecurityContext (General)", in its order. */
const documented: Values = {
  SEC_E_OK: 0x00000000,
  SEC_I_CONTINUE_NEEDED: 0x00090312,
  SEC_I_COMPLETE_NEEDED: 0x00090313,
  SEC_I_COMPLETE_AND_CONTINUE: 0x00090314,
  SEC_E_BAD_BINDINGS: 0x80090346,
  SEC_E_INCOMPLETE_MESSAGE: 0x80090318,
  SEC_E_INSUFFICIENT_MEMORY: 0x80090300,
  SEC_E_INTERNAL_ERROR: 0x80090304,
  SEC_E_INVALID_HANDLE: 0x80090301,
  SEC_E_INVALID_TOKEN: 0x80090308,
  SEC_E_LOGON_DENIED: 0x8009030c,
  SEC_E_NO_AUTHENTICATING_AUTHORITY: 0x80090311,
  SEC_E_NO_CREDENTIALS: 0x8009030e,
  SEC_E_SECURITY_QOS_FAILED: 0x80090332,
  SEC_E_UNSUPPORTED_FUNCTION: 0x80090302,
  STATUS_LOGON_FAILURE: 0xc000006d,
};
const companions: Values = {
  SEC_E_TARGET_UNKNOWN: 0x80090303,
  SEC_E_SECPKG_NOT_FOUND: 0x80090305,
  SEC_E_QOP_NOT_SUPPORTED: 0x8009030a,
  SEC_E_NO_IMPERSONATION: 0x8009030b,
  SEC_E_UNKNOWN_CREDENTIALS: 0x8009030d,
  SEC_E_MESSAGE_ALTERED: 0x8009030f,
  SEC_E_OUT_OF_SEQUENCE: 0x80090310,
  SEC_E_CONTEXT_EXPIRED: 0x80090317,
  SEC_E_BUFFER_TOO_SMALL: 0x80090321,
  SEC_E_WRONG_PRINCIPAL: 0x80090322,
  SEC_E_TIME_SKEW: 0x80090324,
  SEC_E_DECRYPT_FAILURE: 0x80090330,
  SEC_E_ALGORITHM_MISMATCH: 0x80090331,
  SEC_E_UNFINISHED_CONTEXT_DELETED: 0x80090333,
  SEC_E_NO_KERB_KEY: 0x80090348,
  SEC_E_DOWNGRADE_DETECTED: 0x80090350,
  SEC_E_INVALID_PARAMETER: 0x8009035d,
  SEC_E_NO_CONTEXT: 0x80090361,
  SEC_E_MUTUAL_AUTH_FAILED: 0x80090363,
  SEC_I_CONTEXT_EXPIRED: 0x00090317,
  SEC_I_RENEGOTIATE: 0x00090321,
  SEC_E_UNTRUSTED_ROOT: 0x80090325,
  SEC_E_ILLEGAL_MESSAGE: 0x80090326,
  SEC_E_CERT_UNKNOWN: 0x80090327,
  SEC_E_CERT_EXPIRED: 0x80090328,
  SEC_E_APPLICATION_PROTOCOL_MISMATCH: 0x80090367,
};

/** sspi.h and schannel.h. */
const constants: Values = {
  SECPKG_ATTR_STREAM_SIZES: 4,
  SECPKG_ATTR_APPLICATION_PROTOCOL: 35,
  SECPKG_ATTR_REMOTE_CERT_CONTEXT: 83,
  SECPKG_ATTR_LOCAL_CERT_CONTEXT: 84,
  SECPKG_ATTR_CONNECTION_INFO: 90,
  SECPKG_ATTR_SESSION_INFO: 93,
  SECPKG_ATTR_CIPHER_INFO: 100,
  SECPKG_ATTR_KEYING_MATERIAL_INFO: 106,
  SECPKG_ATTR_KEYING_MATERIAL: 107,
  SecApplicationProtocolNegotiationStatus_None: 0,
  SecApplicationProtocolNegotiationStatus_Success: 1,
  SecApplicationProtocolNegotiationExt_None: 0,
  SecApplicationProtocolNegotiationExt_ALPN: 2,
  SP_PROT_TLS1_SERVER: 0x40,
  SP_PROT_TLS1_1_SERVER: 0x100,
  SP_PROT_TLS1_2_SERVER: 0x400,
  SP_PROT_TLS1_3_SERVER: 0x1000,
  SCHANNEL_RENEGOTIATE: 0,
  SCHANNEL_SHUTDOWN: 1,
  SCHANNEL_ALERT: 2,
  TLS1_ALERT_WARNING: 1,
  TLS1_ALERT_FATAL: 2,
  ASC_REQ_DELEGATE: 0x1,
  ASC_REQ_MUTUAL_AUTH: 0x2,
  ASC_REQ_REPLAY_DETECT: 0x4,
  ASC_REQ_SEQUENCE_DETECT: 0x8,
  ASC_REQ_CONFIDENTIALITY: 0x10,
  ASC_REQ_USE_SESSION_KEY: 0x20,
  ASC_REQ_ALLOCATE_MEMORY: 0x100,
  ASC_REQ_USE_DCE_STYLE: 0x200,
  ASC_REQ_DATAGRAM: 0x400,
  ASC_REQ_CONNECTION: 0x800,
  ASC_REQ_CALL_LEVEL: 0x1000,
  ASC_REQ_EXTENDED_ERROR: 0x8000,
  ASC_REQ_STREAM: 0x10000,
  ASC_REQ_INTEGRITY: 0x20000,
  ASC_REQ_LICENSING: 0x40000,
  ASC_REQ_IDENTIFY: 0x80000,
  ASC_REQ_ALLOW_NULL_SESSION: 0x100000,
  ASC_REQ_ALLOW_NON_USER_LOGONS: 0x200000,
  ASC_REQ_ALLOW_CONTEXT_REPLAY: 0x400000,
  ASC_REQ_FRAGMENT_TO_FIT: 0x800000,
  ASC_REQ_NO_TOKEN: 0x1000000,
  ASC_REQ_PROXY_BINDINGS: 0x4000000,
  ASC_REQ_ALLOW_MISSING_BINDINGS: 0x10000000,
  ASC_REQ_HTTP: 0x10000000,
  ASC_RET_DELEGATE: 0x1,
  ASC_RET_MUTUAL_AUTH: 0x2,
  ASC_RET_REPLAY_DETECT: 0x4,
  ASC_RET_SEQUENCE_DETECT: 0x8,
  ASC_RET_CONFIDENTIALITY: 0x10,
  ASC_RET_USE_SESSION_KEY: 0x20,
  ASC_RET_ALLOCATED_MEMORY: 0x100,
  ASC_RET_USED_DCE_STYLE: 0x200,
  ASC_RET_DATAGRAM: 0x400,
  ASC_RET_CONNECTION: 0x800,
  ASC_RET_CALL_LEVEL: 0x2000,
  ASC_RET_THIRD_LEG_FAILED: 0x4000,
  ASC_RET_EXTENDED_ERROR: 0x8000,
  ASC_RET_STREAM: 0x10000,
  ASC_RET_INTEGRITY: 0x20000,
  ASC_RET_LICENSING: 0x40000,
  ASC_RET_IDENTIFY: 0x80000,
  ASC_RET_NULL_SESSION: 0x100000,
  ASC_RET_ALLOW_NON_USER_LOGONS: 0x200000,
  ASC_RET_FRAGMENT_ONLY: 0x800000,
  ASC_RET_NO_TOKEN: 0x1000000,
  ASC_RET_NO_ADDITIONAL_TOKEN: 0x2000000,
  SECBUFFER_VERSION: 0,
  SECBUFFER_EMPTY: 0,
  SECBUFFER_DATA: 1,
  SECBUFFER_TOKEN: 2,
  SECBUFFER_PKG_PARAMS: 3,
  SECBUFFER_MISSING: 4,
  SECBUFFER_EXTRA: 5,
  SECBUFFER_STREAM_TRAILER: 6,
  SECBUFFER_STREAM_HEADER: 7,
  SECBUFFER_PADDING: 9,
  SECBUFFER_STREAM: 10,
  SECBUFFER_TARGET: 13,
  SECBUFFER_CHANNEL_BINDINGS: 14,
  SECBUFFER_TARGET_HOST: 16,
  SECBUFFER_ALERT: 17,
  SECBUFFER_CHANNEL_BINDINGS_RESULT: 30,
  SECBUFFER_READONLY: 0x80000000,
  SECBUFFER_READONLY_WITH_CHECKSUM: 0x10000000,
  SECBUFFER_TYPE_MASK: 0x0fffffff,
  SECPKG_ATTR_SIZES: 0,
  SECPKG_ATTR_NAMES: 1,
  SECPKG_ATTR_LIFESPAN: 2,
  SECPKG_ATTR_KEY_INFO: 5,
  SECPKG_ATTR_AUTHORITY: 6,
  SECPKG_ATTR_PASSWORD_EXPIRY: 8,
  SECPKG_ATTR_SESSION_KEY: 9,
  SECPKG_ATTR_PACKAGE_INFO: 10,
  SECPKG_ATTR_NEGOTIATION_INFO: 12,
  SECPKG_ATTR_NATIVE_NAMES: 13,
  SECPKG_ATTR_FLAGS: 14,
  SECPKG_ATTR_TARGET_INFORMATION: 17,
  SECPKG_ATTR_ACCESS_TOKEN: 18,
  SECPKG_ATTR_LOGOFF_TIME: 21,
  SECPKG_ATTR_UNIQUE_BINDINGS: 25,
  SECPKG_ATTR_ENDPOINT_BINDINGS: 26,
  SECPKG_ATTR_CLIENT_SPECIFIED_TARGET: 27,
  SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS: 30,
  SECPKG_ATTR_NEGO_STATUS: 32,
  SECPKG_ATTR_CREDS_2: 0x80000086,
  SECPKG_CRED_INBOUND: 1,
  SECPKG_CRED_OUTBOUND: 2,
  SECPKG_CRED_BOTH: 3,
  SECPKG_NEGOTIATION_COMPLETE: 0,
  SECPKG_NEGOTIATION_OPTIMISTIC: 1,
  SECPKG_NEGOTIATION_IN_PROGRESS: 2,
  SECPKG_NEGOTIATION_DIRECT: 3,
  SECURITY_NATIVE_DREP: 0x10,
  SECURITY_NETWORK_DREP: 0,
};

const exported = Sspi as unknown as Readonly<Record<string, unknown>>;
const prefixes =
  /^(?:SEC_[EI]_|STATUS_|ASC_RE[QT]_|SECBUFFER_|SECPKG_|SECURITY_|SCHANNEL_|SP_PROT_|TLS1_ALERT_|SecApplication)/;

describe('constants', () => {
  it('all sixteen statuses of the page, in one table, with value, name and meaning', () => {
    assert.deepEqual(
      Sspi.acceptSecurityContextStatuses.map(({ name, value }) => [name, value]),
      Object.entries(documented),
    );
    assert.equal(Sspi.acceptSecurityContextStatuses.length, 16);
    for (const { meaning } of Sspi.acceptSecurityContextStatuses) assert.ok(meaning.length > 5);
  });

  it('every constant that is exported has the value of its header, and every one of these is exported', () => {
    const expected: Values = { ...documented, ...companions, ...constants };
    const actual = Object.fromEntries(
      Object.entries(exported).filter(([name, value]) => prefixes.test(name) && typeof value === 'number'),
    );
    assert.deepEqual(
      Object.entries(actual).sort(([a], [b]) => (a < b ? -1 : 1)),
      Object.entries(expected).sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  });

  it('SEC_E_INVALID_HANDLE is the value of winerror.h, not the one that a page prints', () => {
    assert.notEqual(Sspi.SEC_E_INVALID_HANDLE, 0x80100003);
    assert.equal(Sspi.statusName(0x80100003), '0x80100003');
  });

  it('a status has one name, as int32 and unsigned; an unknown one is shown in hexadecimal', () => {
    for (const [name, value] of Object.entries({ ...documented, ...companions })) {
      assert.equal(Sspi.statusName(value), name);
      assert.equal(Sspi.statusName(value | 0), name);
    }
    assert.equal(Sspi.statusName(-1), '0xffffffff');
    assert.equal(Sspi.statusName(0x90399), '0x00090399');
  });

  it('G07: only five statuses keep a context', () => {
    const keeping = Object.entries({ ...documented, ...companions }).filter(([, value]) => Sspi.keepsContext(value));
    assert.deepEqual(
      keeping.map(([name]) => name),
      [
        'SEC_E_OK',
        'SEC_I_CONTINUE_NEEDED',
        'SEC_I_COMPLETE_NEEDED',
        'SEC_I_COMPLETE_AND_CONTINUE',
        'SEC_E_INCOMPLETE_MESSAGE',
      ],
    );
    for (const value of [1, 0x90315, 0x90321, 0x90320, 0x7fffffff, 0x80090318 + 1]) {
      assert.equal(Sspi.keepsContext(value), false, value.toString(16));
    }
  });

  it('a buffer is found by its type whatever flags it carries', () => {
    const buffer = (type: number): Sspi.SecBuffer => ({ type, data: new Uint8Array(0) });
    const [one, two] = [buffer(Sspi.SECBUFFER_TOKEN), buffer((Sspi.SECBUFFER_TOKEN | Sspi.SECBUFFER_READONLY) >>> 0)];
    const buffers = [buffer(Sspi.SECBUFFER_DATA), one, two];
    assert.equal(Sspi.findBuffer(buffers, Sspi.SECBUFFER_TOKEN), one);
    assert.equal(Sspi.findBuffer(buffers, Sspi.SECBUFFER_TOKEN, 1), two);
    assert.equal(Sspi.findBuffer(buffers, Sspi.SECBUFFER_TOKEN, 2), undefined);
  });
});
