import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MalformedTokenError } from '../../src/foundation/errors.ts';
import { Reader } from '../../src/formats/reader.ts';
import { isSid, readSid, wellKnownSidName } from '../../src/formats/sid.ts';

const numRuns = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 500);
const read = (hex: string): string => readSid(new Reader(Buffer.from(hex, 'hex')), 'Sid');

describe('SIDs, MS-DTYP 2.4.2', () => {
  const cases = [
    ['010100000000000100000000', 'S-1-1-0'],
    ['01020000000000052000000020020000', 'S-1-5-32-544'],
    ['0105000000000005150000000100000002000000fffffffff4010000', 'S-1-5-21-1-2-4294967295-500'],
    ['01010000ffffffff01000000', 'S-1-4294967295-1'],
    // All twelve digits, as the grammar has it and Windows prints it.
    ['010100010000000001000000', 'S-1-0x000100000000-1'],
    ['0101ffffffffffff01000000', 'S-1-0xffffffffffff-1'],
  ] as const;
  for (const [bytes, text] of cases) {
    it(text, () => {
      assert.equal(read(bytes), text);
      assert.ok(isSid(text));
    });
  }

  it('D15: another revision, no sub-authority, 16 of them and cut ones are malformed', () => {
    for (const bytes of [
      '020100000000000100000000',
      '0100000000000005',
      `0110000000000005${'00'.repeat(64)}`,
      '0102000000000005200000',
    ]) {
      assert.throws(() => read(bytes), MalformedTokenError, bytes);
    }
  });

  it('every one that is read is one where it is written', () => {
    const packets = fc.tuple(
      fc.uint8Array({ minLength: 6, maxLength: 6 }),
      fc.array(fc.uint8Array({ minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 15 }),
    );
    fc.assert(
      fc.property(packets, ([authority, parts]) => {
        const text = readSid(new Reader(Buffer.concat([Buffer.of(1, parts.length), authority, ...parts])), 'Sid');
        assert.ok(isSid(text), text);
      }),
      { numRuns },
    );
  });

  for (const text of [
    'S-1-5',
    'S-2-5-1',
    's-1-5-1',
    'S-1-5-',
    'S-1-05-1',
    'S-1-5-01',
    'S-1-5-4294967296',
    'S-1-4294967296-1',
    'S-1-0x5-1',
    'S-1-0x000000000005-1',
    'S-1-0x1000000000000-1',
    'S-1-5-0x10',
    'S-1-5-1\n',
    `S-1-5${'-1'.repeat(16)}`,
  ]) {
    it(`${JSON.stringify(text)} is none`, () => assert.equal(isSid(text), false));
  }

  it('well-known ones have names, those of a domain with its name, and no others', () => {
    const domain = { sid: 'S-1-5-21-1-2-3', name: 'CORP' };
    assert.equal(wellKnownSidName('S-1-5-32-544'), 'BUILTIN\\Administrators');
    assert.equal(wellKnownSidName('S-1-5-21-1-2-3-512', domain), 'CORP\\Domain Admins');
    const named = Array.from({ length: 1000 }, (_, rid) => rid).filter(
      (rid) => wellKnownSidName(`S-1-5-21-1-2-3-${rid}`, domain) !== undefined,
    );
    // MS-DTYP 2.4.2.4.
    assert.deepEqual(
      named,
      [498, 500, 501, 502, 512, 513, 514, 515, 516, 517, 518, 519, 520, 521, 522, 525, 526, 527, 553, 571, 572],
    );
    for (const [rid, name] of [
      [500, 'Administrator'],
      [513, 'Domain Users'],
      [519, 'Enterprise Admins'],
    ] as const) {
      assert.equal(wellKnownSidName(`S-1-5-21-1-2-3-${rid}`, domain), `CORP\\${name}`);
    }
    for (const sid of ['S-1-5-21-1-2-3-1104', 'S-1-5-21-1-2-4-512', 'S-1-5-21-1-2-3-512-512', 'S-1-5-21-1-2-3-0x200']) {
      assert.equal(wellKnownSidName(sid, domain), undefined, sid);
    }
    assert.equal(wellKnownSidName('S-1-5-21-1-2-3-512', { ...domain, name: '' }), undefined);
  });
});
