import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  decodeChannelBindings,
  encodeChannelBindings,
  packChannelBindings,
} from '../../src/formats/channel-bindings.ts';
import { MalformedTokenError } from '../../src/foundation/errors.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const fields = (...values: readonly number[]): Uint8Array => {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => bytes.writeUInt32LE(value, 4 * index));
  return bytes;
};
const data = Buffer.from('abcdefgh');

describe('SEC_CHANNEL_BINDINGS', () => {
  it('has eight fields of four bytes, and the application data right after them', () => {
    assert.equal(hex(encodeChannelBindings(data)), hex(Buffer.concat([fields(0, 0, 0, 0, 0, 0, 8, 32), data])));
  });

  it('is read with addresses too, wherever its data lies', () => {
    const bytes = Buffer.concat([fields(2, 3, 37, 24, 2, 32, 1, 39), data]);
    const { initiatorAddressType, initiatorAddress, acceptorAddressType, acceptorAddress, applicationData } =
      decodeChannelBindings(bytes);
    assert.deepEqual([initiatorAddressType, acceptorAddressType], [2, 24]);
    assert.deepEqual([initiatorAddress, acceptorAddress, applicationData].map(hex), ['666768', '6162', '68']);
  });

  it('has no data in its header or behind its end, and an empty part lies nowhere', () => {
    const part = (length: number, offset: number): Uint8Array =>
      decodeChannelBindings(Buffer.concat([fields(0, 0, 0, 0, 0, 0, length, offset), data])).applicationData;
    assert.equal(hex(part(8, 32)), hex(data));
    assert.equal(hex(part(1, 39)), '68');
    for (const offset of [0, 31, 40, 0xffffffff]) assert.equal(part(0, offset).byteLength, 0);
    for (const [length, offset, at] of [
      [1, 31, 28],
      [1, 0, 28],
      [9, 32, 32],
      [2, 39, 39],
    ] as const) {
      const isMalformed = (error: unknown): boolean => error instanceof MalformedTokenError && error.offset === at;
      assert.throws(() => part(length, offset), isMalformed, `${length} bytes at ${offset}`);
    }
    assert.throws(() => decodeChannelBindings(new Uint8Array(31)), MalformedTokenError);
  });

  it('is hashed as RFC 4121 section 4.1.1.2 says: numbers of four bytes, each text behind its length', () => {
    const packed = packChannelBindings({
      initiatorAddressType: 2,
      initiatorAddress: Uint8Array.of(1, 2, 3),
      acceptorAddressType: 24,
      acceptorAddress: Uint8Array.of(4),
      applicationData: Uint8Array.of(5, 6),
    });
    assert.equal(hex(packed), '02000000' + '03000000010203' + '18000000' + '0100000004' + '020000000506');
  });
});
