import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeBase64, encodeBase64 } from '../../src/formats/base64.ts';

const runs = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000);

describe('base64 (RFC 4648 section 4)', () => {
  it('gives back what was encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        assert.deepEqual(new Uint8Array(decodeBase64(encodeBase64(bytes)) ?? []), bytes);
      }),
      { numRuns: Math.min(runs, 2000) },
    );
  });

  const refused: readonly (readonly [string, string])[] = [
    ['a character outside the alphabet', 'TlRM*VNT'],
    ['the URL-safe alphabet', 'TlRM_-NT'],
    ['an inner space', 'TlRM TVNT'],
    ['a line break', 'TlRM\nTVN'],
    ['missing padding', 'TlRMTVM'],
    ['padding in the middle', 'Tl==TVNT'],
    ['three padding characters', 'T==='],
    ['nothing but padding', '===='],
    ['bits left over after one byte', 'TR=='],
    ['bits left over after two bytes', 'TlS='],
    ['text after the padding', 'TQ==TQ=='],
  ];
  for (const [what, text] of refused) {
    it(`A02: refuses ${what}`, () => {
      assert.equal(decodeBase64(text), undefined);
      // What Node itself makes of it: the reason for this module.
      assert.ok(Buffer.from(text, 'base64') instanceof Buffer);
    });
  }

  it('takes canonical text of every length', () => {
    for (const [text, hex] of [
      ['', ''],
      ['TQ==', '4d'],
      ['TlQ=', '4e54'],
      ['TlRM', '4e544c'],
    ] as const) {
      assert.equal(Buffer.from(decodeBase64(text) ?? []).toString('hex'), hex);
    }
  });
});
