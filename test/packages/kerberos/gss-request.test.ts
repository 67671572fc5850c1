/** What the checksum of an authenticator asks for: RFC 4121 section 4.1.1, and channel bindings. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { keyOfType } from '../../../src/crypto/kerberos/key-of-type.ts';
import type { KerberosKey } from '../../../src/crypto/kerberos/kerberos-key.ts';
import { encodeChannelBindings, decodeChannelBindings } from '../../../src/formats/channel-bindings.ts';
import type { Checksum } from '../../../src/formats/kerberos/authenticator-fields.ts';
import * as Gss from '../../../src/formats/kerberos/gss-flags.ts';
import type { Exchange } from '../../../src/kerberos/exchange.ts';
import { readGssRequest, wantsAnswer } from '../../../src/packages/kerberos/gss-request.ts';
import type { GssRequest } from '../../../src/packages/kerberos/gss-request.ts';
import type { ReceivedAuthenticator } from '../../../src/packages/kerberos/received-authenticator.ts';
import type { OrRefusal } from '../../../src/packages/kerberos/refusal.ts';
import { ASC_REQ_ALLOW_MISSING_BINDINGS, statusName } from '../../../src/sspi/index.ts';
import { cipherOf } from '../../lab/kerberos/ciphers.ts';

const application = Buffer.from('tls-server-end-point:of this server');
const own = decodeChannelBindings(encodeChannelBindings(application));
/** The hash of RFC 4121 section 4.1.1.2 over four empty fields and the application data, little-endian. */
const ownHash = createHash('md5')
  .update(Buffer.concat([Buffer.alloc(16), Buffer.of(application.byteLength, 0, 0, 0), application]))
  .digest();
const none = Buffer.alloc(16);

function sessionKey(type = 18): KerberosKey {
  const key = keyOfType(type, Buffer.alloc(type === 18 || type === 20 ? 32 : 16, 3));
  assert.ok(key !== undefined);
  return key;
}

/** A checksum of type 0x8003. */
function checksum(flags: number, bindings: Uint8Array = none, rest: Uint8Array = Buffer.alloc(0)): Checksum {
  const content = Buffer.alloc(24);
  content.writeUInt32LE(16, 0);
  content.set(bindings, 4);
  content.writeUInt32LE(flags >>> 0, 20);
  return { type: 0x8003, content: Buffer.concat([content, rest]) };
}

/** KRB-CRED of a client that delegates. */
function delegation(message: Uint8Array, option = 1): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(option, 0);
  head.writeUInt16LE(message.byteLength, 2);
  return Buffer.concat([head, message]);
}

interface Asked {
  readonly isBound?: boolean;
  readonly missingAllowed?: boolean;
  readonly knowsChannelBindings?: boolean;
  readonly mutualRequired?: boolean;
  readonly key?: KerberosKey;
}

function read(given: Checksum | undefined, asked: Asked = {}): OrRefusal<GssRequest> {
  const { isBound = false, missingAllowed = false, knowsChannelBindings = false, mutualRequired = false } = asked;
  const empty = new Uint8Array(0);
  const exchange: Exchange = {
    call: { input: [], requirements: missingAllowed ? ASC_REQ_ALLOW_MISSING_BINDINGS : 0, targetDataRep: 0 },
    token: empty,
    request: {
      useSessionKey: false,
      mutualRequired,
      ticket: { realm: 'R', serviceName: 'HTTP/web', encryptionType: 18, keyVersion: 1 },
      ticketBytes: empty,
      ticketCipher: empty,
      sessionEncryptionType: 18,
      authenticatorCipher: empty,
    },
    bindings: isBound ? own : undefined,
    delegate: false,
  };
  const authenticator: ReceivedAuthenticator = {
    checksum: given,
    time: 0,
    microseconds: 0,
    subkey: undefined,
    sequenceNumber: 0,
    hasPac: false,
    knowsChannelBindings,
    target: undefined,
    offeredTypes: [],
  };
  return readGssRequest(exchange, authenticator, asked.key ?? sessionKey());
}

function accepted(result: OrRefusal<GssRequest>): GssRequest {
  if ('refusal' in result) assert.fail(result.refusal.text);
  return result;
}

function refusal(result: OrRefusal<GssRequest>): string {
  if (!('refusal' in result)) assert.fail('it was taken');
  return statusName(result.refusal.status);
}

