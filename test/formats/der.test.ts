import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MalformedTokenError } from '../../src/foundation/errors.ts';
import {
  contextTag,
  DER_MAX_DEPTH,
  DER_OCTET_STRING,
  DER_SEQUENCE,
  derElement,
  derEnumerated,
  derInteger,
  derObjectIdentifier,
  derOctetString,
  DerReader,
} from '../../src/formats/der.ts';

const fuzzRuns = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000);

const reader = (hex: string): DerReader => new DerReader(Buffer.from(hex, 'hex'));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** A value, or the message of the MalformedTokenError; any other error fails the test. */
function outcome<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof MalformedTokenError, `foreign error: ${String(error)}`);
    return `refused: ${error.message}`;
  }
}

describe('DerReader, headers', () => {
  it('reads short and long lengths and gives views of the input', () => {
    const long = Buffer.alloc(300, 7);
    const bytes = derElement(DER_OCTET_STRING, long);
    assert.equal(hex(bytes.subarray(0, 4)), '0482012c');
    const read = new DerReader(bytes).octetString('x');
    assert.deepEqual(Buffer.from(read), long);
    assert.equal(read.buffer, bytes.buffer);
    assert.equal(hex(new DerReader(Uint8Array.of(4, 0)).octetString('x')), '');
  });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['nothing', '', /x at offset 0: is missing/],
    ['a tag alone', '04', /is cut off/],
    ['indefinite length (B01)', '048000000000', /indefinite length/],
    ['length 5 in two bytes (B01)', '0481050102030405', /shortest form/],
    ['length 200 with a zero in front (B01)', '048200c8' + '00'.repeat(200), /shortest form/],
    ['length 0x1000000 with a zero in front (B01)', '04840001000000', /shortest form/],
    ['length beyond the end (B01)', '04050102', /needs 5 bytes, 2 are left/],
    ['length 2^32-1 (B01)', '0484ffffffff00', /needs 4294967295 bytes/],
    ['length of five bytes (B01)', '04850100000000', /length of 5 bytes/],
    ['length of 127 bytes (B01)', '04ff' + '01'.repeat(127), /length of 127 bytes/],
    ['cut off in the length', '048201', /is cut off/],
    ['high tag number (B01)', '1f040100', /tag above 30/],
    ['another tag', '02010a', /has tag 0x02, not 0x04/],
    ['constructed OCTET STRING', '2403040100', /has tag 0x24, not 0x04/],
  ];
  for (const [name, input, message] of refused) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => reader(input).octetString('x'),
        (error) => error instanceof MalformedTokenError && message.test(error.message),
      );
    });
  }

  it('never reads beyond its own level', () => {
    // The SEQUENCE has 3 bytes, the OCTET STRING in it claims 4, and the bytes are there.
    const outer = reader('3003040401020304');
    const inner = outer.enter(DER_SEQUENCE, 'outer');
    assert.throws(() => inner.octetString('inner'), /inner at offset 2: needs 4 bytes, 1 are left/);
  });

  it('reads and writes the length at which its form changes', () => {
    for (const [length, header] of [
      [0x7f, '047f'],
      [0x80, '048180'],
      [0xff, '0481ff'],
      [0x100, '04820100'],
      [0xffff, '0482ffff'],
      [0x10000, '0483010000'],
      [0xffffff, '0483ffffff'],
      [0x1000000, '048401000000'],
    ] as const) {
      const bytes = derOctetString(new Uint8Array(length));
      assert.equal(hex(bytes.subarray(0, bytes.byteLength - length)), header);
      const level = new DerReader(bytes);
      assert.equal(level.octetString('x').byteLength, length);
      level.expectEnd('x');
    }
  });

  it('knows where its level ends: what comes after it is not its own', () => {
    const outer = reader('3000a1020500');
    const inner = outer.enter(DER_SEQUENCE, 'x');
    assert.equal(inner.peek(), undefined);
    assert.equal(inner.enterOptional(contextTag(1), 'x'), undefined);
    assert.throws(() => inner.enter(contextTag(1), 'x'), /is missing/);
    assert.equal(hex(outer.rest()), 'a1020500');
    assert.equal(outer.remaining, 0);
  });

  it('says what is too much', () => {
    const outer = reader('300400000000ff');
    outer.enter(DER_SEQUENCE, 'x');
    assert.throws(() => outer.expectEnd('x'), /x at offset 6: 1 bytes too many/);
  });

  it('goes no deeper than its bound (B02)', () => {
    let bytes: Uint8Array = new Uint8Array(0);
    for (let depth = 0; depth < 10_000; depth++) bytes = derElement(DER_SEQUENCE, bytes);
    let level = new DerReader(bytes);
    let depth = 0;
    assert.throws(() => {
      for (;;) {
        level = level.enter(DER_SEQUENCE, 'x');
        depth++;
      }
    }, /deeper than 16 elements/);
    assert.equal(depth, DER_MAX_DEPTH);
  });

  it('enters optional elements only where they are', () => {
    const level = reader('a1020500a2020500');
    assert.equal(level.enterOptional(contextTag(0), 'zero'), undefined);
    assert.equal(level.enterOptional(contextTag(1), 'one')?.remaining, 2);
    assert.equal(hex(level.element(contextTag(2), 'two')), 'a2020500');
    assert.equal(level.enterOptional(contextTag(3), 'three'), undefined);
    level.expectEnd('x');
  });

  it('reads an element with an explicit tag around it, and nothing else', () => {
    const level = reader('a0030201 05 a1040402 abcd 0500'.replaceAll(' ', ''));
    assert.equal(level.explicitInteger(contextTag(0), 'zero'), 5);
    assert.equal(hex(level.explicitContent(contextTag(1), DER_OCTET_STRING, 'one')), 'abcd');
    assert.equal(hex(level.rest()), '0500');
  });

  const explicit: readonly (readonly [string, string, RegExp])[] = [
    ['nothing inside', 'a0000500', /has tag 0x05, not 0x02|is missing/],
    ['something behind the element', 'a005020105' + '0500', /does not fill its explicit tag/],
    ['an element that leaves the tag (B01)', 'a003020205' + '0500', /does not fill its explicit tag/],
    ['an element that leaves the token (B01)', 'a003020905', /needs 9 bytes/],
    ['another tag outside', 'a103020105', /has tag 0xa1, not 0xa0/],
    ['another tag inside', 'a003040105', /has tag 0x04, not 0x02/],
  ];
  for (const [name, input, message] of explicit) {
    it(`refuses, with an explicit tag, ${name}`, () => {
      assert.throws(
        () => reader(input).explicitInteger(contextTag(0), 'x'),
        (error) => error instanceof MalformedTokenError && message.test(error.message),
      );
      const asOctets = input.replace(/^a0(..)02/, 'a0$104').replace('a003040105', 'a003020105');
      assert.throws(
        () => reader(asOctets).explicitContent(contextTag(0), DER_OCTET_STRING, 'x'),
        (error) => error instanceof MalformedTokenError,
      );
    });
  }

  it('refuses a range outside of its bytes', () => {
    for (const [start, end] of [
      [-1, 1],
      [2, 1],
      [0, 3],
      [NaN, 1],
    ] as const) {
      assert.throws(() => new DerReader(new Uint8Array(2), start, end), RangeError);
    }
  });
});

