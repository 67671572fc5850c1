import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MalformedTokenError } from '../../../src/foundation/errors.ts';
import { decodeExportedName } from '../../../src/formats/kerberos/exported-name.ts';

/** 1.2.840.113554.1.2.2 in DER, with its length before it. */
const oid = '000b06092a864886f712010202';
const token = (name: string): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(name));
  return Buffer.concat([Buffer.from(`0401${oid}`, 'hex'), length, Buffer.from(name)]);
};

describe('exported names', () => {
  it('gives mechanism and name', () => {
    for (const name of ['alice@TEST.LOCAL', 'host\\/admin@TEST.LOCAL', 'josé@TEST.LOCAL', '']) {
      assert.deepEqual(decodeExportedName(token(name)), { mechanism: '1.2.840.113554.1.2.2', name });
    }
  });

  it('A03, A04: anything else is malformed', () => {
    const good = token('alice@TEST.LOCAL');
    const cases: Readonly<Record<string, Buffer>> = {
      'no bytes': Buffer.alloc(0),
      'another TOK_ID': Buffer.concat([Buffer.from('0402', 'hex'), good.subarray(2)]),
      'one byte less': good.subarray(0, -1),
      'one byte more': Buffer.concat([good, Buffer.of(0)]),
      'not UTF-8': Buffer.concat([good.subarray(0, -1), Buffer.of(0xff)]),
    };
    for (const [name, bytes] of Object.entries(cases)) {
      assert.throws(() => decodeExportedName(bytes), MalformedTokenError, name);
    }
  });

  it('A03: any bytes are read or malformed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeExportedName(bytes);
        } catch (error) {
          assert.ok(error instanceof MalformedTokenError, String(error));
        }
      }),
      { numRuns: Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000) },
    );
  });
});
