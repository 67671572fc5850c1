import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeKeytabKeys } from '../../../src/formats/kerberos/keytab.ts';
import { encodeKeytab } from '../../../src/formats/kerberos/keytab-writer.ts';
import { escapeComponent } from '../../../src/formats/kerberos/principal.ts';

describe('encodeKeytab', () => {
  it('writes what the format says', () => {
    const entry = { components: ['HTTP', 'w'], realm: 'R', keyVersion: 0x102, encryptionType: 17 };
    const written = encodeKeytab([{ ...entry, value: Uint8Array.of(1, 2, 3) }], 0x01020304);
    const expected = [
      ...['0502', '00000022', '0002', '000152', '0004', Buffer.from('HTTP').toString('hex'), '000177', '00000003'],
      ...['01020304', '02', '0011', '0003', '010203', '00000102'],
    ];
    assert.equal(written.toString('hex'), expected.join(''));
  });

  it('writes what the reader reads', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
    const entry = fc.record({
      components: fc.array(name, { minLength: 1, maxLength: 3 }),
      realm: name,
      keyVersion: fc.integer({ min: 0, max: 0xffffffff }),
      encryptionType: fc.integer({ min: 0, max: 0xffff }),
      value: fc.uint8Array({ maxLength: 40 }),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 5 }), fc.integer({ min: 0, max: 0xffffffff }), (entries, timestamp) => {
        const read = decodeKeytabKeys(encodeKeytab(entries, timestamp));
        assert.deepEqual(
          read.map((key) => ({ ...key, value: Buffer.from(key.value).toString('hex') })),
          entries.map(({ components, value, ...rest }) => ({
            ...rest,
            name: components.map(escapeComponent).join('/'),
            timestamp,
            value: Buffer.from(value).toString('hex'),
          })),
        );
      }),
    );
  });
});