describe('DerReader, numbers', () => {
  const numbers: readonly (readonly [number, string])[] = [
    [0, '020100'],
    [1, '020101'],
    [127, '02017f'],
    [128, '02020080'],
    [255, '020200ff'],
    [256, '02020100'],
    [0x7fffffff, '02047fffffff'],
    [0x80000000, '02050080000000'],
    [0xffffffff, '020500ffffffff'],
    [-1, '0201ff'],
    [-128, '020180'],
    [-129, '0202ff7f'],
    [-0x80000000, '020480000000'],
    [0xc000006d, '020500c000006d'],
  ];
  for (const [value, encoded] of numbers) {
    it(`reads and writes ${value}`, () => {
      assert.equal(hex(derInteger(value)), encoded);
      assert.equal(reader(encoded).integer('x'), value);
    });
  }
  for (const encoded of [
    '0200',
    '02020000',
    '0202007f',
    '0202ffff',
    '0202ff80',
    '0205ff00000000',
    '02050100000000',
    '0206000000000000',
  ]) {
    it(`refuses ${encoded}`, () => {
      assert.match(String(outcome(() => reader(encoded).integer('x'))), /^refused/);
    });
  }
  it('writes no number wider than 32 bits', () => {
    for (const value of [0x100000000, -0x80000001, 1.5, NaN]) assert.throws(() => derInteger(value), RangeError);
  });
  it('tells ENUMERATED from INTEGER', () => {
    assert.equal(hex(derEnumerated(3)), '0a0103');
    assert.equal(reader('0a0103').enumerated('x'), 3);
    assert.throws(() => reader('020103').enumerated('x'), /has tag 0x02, not 0x0a/);
  });
});

