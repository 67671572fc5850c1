import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { beginsHandshake } from '../../src/formats/initial-token.ts';

const signature = Buffer.from('NTLMSSP\0', 'latin1');
const message = (...type: number[]): Buffer => Buffer.concat([signature, Buffer.of(...type)]);

describe('a token that begins a handshake', () => {
  for (const [name, token, expected] of [
    ['NEGOTIATE_MESSAGE', message(1, 0, 0, 0), true],
    ['NEGOTIATE_MESSAGE with flags', message(1, 0, 0, 0, 7, 0x82, 8, 0xa2), true],
    ['InitialContextToken of SPNEGO or Kerberos', Buffer.of(0x60, 0x82, 1, 0), true],
    ['0x60 alone', Buffer.of(0x60), true],
    ['CHALLENGE_MESSAGE', message(2, 0, 0, 0), false],
    ['AUTHENTICATE_MESSAGE', message(3, 0, 0, 0), false],
    ['message type 257', message(1, 1, 0, 0), false],
    ['message type 0x01000001', message(1, 0, 0, 1), false],
    ['message type big-endian', message(0, 0, 0, 1), false],
    ['NegTokenResp', Buffer.of(0xa1, 0x02, 0x30, 0x00), false],
    ['another signature', Buffer.from('NTLMSSP\x01\x01\0\0\0', 'latin1'), false],
    ['nothing', Buffer.alloc(0), false],
  ] as const) {
    it(`${name}: ${expected ? 'yes' : 'no'}`, () => assert.equal(beginsHandshake(token), expected));
  }

  it('A03: no prefix of a NEGOTIATE_MESSAGE before its type is whole', () => {
    const whole = message(1, 0, 0, 0);
    for (let length = 0; length < whole.length; length++) {
      assert.equal(beginsHandshake(whole.subarray(0, length)), false);
    }
  });
});
