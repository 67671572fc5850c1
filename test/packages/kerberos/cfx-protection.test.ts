/** Messages of RFC 4121 section 4.2, made and read on the other side by a code path of the test's own. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keyOfType } from '../../../src/crypto/kerberos/key-of-type.ts';
import { encryptionProfile } from '../../../src/crypto/kerberos/kerberos-key.ts';
import type { KerberosKey } from '../../../src/crypto/kerberos/kerberos-key.ts';
import { GSS_C_REPLAY_FLAG, GSS_C_SEQUENCE_FLAG } from '../../../src/formats/kerberos/gss-flags.ts';
import { CfxProtection } from '../../../src/packages/kerberos/cfx-protection.ts';
import { SEC_E_MESSAGE_ALTERED, SEC_E_OK, SEC_E_OUT_OF_SEQUENCE } from '../../../src/sspi/index.ts';
import { cipherOf } from '../../lab/kerberos/ciphers.ts';
import { vectors } from '../../lab/kerberos/vectors.ts';

const types = [17, 18, 19, 20];
const data = Buffer.from('a message of the application');
const ordered = GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG;

const ACCEPTOR_SEAL = 22;
const ACCEPTOR_SIGN = 23;
const INITIATOR_SEAL = 24;
const INITIATOR_SIGN = 25;

function keyOf(type: number, fill: number): KerberosKey {
  const key = keyOfType(type, Buffer.alloc(encryptionProfile(type)?.keyBytes ?? 0, fill));
  assert.ok(key !== undefined);
  return key;
}

interface Made {
  readonly type?: number;
  readonly acceptorKey?: KerberosKey | undefined;
  readonly sendSequence?: number;
  readonly receiveSequence?: number;
  readonly initiatorKey?: KerberosKey;
}

function protection({ type = 18, acceptorKey, sendSequence = 0, receiveSequence = 0, initiatorKey }: Made = {}) {
  const random = (size: number): Uint8Array => Buffer.alloc(size, 0xc0);
  const key = initiatorKey ?? keyOf(type, 1);
  return new CfxProtection({ initiatorKey: key, acceptorKey, flags: ordered, sendSequence, receiveSequence, random });
}

/** A header as clients write it. */
function headerOf(tokenId: number, flags: number, middle: number, sequence: bigint | number, filler = 0xff): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt16BE(tokenId, 0);
  header[2] = flags;
  header[3] = filler;
  header.writeUInt32BE(middle >>> 0, 4);
  header.writeBigUInt64BE(BigInt(sequence), 8);
  return header;
}

function micOf(key: KerberosKey, message: Uint8Array, header = headerOf(0x0404, 0, 0xffffffff, 0)): Buffer {
  const checksum = cipherOf(key.encryptionType).checksum(key.value, INITIATOR_SIGN, Buffer.concat([message, header]));
  return Buffer.concat([header, checksum]);
}

interface Wrapped {
  readonly flags?: number;
  readonly extra?: number;
  readonly rotation?: number;
  readonly sequence?: number;
  /** The header behind the message, where it is not the one in front. */
  readonly inner?: Buffer;
  readonly usage?: number;
}

/** A sealed message of a client. */
function wrapOf(key: KerberosKey, message: Uint8Array, how: Wrapped = {}): Buffer {
  const { flags = 2, extra = 0, rotation = 0, sequence = 0, usage = INITIATOR_SEAL } = how;
  const inner = how.inner ?? headerOf(0x0504, flags, extra << 16, sequence);
  const plain = Buffer.concat([message, Buffer.alloc(extra, 0xee), inner]);
  const body = cipherOf(key.encryptionType).encrypt(key.value, usage, plain);
  const by = rotation % body.byteLength;
  const rotated = Buffer.concat([body.subarray(body.byteLength - by), body.subarray(0, body.byteLength - by)]);
  return Buffer.concat([headerOf(0x0504, flags, (extra << 16) | rotation, sequence), rotated]);
}