describe('DerReader, BIT STRING', () => {
  it('reads bits and refuses what is not canonical', () => {
    assert.deepEqual(reader('03020176').bitString('x'), { bytes: Buffer.from('76', 'hex'), unusedBits: 1 });
    assert.deepEqual(reader('03020780').bitString('x'), { bytes: Buffer.from('80', 'hex'), unusedBits: 7 });
    assert.equal(reader('030100').bitString('x').bytes.byteLength, 0);
    for (const encoded of ['0300', '030101', '03020800', '03020177']) {
      assert.match(String(outcome(() => reader(encoded).bitString('x').unusedBits)), /^refused/);
    }
  });
});

describe('DerReader, OBJECT IDENTIFIER', () => {
  const oids: readonly (readonly [string, string])[] = [
    ['1.3.6.1.5.5.2', '06062b0601050502'],
    ['1.2.840.113554.1.2.2', '06092a864886f712010202'],
    ['1.2.840.48018.1.2.2', '06092a864882f712010202'],
    ['1.3.6.1.4.1.311.2.2.10', '060a2b06010401823702020a'],
    ['0.0', '060100'],
    ['2.999.4294967295', '06078837' + '8fffffff7f'],
    ['2.5.29', '0602551d'],
    ['1.39.127.128', '06044f7f8100'],
    ['2.0', '060150'],
    [`0.1${'.1'.repeat(63)}`, '0640' + '01'.repeat(64)],
  ];
  for (const [dotted, encoded] of oids) {
    it(`reads and writes ${dotted}`, () => {
      assert.equal(hex(derObjectIdentifier(dotted)), encoded);
      assert.equal(reader(encoded).objectIdentifier('x'), dotted);
    });
  }
  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['no arc', '0600', /OID of 0 bytes/],
    ['an arc of 33 bits (B03)', '06062b9080808000', /more than 32 bits/],
    ['an arc of nine bytes (B03)', '060a2bffffffffffffffff7f', /more than 32 bits/],
    ['an arc with a zero in front', '06032b8001', /shortest form/],
    ['an arc that does not end', '06022b86', /cut off/],
    ['more than 64 bytes (B03)', '0641' + '01'.repeat(65), /OID of 65 bytes/],
  ];
  for (const [name, encoded, message] of refused) {
    it(`refuses ${name}`, () => {
      assert.match(
        outcome(() => reader(encoded).objectIdentifier('x')),
        message,
      );
    });
  }
  it('writes nothing that is not one', () => {
    for (const text of ['', '1', '3.1', '1.40', '1.2.', '1..2', '1.02', '1.2.4294967296', '1.a', '-1.2', '1.2.1e3']) {
      assert.throws(() => derObjectIdentifier(text), RangeError, text);
    }
  });
});

describe('DER, properties', () => {
  it('reads back what it wrote', () => {
    const oid = fc
      .tuple(fc.nat(2), fc.nat(39), fc.array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 10 }))
      .map(([first, second, rest]) => [first, second, ...rest].join('.'));
    fc.assert(
      fc.property(
        oid,
        fc.integer({ min: -0x80000000, max: 0xffffffff }),
        fc.uint8Array({ maxLength: 400 }),
        (dotted, number, octets) => {
          const bytes = derElement(
            DER_SEQUENCE,
            derObjectIdentifier(dotted),
            derInteger(number),
            derOctetString(octets),
          );
          const outer = new DerReader(bytes);
          const fields = outer.enter(DER_SEQUENCE, 'all');
          outer.expectEnd('all');
          assert.equal(fields.objectIdentifier('oid'), dotted);
          assert.equal(fields.integer('number'), number);
          assert.deepEqual(Buffer.from(fields.octetString('octets')), Buffer.from(octets));
          fields.expectEnd('all');
        },
      ),
      { numRuns: fuzzRuns },
    );
  });

  it('takes one encoding of every value: what it accepts, it writes back byte for byte', () => {
    const kinds: readonly [string, (bytes: Uint8Array) => Uint8Array][] = [
      ['02', (bytes) => derInteger(new DerReader(bytes).integer('x'))],
      ['06', (bytes) => derObjectIdentifier(new DerReader(bytes).objectIdentifier('x'))],
      ['04', (bytes) => derOctetString(new DerReader(bytes).octetString('x'))],
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...kinds),
        fc.uint8Array({ maxLength: 12 }),
        fc.boolean(),
        ([tag, rewrite], rest, fits) => {
          const bytes = Uint8Array.of(parseInt(tag, 16), ...(fits ? [rest.byteLength, ...rest] : rest));
          const written = outcome(() => rewrite(bytes));
          if (typeof written !== 'string') assert.equal(hex(written), hex(bytes.subarray(0, written.byteLength)));
        },
      ),
      { numRuns: fuzzRuns },
    );
  });
});
