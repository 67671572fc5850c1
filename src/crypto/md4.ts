/**
 * MD4, RFC 1320. node:crypto has it only with OpenSSL's legacy provider; NTOWFv1 needs it once for each password.
 * It is broken as a hash: use it for nothing else.
 */

/** The digest, 16 bytes. */
export function md4(message: Uint8Array): Uint8Array {
  const blocks = (message.byteLength + 9 + 63) >>> 6;
  const padded = new Uint8Array(blocks * 64);
  padded.set(message);
  padded[message.byteLength] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.byteLength - 8, BigInt(message.byteLength) * 8n, true);

  let a = 0x67452301;
  let b = 0xefcdab89 | 0;
  let c = 0x98badcfe | 0;
  let d = 0x10325476;
  for (let at = 0; at < padded.byteLength; at += 64) {
    const word = (index: number): number => view.getInt32(at + 4 * index, true);
    const [a0, b0, c0, d0] = [a, b, c, d];
    for (let step = 0; step < 48; step++) {
      const round = step >> 4;
      const within = step & 15;
      let mixed: number;
      let index: number;
      if (round === 0) {
        mixed = (b & c) | (~b & d);
        index = within;
      } else if (round === 1) {
        mixed = ((b & c) | (b & d) | (c & d)) + 0x5a827999;
        index = ((within & 3) << 2) | (within >> 2);
      } else {
        mixed = (b ^ c ^ d) + 0x6ed9eba1;
        index = reversedBits[within] ?? 0;
      }
      const shift = shifts[round]?.[within & 3] ?? 0;
      const sum = (a + mixed + word(index)) | 0;
      [a, d, c, b] = [d, c, b, (sum << shift) | (sum >>> (32 - shift))];
    }
    a = (a + a0) | 0;
    b = (b + b0) | 0;
    c = (c + c0) | 0;
    d = (d + d0) | 0;
  }
  // The padded copy held a password.
  padded.fill(0);
  const digest = new Uint8Array(16);
  const out = new DataView(digest.buffer);
  [a, b, c, d].forEach((value, index) => {
    out.setInt32(4 * index, value, true);
  });
  return digest;
}

/** Rotations of the three rounds, section 3.4. */
const shifts: readonly (readonly number[])[] = [
  [3, 7, 11, 19],
  [3, 5, 9, 13],
  [3, 9, 11, 15],
];

/** Order of the words in round 3: the index with its four bits reversed. */
const reversedBits: readonly number[] = [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15];