describe('the checksum of an authenticator', () => {
  it('without one nothing is asked for', () => {
    assert.deepEqual(accepted(read(undefined, { mutualRequired: true })), {
      flags: 0,
      isBound: false,
      delegation: undefined,
    });
  });

  it('only the flags that a client may set take effect', () => {
    const wanted = Gss.GSS_C_MUTUAL_FLAG | Gss.GSS_C_CONF_FLAG | Gss.GSS_C_INTEG_FLAG;
    assert.equal(accepted(read(checksum(wanted))).flags, wanted);
    const all = accepted(read(checksum(0xffff_ffff & ~Gss.GSS_C_DCE_STYLE))).flags;
    assert.equal(all & (Gss.GSS_C_ANON_FLAG | Gss.GSS_C_DELEG_FLAG | Gss.GSS_C_CHANNEL_BOUND_FLAG), 0);
    assert.equal(all & wanted, wanted);
  });

  it('three legs are refused', () => {
    assert.equal(refusal(read(checksum(Gss.GSS_C_DCE_STYLE))), 'SEC_E_INVALID_TOKEN');
  });

  it('D10: is of 24 bytes at least, and names 16 bytes of bindings', () => {
    const { content } = checksum(0);
    for (const size of [0, 1, 20, 23]) {
      assert.equal(refusal(read({ type: 0x8003, content: content.subarray(0, size) })), 'SEC_E_BAD_BINDINGS');
    }
    for (const length of [0, 15, 17, 0x1000_0010]) {
      const wrong = Buffer.from(content);
      wrong.writeUInt32LE(length);
      assert.equal(refusal(read({ type: 0x8003, content: wrong })), 'SEC_E_LOGON_DENIED', String(length));
    }
  });

  it('a forwarded ticket is there if flag and form say so', () => {
    const message = Buffer.from('a KRB-CRED');
    const delegated = (rest: Uint8Array, flags = Gss.GSS_C_DELEG_FLAG): OrRefusal<GssRequest> =>
      read(checksum(flags, none, rest));
    assert.deepEqual(Buffer.from(accepted(delegated(delegation(message))).delegation ?? []), message);
    assert.equal(accepted(delegated(Buffer.alloc(0))).delegation, undefined);
    assert.equal(refusal(delegated(delegation(message, 2))), 'SEC_E_LOGON_DENIED');
    for (let end = 4; end < message.byteLength + 4; end++) {
      assert.equal(refusal(delegated(delegation(message).subarray(0, end))), 'SEC_E_LOGON_DENIED', `${end} bytes`);
    }
    // Extensions behind it are whole, or the checksum is none.
    const extension = Buffer.concat([delegation(message), Buffer.of(0, 0, 0, 9, 0, 0, 0, 1, 0xee)]);
    assert.deepEqual(Buffer.from(accepted(delegated(extension)).delegation ?? []), message);
    assert.equal(refusal(delegated(extension.subarray(0, -1))), 'SEC_E_LOGON_DENIED');
  });

  for (const type of [17, 18, 19, 20, 23]) {
    it(`of type ${type} of the session key: true over no data, or refused`, () => {
      const key = sessionKey(type);
      const kinds: Readonly<Record<number, number>> = { 17: 15, 18: 16, 19: 19, 20: 20, 23: -138 };
      const kind = kinds[type] ?? 0;
      const content = cipherOf(type).checksum(key.value, 10, Buffer.alloc(0));
      const { flags } = accepted(read({ type: kind, content }, { key, mutualRequired: true }));
      assert.equal(flags, Gss.GSS_C_REPLAY_FLAG | Gss.GSS_C_SEQUENCE_FLAG | Gss.GSS_C_MUTUAL_FLAG);
      assert.equal(accepted(read({ type: kind, content }, { key })).flags & Gss.GSS_C_MUTUAL_FLAG, 0);
      const altered = Buffer.from(content);
      altered[0] = (altered[0] ?? 0) ^ 1;
      for (const wrong of [altered, content.subarray(1), Buffer.concat([content, Buffer.of(0)]), Buffer.alloc(0)]) {
        assert.equal(refusal(read({ type: kind, content: wrong }, { key })), 'SEC_E_LOGON_DENIED');
      }
      assert.equal(refusal(read({ type: 7, content }, { key })), 'SEC_E_LOGON_DENIED', 'a checksum without a key');
    });
  }
});

describe('D11: channel bindings', () => {
  const other = Buffer.from(ownHash).fill(1, 0, 1);
  const rows = [
    ['the same', ownHash, {}, true],
    ['other ones', other, {}, 'SEC_E_BAD_BINDINGS'],
    ['other ones, missing ones allowed', other, { missingAllowed: true }, 'SEC_E_BAD_BINDINGS'],
    ['none', none, {}, 'SEC_E_BAD_BINDINGS'],
    ['none, which is allowed', none, { missingAllowed: true }, false],
    [
      'none, of a client that knows them',
      none,
      { missingAllowed: true, knowsChannelBindings: true },
      'SEC_E_BAD_BINDINGS',
    ],
    ['the same, of a client that knows them', ownHash, { knowsChannelBindings: true }, true],
  ] as const;
  for (const [name, sent, asked, expected] of rows) {
    it(name, () => {
      const result = read(checksum(0, sent), { ...asked, isBound: true });
      if (typeof expected === 'string') assert.equal(refusal(result), expected);
      else assert.equal(accepted(result).isBound, expected);
    });
  }

  it('a connection without any takes whatever the client sends', () => {
    assert.equal(accepted(read(checksum(0, other), { knowsChannelBindings: true })).isBound, false);
  });

  it('no checksum is no bindings', () => {
    assert.equal(refusal(read(undefined, { isBound: true })), 'SEC_E_BAD_BINDINGS');
    assert.equal(accepted(read(undefined, { isBound: true, missingAllowed: true })).isBound, false);
  });
});

describe('whether a client waits for an answer', () => {
  it('is told by the flags of a whole checksum of GSSAPI alone', () => {
    assert.equal(wantsAnswer(checksum(Gss.GSS_C_MUTUAL_FLAG)), true);
    assert.equal(wantsAnswer(checksum(~Gss.GSS_C_MUTUAL_FLAG & ~Gss.GSS_C_DELEG_FLAG)), false);
    assert.equal(wantsAnswer(undefined), false);
    const { content } = checksum(Gss.GSS_C_MUTUAL_FLAG);
    assert.equal(wantsAnswer({ type: 16, content }), false);
    assert.equal(wantsAnswer({ type: 0x8003, content: content.subarray(0, 23) }), false);
    assert.equal(wantsAnswer({ type: 0x8003, content: Buffer.concat([content, Buffer.of(1)]) }), false);
  });
});
