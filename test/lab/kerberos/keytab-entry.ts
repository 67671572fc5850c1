/** Keytab files (version 2), byte by byte as a test wants them. */

/** What every such file begins with. */
export const KEYTAB_HEAD = Buffer.of(5, 2);

/** One entry; its key is 32 bytes that everybody knows. */
export function keytabEntry(
  principal: readonly (string | Uint8Array)[],
  realm: string,
  kvno: number,
  type: number,
  long?: number,
): Buffer {
  const counted = (value: Uint8Array): Buffer => {
    const head = Buffer.alloc(2);
    head.writeUInt16BE(value.byteLength);
    return Buffer.concat([head, value]);
  };
  const number = (value: number, size: number): Buffer => {
    const bytes = Buffer.alloc(size);
    bytes.writeUIntBE(value, 0, size);
    return bytes;
  };
  const body = Buffer.concat([
    number(principal.length, 2),
    counted(Buffer.from(realm)),
    ...principal.map((component) => counted(typeof component === 'string' ? Buffer.from(component) : component)),
    number(1, 4),
    number(0, 4),
    number(kvno, 1),
    number(type, 2),
    counted(Buffer.alloc(32, 0x5a)),
    ...(long === undefined ? [] : [number(long, 4)]),
  ]);
  return Buffer.concat([number(body.byteLength, 4), body]);
}
