/** What is done to messages at random. */
import fc from 'fast-check';

/** What may be done to a message: bytes replaced, a part cut out, a part put in. */
export const mutations = fc.array(
  fc.record({
    at: fc.nat(600),
    bytes: fc.uint8Array({ minLength: 0, maxLength: 8 }),
    drop: fc.nat(12),
  }),
  { minLength: 1, maxLength: 4 },
);

/** The message with changes made to it. */
export function mutate(
  bytes: Uint8Array,
  changes: readonly { at: number; bytes: Uint8Array; drop: number }[],
): Uint8Array {
  let result = Buffer.from(bytes);
  for (const change of changes) {
    const at = change.at % (result.byteLength + 1);
    result = Buffer.concat([result.subarray(0, at), change.bytes, result.subarray(at + change.drop)]);
  }
  return Uint8Array.from(result);
}
