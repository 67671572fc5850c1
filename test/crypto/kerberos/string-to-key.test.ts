import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stringToKey } from '../../../src/crypto/kerberos/string-to-key.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const athena = 'ATHENA.MIT.EDUraeburn';

interface Vector {
  readonly from: string;
  readonly type: number;
  readonly rounds?: number;
  readonly password: string;
  readonly salt: string | Buffer;
  readonly key: string;
}

const vectors: readonly Vector[] = [
  {
    ...{ from: 'RFC 3962 appendix B', type: 17, rounds: 1, password: 'password', salt: athena },
    key: '42263c6e 89f4fc28 b8df68ee 09799f15',
  },
  {
    ...{ from: 'RFC 3962 appendix B', type: 18, rounds: 1, password: 'password', salt: athena },
    key: 'fe697b52 bc0d3ce1 4432ba03 6a92e65b bb522809 90a2fa27 883998d7 2af30161',
  },
  {
    ...{ from: 'RFC 3962 appendix B', type: 17, rounds: 1200, password: 'password', salt: athena },
    key: '4c01cd46 d632d01e 6dbe230a 01ed642a',
  },
  {
    ...{ from: 'RFC 3962 appendix B', type: 18, rounds: 1200, password: 'password', salt: athena },
    key: '55a6ac74 0ad17b48 46941051 e1e8b0a7 548d93b0 ab30a8bc 3ff16280 382b8c2a',
  },
  {
    ...{ from: 'RFC 3962 appendix B', type: 18, rounds: 5, password: 'password', salt: hex('1234567878563412') },
    key: '97a4e786 be20d81a 382d5ebc 96d5909c abcdadc8 7ca48f57 4504159f 16c36e31',
  },
  {
    ...{ from: 'RFC 8009 appendix A', type: 19, password: 'password' },
    salt: Buffer.concat([hex('10df9dd783e5bc8acea1730e74355f61'), Buffer.from(athena)]),
    key: '089bca48 b105ea6e a77ca5d2 f39dc5e7',
  },
  {
    ...{ from: 'RFC 8009 appendix A', type: 20, password: 'password' },
    salt: Buffer.concat([hex('10df9dd783e5bc8acea1730e74355f61'), Buffer.from(athena)]),
    key: '45bd806d bf6a833a 9cffc1c9 4589a222 367a79bc 21c41371 8906e9f5 78a78467',
  },
  // MS-NLMP section 4.2.2.1.2: the key of RC4 is NTOWFv1.
  { from: 'MS-NLMP', type: 23, password: 'Password', salt: 'ignored', key: 'a4f49c40 6510bdca b6824ee7 c30fd852' },
];

describe('stringToKey', () => {
  for (const { from, type, rounds, password, salt, key } of vectors) {
    it(`${from}: encryption type ${type}, ${rounds ?? 'default'} rounds`, () => {
      assert.equal(Buffer.from(stringToKey(type, password, salt, rounds)).toString('hex'), hex(key).toString('hex'));
    });
  }

  it('uses the default rounds of each type', () => {
    for (const [type, rounds] of [
      [17, 4096],
      [18, 4096],
      [19, 32_768],
      [20, 32_768],
    ] as const) {
      assert.deepEqual(stringToKey(type, 'pässword', 'REALMä'), stringToKey(type, 'pässword', 'REALMä', rounds));
    }
  });

  it('knows no other type', () => assert.throws(() => stringToKey(3, 'password', 'salt'), RangeError));
});
