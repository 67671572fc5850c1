/** KerberosTime, RFC 4120 section 5.2.3. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  decodeKerberosTime,
  encodeKerberosTime,
  kerberosTimeContent,
  LAST_KERBEROS_TIME,
} from '../../../src/formats/kerberos/kerberos-time.ts';

const decode = (text: string, last?: number): number => decodeKerberosTime(Buffer.from(text, 'latin1'), 'time', last);

describe('a KerberosTime', () => {
  it('is read as the runtime reads the same time, and written again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LAST_KERBEROS_TIME / 1000 }), (seconds) => {
        const text = Buffer.from(kerberosTimeContent(seconds * 1000)).toString('latin1');
        const iso = text.replace(/^(....)(..)(..)(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z');
        assert.equal(Date.parse(iso), seconds * 1000);
        assert.equal(decode(text, LAST_KERBEROS_TIME), seconds * 1000);
      }),
    );
  });

  it('loses its fraction of a second', () => {
    const element = encodeKerberosTime(Date.UTC(2024, 1, 29, 23, 59, 58, 999));
    assert.equal(Buffer.from(element).toString('latin1'), '\x18\x0f20240229235958Z');
  });

  it('has 32 bits of seconds where it is of a ticket', () => {
    assert.equal(decode('21060207062815Z'), 0xffff_ffff * 1000);
    assert.throws(() => decode('21060207062816Z'), { field: 'time' });
    assert.equal(decode('19700101000000Z'), 0);
    assert.equal(decode('99991231235959Z', LAST_KERBEROS_TIME), LAST_KERBEROS_TIME);
  });

  for (const [text, what] of [
    ['', 'empty'],
    ['20240229235958', 'not in UTC'],
    ['20240229235958z', 'with a small z'],
    ['20240229235958Z ', 'with a byte too many'],
    ['2024022923595Z', 'cut off'],
    ['20240229235958.5Z', 'with a fraction'],
    ['2024022923595/Z', 'with a byte below the digits'],
    ['2024022923595:Z', 'with a byte above the digits'],
    ['+0240229235958Z', 'with a sign'],
    ['20230229235958Z', 'on a day that the year does not have'],
    ['21000229000000Z', 'on a leap day of a century'],
    ['20240431000000Z', 'on the 31st of April'],
    ['20240400000000Z', 'on day 0'],
    ['20241301000000Z', 'in month 13'],
    ['20240001000000Z', 'in month 0'],
    ['20240101240000Z', 'at hour 24'],
    ['20240101006000Z', 'at minute 60'],
    ['20240101000060Z', 'at second 60'],
    ['19691231235959Z', 'before 1970'],
    ['00700101000000Z', 'in the year 70'],
  ] as const) {
    it(`is refused: ${what}`, () => {
      assert.throws(() => decode(text, LAST_KERBEROS_TIME), { field: 'time', message: /is not a KerberosTime/ });
    });
  }
});
