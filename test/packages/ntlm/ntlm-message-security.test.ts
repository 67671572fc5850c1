import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sealingKey, signingKey } from '../../../src/crypto/ntlm-keys.ts';
import { Rc4 } from '../../../src/crypto/rc4.ts';
import { NtlmMessageSecurity } from '../../../src/packages/ntlm/ntlm-message-security.ts';
import {
  makeSignature,
  SEC_E_INVALID_TOKEN,
  SEC_E_MESSAGE_ALTERED,
  SEC_E_OK,
  SEC_E_OUT_OF_SEQUENCE,
  SEC_E_QOP_NOT_SUPPORTED,
  SECBUFFER_DATA,
  SECBUFFER_READONLY,
  SECBUFFER_READONLY_WITH_CHECKSUM,
  SECBUFFER_STREAM,
  SECBUFFER_TOKEN,
  verifySignature,
} from '../../../src/sspi/index.ts';
import type { SecBuffer } from '../../../src/sspi/index.ts';
import { authenticateMessage, hmac, negotiateMessage, u32 } from './ntlm-client.ts';
import { credential, leg, tokenOf } from './ntlm-server.ts';
import { decryptNow, encryptNow } from '../../sspi/messages-now.ts';

const SIGN = 0x10;
const SEAL = 0x20;
const ESS = 0x80000;
const BITS_128 = 0x20000000;
const BITS_56 = 0x80000000;
const KEY_EXCH = 0x40000000;
const key = Uint8Array.from({ length: 16 }, (_, index) => index + 1);

const data = (text: string): SecBuffer => ({ type: SECBUFFER_DATA, data: Buffer.from(text) });
const token = (bytes: Uint8Array): SecBuffer => ({ type: SECBUFFER_TOKEN, data: bytes });