describe('messages of RFC 4121', () => {
  it('the vectors: a signature of the acceptor, one of the initiator, a message in the clear', () => {
    const hex = (text: unknown): Buffer => Buffer.from(String(text), 'hex');
    const named = (id: string): { key: KerberosKey; expected: Buffer } => {
      const [vector] = vectors(new RegExp(`^${id}$`));
      const key = keyOfType(17, hex(vector?.inputs['key(aes128)']));
      assert.ok(key !== undefined && vector !== undefined);
      return { key, expected: hex(vector.expected) };
    };
    const payload = hex('deadbeef');
    const acceptor = named('rfc4121.mic.acceptor');
    const signed = protection({ initiatorKey: acceptor.key, sendSequence: 0x575e85d6 }).sign(payload);
    const head = hex('040401ffffffffff00000000575e85d6');
    assert.deepEqual(Buffer.from(signed), Buffer.concat([head, acceptor.expected]));

    const initiator = named('rfc4121.mic.initiator');
    const mic = Buffer.concat([hex('040400ffffffffff0000000000000000'), initiator.expected]);
    assert.equal(protection({ initiatorKey: initiator.key }).verify(payload, mic), SEC_E_OK);

    const clear = named('rfc4121.wrap.noconf.initiator');
    const open = protection({ initiatorKey: clear.key });
    const token = Buffer.concat([hex('050400ff000c00000000000000000000'), hex('01010000'), clear.expected]);
    assert.equal(open.open(token).status, SEC_E_MESSAGE_ALTERED, 'it is in the clear');
    // It was genuine, so that the next number is one.
    assert.equal(open.verify(data, micOf(clear.key, data, headerOf(0x0404, 0, 0xffffffff, 1))), SEC_E_OK);
  });

  for (const type of types) {
    it(`type ${type}: a client reads what is signed and sealed, with and without a key of the acceptor`, () => {
      for (const acceptorKey of [undefined, keyOf(type, 2)]) {
        const made = protection({ type, acceptorKey, sendSequence: 0xffff_ffff });
        const { value } = acceptorKey ?? keyOf(type, 1);
        assert.deepEqual(made.sessionKey, value);
        const flags = acceptorKey === undefined ? 1 : 5;
        const mic = Buffer.from(made.sign(data));
        const header = headerOf(0x0404, flags, 0xffffffff, 0xffff_ffff);
        const checksum = cipherOf(type).checksum(value, ACCEPTOR_SIGN, Buffer.concat([data, header]));
        assert.deepEqual(mic, Buffer.concat([header, checksum]));
        // The number goes on past 32 bits.
        const token = Buffer.from(made.seal(data));
        assert.equal(token.readBigUInt64BE(8), 0x1_0000_0000n);
        assert.deepEqual([token.readUInt16BE(0), token[2], token.readUInt16BE(4)], [0x0504, flags | 2, 0]);
        const body = token.subarray(16);
        const by = token.readUInt16BE(6) % body.byteLength;
        const straight = Buffer.concat([body.subarray(by), body.subarray(0, by)]);
        const plain = cipherOf(type).decrypt(value, ACCEPTOR_SEAL, straight);
        assert.deepEqual(plain, Buffer.concat([data, headerOf(0x0504, flags | 2, 0, 0x1_0000_0000n)]));
      }
    });

    it(`type ${type}: every rotation and every filler is undone`, () => {
      const key = keyOf(type, 1);
      const made = protection({ type });
      let sequence = 0;
      for (const rotation of [0, 1, 12, 16, 28, 44, 60, 63, 64, 500, 0xffff]) {
        for (const extra of [0, 1, 16]) {
          const { status, data: opened } = made.open(wrapOf(key, data, { rotation, extra, sequence: sequence++ }));
          assert.equal(status, SEC_E_OK, `RRC ${rotation}, EC ${extra}`);
          assert.deepEqual(opened, data);
        }
      }
      assert.deepEqual(made.open(wrapOf(key, Buffer.alloc(0), { sequence })).data, Buffer.alloc(0));
    });
  }

  it('the flag AcceptorSubkey chooses the key, and the other one does not fit', () => {
    const [initiatorKey, acceptorKey] = [keyOf(18, 1), keyOf(18, 2)];
    const named = (flags: number): Buffer => headerOf(0x0404, flags, 0xffffffff, 0);
    const verify = (mic: Buffer): number => protection({ initiatorKey: keyOf(18, 1), acceptorKey }).verify(data, mic);
    assert.equal(verify(micOf(initiatorKey, data, named(0))), SEC_E_OK);
    assert.equal(verify(micOf(acceptorKey, data, named(4))), SEC_E_OK);
    assert.equal(verify(micOf(acceptorKey, data, named(0))), SEC_E_MESSAGE_ALTERED);
    assert.equal(verify(micOf(initiatorKey, data, named(4))), SEC_E_MESSAGE_ALTERED);
    const open = protection({ initiatorKey: keyOf(18, 1), acceptorKey });
    assert.equal(open.open(wrapOf(acceptorKey, data, { flags: 6 })).status, SEC_E_OK);
    assert.equal(open.open(wrapOf(initiatorKey, data, { flags: 6, sequence: 1 })).status, SEC_E_MESSAGE_ALTERED);
    assert.equal(open.open(wrapOf(initiatorKey, data, { flags: 2, sequence: 1 })).status, SEC_E_OK);
  });

  it('refuses every altered byte and every shorter token, and none of them takes up a number', () => {
    const key = keyOf(20, 1);
    const made = protection({ type: 20 });
    const [mic, wrap] = [micOf(key, data), wrapOf(key, data, { sequence: 1, rotation: 28, extra: 3 })];
    for (const [token, use] of [
      [mic, (bytes: Buffer) => made.verify(data, bytes)],
      [wrap, (bytes: Buffer) => made.open(bytes).status],
    ] as const) {
      for (let at = 0; at < token.byteLength; at++) {
        for (const bit of [1, 0x80]) {
          const altered = Buffer.from(token);
          altered[at] = (altered[at] ?? 0) ^ bit;
          assert.equal(use(altered), SEC_E_MESSAGE_ALTERED, `byte ${at}`);
        }
        assert.equal(use(token.subarray(0, at)), SEC_E_MESSAGE_ALTERED, `${at} bytes`);
      }
      assert.equal(use(Buffer.concat([token, Buffer.of(0)])), SEC_E_MESSAGE_ALTERED);
      assert.equal(use(token), SEC_E_OK);
      assert.equal(use(token), SEC_E_OUT_OF_SEQUENCE);
    }
  });

  it('refuses true encryptions of wrong headers', () => {
    const key = keyOf(18, 1);
    const open = (token: Buffer): number => protection().open(token).status;
    for (const [name, how] of [
      ['another number inside', { inner: headerOf(0x0504, 2, 0, 1) }],
      ['other flags inside', { inner: headerOf(0x0504, 6, 0, 0) }],
      ['another EC inside', { inner: headerOf(0x0504, 2, 1 << 16, 0) }],
      ['a signature inside', { inner: headerOf(0x0404, 2, 0, 0) }],
      ['no header inside', { inner: Buffer.alloc(0) }],
      ['the usage of the acceptor', { usage: ACCEPTOR_SEAL }],
    ] as const) {
      assert.equal(open(wrapOf(key, data, how)), SEC_E_MESSAGE_ALTERED, name);
    }
    // More filler than there is message: nothing before the header.
    const inner = headerOf(0x0504, 2, 9 << 16, 0);
    const body = cipherOf(18).encrypt(key.value, INITIATOR_SEAL, Buffer.concat([Buffer.alloc(8), inner]));
    assert.equal(open(Buffer.concat([inner, body])), SEC_E_MESSAGE_ALTERED);
    const fits = headerOf(0x0504, 2, 8 << 16, 0);
    const exact = cipherOf(18).encrypt(key.value, INITIATOR_SEAL, Buffer.concat([Buffer.alloc(8), fits]));
    assert.equal(open(Buffer.concat([fits, exact])), SEC_E_OK);
    // RRC stands in front alone: inside it is not compared.
    assert.equal(open(wrapOf(key, data, { inner: headerOf(0x0504, 2, 77, 0) })), SEC_E_OK);
  });

  it('never takes its own messages for those of the client', () => {
    const made = protection();
    assert.equal(made.verify(data, made.sign(data)), SEC_E_MESSAGE_ALTERED);
    assert.equal(made.open(made.seal(data)).status, SEC_E_MESSAGE_ALTERED);
  });

  it('a signature with another filler, of another kind, or in a sealed token is refused', () => {
    const key = keyOf(18, 1);
    for (const header of [
      headerOf(0x0404, 0, 0xffffffff, 0, 0xfe),
      headerOf(0x0404, 0, 0xfffffffe, 0),
      headerOf(0x0404, 1, 0xffffffff, 0),
      headerOf(0x0504, 0, 0xffffffff, 0),
    ]) {
      assert.equal(protection().verify(data, micOf(key, data, header)), SEC_E_MESSAGE_ALTERED);
    }
    assert.equal(protection().open(micOf(key, data)).status, SEC_E_MESSAGE_ALTERED);
    assert.equal(protection().verify(data, Buffer.alloc(0)), SEC_E_MESSAGE_ALTERED);
  });

  it('its keys are zero once it is wiped', () => {
    const [initiatorKey, acceptorKey] = [keyOf(18, 1), keyOf(18, 2)];
    protection({ initiatorKey, acceptorKey }).wipe();
    for (const { value } of [initiatorKey, acceptorKey]) assert.ok(value.every((byte) => byte === 0));
  });
});
