import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { rotateWrapToken } from '../../../src/formats/kerberos/wrap-token.ts';

/** A token as gss_wrap of MIT gives it with AES: header, confounder, message, copy of the header, checksum. */
function wrapped(message: string, rotation = 0): Uint8Array {
  const body = Buffer.from(`${'c'.repeat(16)}${message}${'h'.repeat(16)}${'s'.repeat(12)}`);
  const right = rotation % body.byteLength;
  const split = body.byteLength - right;
  const header = Buffer.from('050403ff000000000000000000000001', 'hex');
  header.writeUInt16BE(rotation, 6);
  return Uint8Array.from(Buffer.concat([header, body.subarray(split), body.subarray(0, split)]));
}

describe('a wrap token of Kerberos', () => {
  it('is rotated so that its message comes last, as the tokens of Windows are: RRC 28 for AES', () => {
    const token = Buffer.from(rotateWrapToken(wrapped('message'), 7));
    assert.equal(token.readUInt16BE(6), 28);
    assert.equal(token.subarray(16).toString(), `${'h'.repeat(16)}${'s'.repeat(12)}${'c'.repeat(16)}message`);
  });

  it('comes out the same, however it was rotated before (RFC 4121 section 4.2.5)', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60, unit: 'grapheme-ascii' }), fc.nat(200), (message, rotation) => {
        const expected = rotateWrapToken(wrapped(message), message.length);
        assert.deepEqual(rotateWrapToken(wrapped(message, rotation), message.length), expected);
      }),
    );
  });

  it('of another form stays as it is', () => {
    for (const [what, change] of [
      ['of RC4', (token: Uint8Array) => token.with(0, 0x60)],
      ['that is only signed', (token: Uint8Array) => token.with(2, 1)],
      ['that is too short', (token: Uint8Array) => token.subarray(0, 20)],
    ] as const) {
      const token = change(wrapped('message'));
      assert.equal(rotateWrapToken(token, 7), token, what);
    }
  });
});