/** The client's half, written from MS-NLMP section 3.4 with nothing of the server's. */
class Client {
  #send = new Rc4(sealingKey(key, 'client', 128));
  readonly #receive = new Rc4(sealingKey(key, 'server', 128));
  readonly #keyExchange: boolean;
  #sent = 0;
  #received = 0;
  constructor(keyExchange: boolean) {
    this.#keyExchange = keyExchange;
  }
  #signature(cipher: Rc4, sender: 'client' | 'server', sequence: number, message: Uint8Array): Uint8Array {
    const checksum = hmac(signingKey(key, sender), u32(sequence), message).subarray(0, 8);
    return Buffer.concat([u32(1), this.#keyExchange ? cipher.update(checksum) : checksum, u32(sequence)]);
  }
  /** Begins the stream of what it sends anew. */
  reset(): void {
    this.#send = new Rc4(sealingKey(key, 'client', 128));
  }
  sign(text: string): SecBuffer {
    return token(this.#signature(this.#send, 'client', this.#sent++, Buffer.from(text)));
  }
  seal(text: string): readonly SecBuffer[] {
    const sealed = this.#send.update(Buffer.from(text));
    return [this.sign(text), { type: SECBUFFER_DATA, data: sealed }];
  }
  expectSignature(signature: Uint8Array, text: string): void {
    const wanted = this.#signature(this.#receive, 'server', this.#received++, Buffer.from(text));
    assert.deepEqual(Buffer.from(signature), Buffer.from(wanted));
  }
  open(signature: Uint8Array, sealed: Uint8Array): string {
    const plain = this.#receive.update(sealed);
    this.expectSignature(signature, Buffer.from(plain).toString());
    return Buffer.from(plain).toString();
  }
}

const flip = (bytes: Uint8Array, at: number): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy[at] = copy[at]! ^ 1;
  return copy;
};

describe('NTLM message protection', () => {
  for (const keyExchange of [true, false]) {
    const flags = SIGN | SEAL | ESS | BITS_128 | (keyExchange ? KEY_EXCH : 0);
    describe(keyExchange ? 'with key exchange' : 'without key exchange', () => {
      it('signs and verifies, both ways, message after message', () => {
        const server = new NtlmMessageSecurity(key, flags);
        const client = new Client(keyExchange);
        for (const text of ['one', '', 'three'.repeat(1000)]) {
          const made = server.makeSignature([data(text)]);
          assert.equal(made.status, SEC_E_OK);
          client.expectSignature(made.value![0]!.data, text);
          assert.deepEqual(server.verifySignature([data(text), client.sign(text)]), { status: SEC_E_OK, value: 0 });
        }
      });

      it('seals and opens, both ways, also as a stream', () => {
        const server = new NtlmMessageSecurity(key, flags);
        const client = new Client(keyExchange);
        for (const text of ['one', '', 'three'.repeat(1000)]) {
          const [signature, sealed] = server.encryptMessage([data(text)]).value!;
          assert.equal(client.open(signature!.data, sealed!.data), text);
          const opened = server.decryptMessage(client.seal(text));
          assert.equal(opened.status, SEC_E_OK);
          assert.equal(Buffer.from(opened.value![0]!.data).toString(), text);
          const stream = Buffer.concat(client.seal(text).map((buffer) => buffer.data));
          const streamed = server.decryptMessage([{ type: SECBUFFER_STREAM, data: stream }]);
          assert.equal(Buffer.from(streamed.value![0]!.data).toString(), text);
        }
      });

      it('refuses what was changed, and then still takes the genuine message', () => {
        const server = new NtlmMessageSecurity(key, flags);
        const client = new Client(keyExchange);
        const [signature, sealed] = client.seal('pay 10 to bob');
        for (let at = 0; at < sealed!.data.byteLength; at++) {
          const changed = { type: SECBUFFER_DATA, data: flip(sealed!.data, at) };
          assert.equal(server.decryptMessage([signature!, changed]).status, SEC_E_MESSAGE_ALTERED);
        }
        for (let at = 0; at < 12; at++) {
          const { status, value } = server.decryptMessage([token(flip(signature!.data, at)), sealed!]);
          assert.equal(status, SEC_E_MESSAGE_ALTERED);
          assert.equal(value, undefined);
        }
        for (let at = 12; at < 16; at++) {
          const { status } = server.decryptMessage([token(flip(signature!.data, at)), sealed!]);
          assert.equal(status, SEC_E_OUT_OF_SEQUENCE);
        }
        assert.equal(server.decryptMessage([signature!, sealed!]).status, SEC_E_OK);
        assert.equal(server.decryptMessage([signature!, sealed!]).status, SEC_E_OUT_OF_SEQUENCE, 'replayed');
        const lost = client.sign('second');
        const third = client.sign('third');
        assert.equal(server.verifySignature([data('third'), third]).status, SEC_E_OUT_OF_SEQUENCE, 'one is missing');
        assert.equal(server.verifySignature([data('second'), lost]).status, SEC_E_OK);
        assert.equal(server.verifySignature([data('third'), third]).status, SEC_E_OK);
      });

      it('refuses its own messages sent back', () => {
        const server = new NtlmMessageSecurity(key, flags);
        const made = server.makeSignature([data('x')]).value![0]!;
        assert.equal(server.verifySignature([data('x'), made]).status, SEC_E_MESSAGE_ALTERED);
      });
    });
  }

  it('covers several buffers as one run; read-only ones as their flags say', () => {
    const flags = SIGN | SEAL | ESS | BITS_128 | KEY_EXCH;
    const server = new NtlmMessageSecurity(key, flags);
    const client = new Client(true);
    client.expectSignature(server.makeSignature([data('a'), data('bc')]).value![0]!.data, 'abc');
    const header = { type: (SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM) >>> 0, data: Buffer.from('head') };
    const note = { type: (SECBUFFER_DATA | SECBUFFER_READONLY) >>> 0, data: Buffer.from('note') };
    client.expectSignature(server.makeSignature([header, note, data('x')]).value![0]!.data, 'headx');
    const sealed = server.encryptMessage([header, data('x')]).value!;
    assert.equal(Buffer.from(sealed[1]!.data).toString(), 'head');
    assert.notEqual(Buffer.from(sealed[2]!.data).toString(), 'x');
  });

  it('has no protection that was not agreed on', () => {
    const none = new NtlmMessageSecurity(key, ESS | BITS_128);
    assert.equal(none.makeSignature([data('x')]).status, SEC_E_QOP_NOT_SUPPORTED);
    assert.equal(none.verifySignature([data('x'), token(new Uint8Array(16))]).status, SEC_E_QOP_NOT_SUPPORTED);
    const signing = new NtlmMessageSecurity(key, SIGN | ESS | BITS_128);
    assert.equal(signing.encryptMessage([data('x')]).status, SEC_E_QOP_NOT_SUPPORTED);
    assert.equal(signing.decryptMessage([token(new Uint8Array(16)), data('x')]).status, SEC_E_QOP_NOT_SUPPORTED);
  });

  it('signs with either flag: sealing includes signing (MS-NLMP 2.2.2.5)', () => {
    for (const flags of [SIGN, SEAL, SIGN | SEAL]) {
      const server = new NtlmMessageSecurity(key, flags | ESS | BITS_128);
      const client = new Client(false);
      client.expectSignature(server.makeSignature([data('x')]).value![0]!.data, 'x');
      assert.equal(server.verifySignature([data('y'), client.sign('y')]).status, SEC_E_OK);
    }
  });

  it('C11: seals with as many bits of the key as were agreed on: 128 before 56 before 40', () => {
    for (const [flags, bits] of [
      [BITS_128, 128],
      [(BITS_128 | BITS_56) >>> 0, 128],
      [BITS_56, 56],
      [0, 40],
    ] as const) {
      const server = new NtlmMessageSecurity(key, (SIGN | SEAL | ESS | flags) >>> 0);
      const [, sealed] = server.encryptMessage([data('secret')]).value!;
      assert.equal(Buffer.from(new Rc4(sealingKey(key, 'server', bits)).update(sealed!.data)).toString(), 'secret');
    }
  });

  it('has no key left after it was wiped', () => {
    const server = new NtlmMessageSecurity(key, SIGN | SEAL | ESS | BITS_128);
    server.wipe();
    const [signature, sealed] = server.encryptMessage([data('x')]).value!;
    // What a key and a cipher of nothing but zeros make of it.
    const checksum = hmac(new Uint8Array(16), u32(0), Buffer.from('x')).subarray(0, 8);
    assert.deepEqual(Buffer.from(signature!.data), Buffer.concat([u32(1), checksum, u32(0)]));
    assert.equal(Buffer.from(sealed!.data).toString(), 'x');
    server.resetCiphers();
    const zeros = new Rc4(new Uint8Array(16));
    assert.deepEqual(server.encryptMessage([data('x')]).value![1]!.data, zeros.update(Buffer.from('x')));
    const forged = hmac(new Uint8Array(16), u32(0), Buffer.from('x')).subarray(0, 8);
    const incoming = token(Buffer.concat([u32(1), forged, u32(0)]));
    assert.equal(server.verifySignature([data('x'), incoming]).status, SEC_E_OK, 'its other direction as well');
  });

  it('refuses a signature that is none', () => {
    const server = new NtlmMessageSecurity(key, SIGN | SEAL | ESS | BITS_128);
    for (const length of [0, 15, 17]) {
      assert.equal(server.verifySignature([data('x'), token(new Uint8Array(length))]).status, SEC_E_INVALID_TOKEN);
      const stream = { type: SECBUFFER_STREAM, data: new Uint8Array(Math.min(length, 15)) };
      assert.equal(server.decryptMessage([stream]).status, SEC_E_INVALID_TOKEN);
    }
    assert.deepEqual(server.verifySignature([data('x')]), { status: SEC_E_INVALID_TOKEN }, 'and no quality');
    assert.deepEqual(server.decryptMessage([data('x')]), { status: SEC_E_INVALID_TOKEN });
  });

  it('resets the streams and not the sequence after a mechListMIC (MS-SPNG 3.2.5.1)', () => {
    const server = new NtlmMessageSecurity(key, SIGN | SEAL | ESS | BITS_128 | KEY_EXCH);
    server.makeSignature([data('mechanisms')]);
    server.resetCiphers();
    const [signature, sealed] = server.encryptMessage([data('first')]).value!;
    const stream = new Rc4(sealingKey(key, 'server', 128));
    assert.equal(Buffer.from(stream.update(sealed!.data)).toString(), 'first');
    assert.equal(new DataView(signature!.data.buffer).getUint32(12, true), 1);
    const client = new Client(true);
    assert.equal(server.verifySignature([data('mechanisms'), client.sign('mechanisms')]).status, SEC_E_OK);
    server.resetCiphers();
    client.reset();
    assert.equal(Buffer.from(server.decryptMessage(client.seal('first')).value![0]!.data).toString(), 'first');
  });

  it('works through the contract, and not before the context stands', () => {
    const handle = credential();
    const type1 = negotiateMessage(0x60088235);
    const first = leg(handle, undefined, type1);
    assert.notEqual(makeSignature(first.context!, [data('x')]).status, SEC_E_OK);
    const client = authenticateMessage(type1, tokenOf(first), {
      ...{ userName: 'User', domain: 'Domain', password: 'Password', mic: true, randomSessionKey: key },
    });
    const { context, status } = leg(handle, first.context, client.message);
    assert.equal(status, SEC_E_OK);
    const peer = new Client(true);
    peer.expectSignature(makeSignature(context!, [data('to you')]).value![0]!.data, 'to you');
    assert.equal(verifySignature(context!, [data('to me'), peer.sign('to me')]).status, SEC_E_OK);
    const [signature, sealed] = encryptNow(context!, [data('secret')]).value!;
    assert.equal(peer.open(signature!.data, sealed!.data), 'secret');
    assert.equal(Buffer.from(decryptNow(context!, peer.seal('reply')).value![0]!.data).toString(), 'reply');
  });
});
