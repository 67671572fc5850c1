/** n-fold, RFC 3961 section 5.1: stretches or folds bytes to a length, so that every bit of the input counts. */

/** How many bits each repetition of the input is rotated to the right. */
const ROTATION_BITS = 13;

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** One byte of the input, rotated to the right by a number of bits. */
function rotatedByte(input: Uint8Array, index: number, bits: number): number {
  const length = input.byteLength;
  const shift = bits % (length * 8);
  const from = index - (shift >>> 3) + length;
  const low = input[from % length] ?? 0;
  const high = input[(from - 1 + length) % length] ?? 0;
  return (((high << 8) | low) >>> (shift & 7)) & 0xff;
}

/**
 * n-fold.
 *
 * @param input at least one byte
 * @param size bytes of the result
 */
export function nFold(input: Uint8Array, size: number): Uint8Array {
  const length = input.byteLength;
  const total = (length * size) / greatestCommonDivisor(length, size);
  const output = new Uint8Array(size);
  // The repetitions, cut into pieces of the size of the result, are added as numbers of ones' complement.
  let carry = 0;
  for (let at = total - 1; at >= 0; at--) {
    const sum =
      (output[at % size] ?? 0) + rotatedByte(input, at % length, ROTATION_BITS * Math.floor(at / length)) + carry;
    output[at % size] = sum & 0xff;
    carry = sum >>> 8;
  }
  for (let at = size - 1; carry !== 0; at = (at + size - 1) % size) {
    const sum = (output[at] ?? 0) + carry;
    output[at] = sum & 0xff;
    carry = sum >>> 8;
  }
  return output;
}
