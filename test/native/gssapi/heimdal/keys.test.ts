/** What Heimdal decrypted, or gave as a key, does not stay in native memory. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inquireAt } from '../../../../src/native/gssapi/call/context-inquiry.ts';
import type { Frame } from '../../../../src/native/gssapi/call/frame.ts';
import type { GssapiLibrary } from '../../../../src/native/gssapi/call/library.ts';
import { heimdalDecrypt } from '../../../../src/native/gssapi/heimdal/keys.ts';

/** Native memory by address, and what was done with it, in order. */
class NativeWorld {
  readonly #blocks: { readonly at: bigint; readonly bytes: Buffer }[] = [];
  readonly events: string[] = [];

  /** @returns the address of the bytes */
  place(bytes: Uint8Array): bigint {
    const at = BigInt(0x1000 * (this.#blocks.length + 1));
    this.#blocks.push({ at, bytes: bytes as Buffer });
    return at;
  }

  at(address: bigint): Buffer {
    const found = this.#blocks.find((block) => block.at === address);
    assert.ok(found !== undefined, String(address));
    return found.bytes;
  }

  library(functions: object): GssapiLibrary {
    return {
      ...functions,
      krb5Context: 1n,
      addressOf: (bytes: Uint8Array) => this.place(bytes),
      copy: (address: bigint, length: number) => Buffer.from(this.at(address).subarray(0, length)),
      wipe: (address: bigint, length: number) => {
        this.events.push(`wipe ${this.at(address).toString('latin1', 0, length)}`);
        this.at(address).fill(0, 0, length);
      },
    } as unknown as GssapiLibrary;
  }
}

describe('native memory of Heimdal', () => {
  it('is wiped before a plain text in it is freed', () => {
    const world = new NativeWorld();
    const plain = Buffer.from('a ticket with its session key');
    const krb5 = {
      cryptoInit: () => 0,
      decrypt: (...values: bigint[]) => {
        const result = world.at(values[5] ?? 0n);
        result.writeBigUInt64LE(BigInt(plain.byteLength), 0);
        result.writeBigUInt64LE(world.place(plain), 8);
        return 0;
      },
      dataFree: () => void world.events.push(plain.some((byte) => byte !== 0) ? 'freed as it was' : 'freed'),
      cryptoDestroy: () => 0,
    };
    const key = { encryptionType: 18, keyblock: 2n };
    const decrypted = heimdalDecrypt(world.library({ krb5 }), key, 2, Buffer.from('cipher'));
    assert.equal(decrypted?.toString(), 'a ticket with its session key');
    assert.deepEqual(world.events, ['wipe a ticket with its session key', 'freed']);
  });

  it('is wiped before a key in it is freed', () => {
    const world = new NativeWorld();
    const key = Buffer.from('a key');
    const elements = Buffer.alloc(16);
    elements.writeBigUInt64LE(BigInt(key.byteLength), 0);
    elements.writeBigUInt64LE(world.place(key), 8);
    const set = Buffer.alloc(16);
    set.writeBigUInt64LE(1n, 0);
    set.writeBigUInt64LE(world.place(elements), 8);
    const gss = {
      inquireSecContextByOid: () => ((frame.pointerValue = world.place(set)), 0),
      releaseBufferSet: () => void world.events.push(key.some((byte) => byte !== 0) ? 'freed as it was' : 'freed'),
    };
    const frame = { library: world.library({ gss }), pointerValue: 0n } as unknown as Frame;
    assert.deepEqual(inquireAt(frame, 1n, 2n).map(String), ['a key']);
    assert.deepEqual(world.events, ['wipe a key', 'freed']);
  });
});
