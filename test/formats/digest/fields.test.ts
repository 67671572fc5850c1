import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MalformedTokenError } from '../../../src/foundation/errors.ts';
import { formatDigestChallenge } from '../../../src/formats/digest/challenge.ts';
import { claimedUserName, parseDigestCredentials } from '../../../src/formats/digest/credentials.ts';
import {
  DIGEST_FIELDS_MAX_BYTES,
  DIGEST_FIELDS_MAX_COUNT,
  parseDigestFields,
} from '../../../src/formats/digest/fields.ts';

const numRuns = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const values = (text: string): Record<string, string> =>
  Object.fromEntries([...parseDigestFields(utf8(text))].map(([name, { value }]) => [name, value]));
const malformed = (text: string | Uint8Array): void => {
  assert.throws(() => parseDigestFields(typeof text === 'string' ? utf8(text) : text), MalformedTokenError);
};

describe('parseDigestFields', () => {
  const accepted: [string, string, Record<string, string>][] = [
    ['nothing', '', {}],
    ['only spaces and commas', ' \t, ,,', {}],
    ['a token', 'qop=auth', { qop: 'auth' }],
    ['a quoted-string', 'qop="auth"', { qop: 'auth' }],
    ['an empty quoted-string', 'realm=""', { realm: '' }],
    ['space around "=" and ","', ' a = b\t,\tc="d" ', { a: 'b', c: 'd' }],
    ['no space at all', 'a=b,c="d",e=f', { a: 'b', c: 'd', e: 'f' }],
    ['comma, "=" and space inside quotes', 'a="b, c=d",e=f', { a: 'b, c=d', e: 'f' }],
    ['names in any case', 'NONCE=x', { nonce: 'x' }],
    ['text in UTF-8', 'username="Jäsøn Doe"', { username: 'Jäsøn Doe' }],
    ['an ext-value', "username*=UTF-8''a%20b", { 'username*': "UTF-8''a%20b" }],
  ];
  for (const [name, text, expected] of accepted) {
    it(`takes ${name}`, () => assert.deepEqual(values(text), expected));
  }

  const quotedPairs: [string, string, string][] = [
    [String.raw`"a\"b"`, 'a"b', 'a"b'],
    [String.raw`"a\\b"`, String.raw`a\b`, String.raw`a\b`],
    [String.raw`"DOM\user"`, 'DOMuser', String.raw`DOM\user`],
    [String.raw`"DOM\\user"`, String.raw`DOM\user`, String.raw`DOM\user`],
    [String.raw`"\\\"\x"`, String.raw`\"x`, String.raw`\"\x`],
    ['"\\\u{1F600}"', '\u{1F600}', '\\\u{1F600}'],
  ];
  for (const [written, value, literal] of quotedPairs) {
    it(`E09: reads ${written} both ways`, () => {
      const field = parseDigestFields(utf8(`username=${written}`)).get('username');
      assert.deepEqual(field, { value, literal, raw: written.slice(1, -1), quoted: true });
    });
  }

  const refused: [string, string | Uint8Array][] = [
    ['E09: an unterminated quote', 'a="b'],
    ['E09: a quote that only an escape ends', String.raw`a="b\"`],
    ['E09: text after a quoted-string', 'a="b"junk'],
    ['E09: two quoted-strings', 'a="b""c"'],
    ['a name without value', 'a'],
    ['a name with "=" alone', 'a='],
    ['a value without name', '=b'],
    ['another sign where "=" belongs', 'a:b'],
    ['another sign before a quoted-string', 'a/"b"'],
    ['a space where "=" belongs', 'a b'],
    ['a semicolon as separator', 'a=b; c=d'],
    ['a space as separator', 'a=b c=d'],
    ['a bare backslash', 'a=b\\c'],
    ['raw UTF-8 in a token', 'a=ä'],
    ['E10: a name twice', 'nonce="x", nonce="x"'],
    ['E10: a name twice, in other case', 'nonce="x", Nonce="y"'],
    ['A09: a line break in a value', 'a="b\r\nc"'],
    ['A09: NUL in a value', 'a="b\0"'],
    ['A09: an escaped control character', 'a="b\\\u0001"'],
    ['A09: a tab in a value', 'a="b\tc"'],
    ['A09: DEL in a value', 'a="\u007f"'],
    ['A09: a control character of C1', 'a="\u0085"'],
    ['A09: a line break between parameters', 'a=b,\r\n c=d'],
    ['E14: a lone continuation byte', latin1('a="\x80"')],
    ['E14: an overlong form', latin1('a="\xc0\x80"')],
    ['E14: a surrogate', latin1('a="\xed\xa0\x80"')],
    ['E14: Latin-1', latin1('a="J\xe4s\xf8n"')],
    ['E09: 10 000 parameters', Array.from({ length: 10_000 }, (_, n) => `p${n}=1`).join()],
    ['E09: one parameter too many', Array.from({ length: DIGEST_FIELDS_MAX_COUNT + 1 }, (_, n) => `p${n}=1`).join()],
    ['E09: a value of 1 MiB', `a="${'x'.repeat(2 ** 20)}"`],
    ['E09: 1 MiB of backslashes', `a="${'\\'.repeat(2 ** 20)}`],
    ['E09: one byte too many', `a="${'x'.repeat(DIGEST_FIELDS_MAX_BYTES - 3)}"`],
  ];
  for (const [name, text] of refused) {
    it(`refuses ${name}`, () => malformed(text));
  }

  it('takes as many parameters and bytes as it says', () => {
    const many = Array.from({ length: DIGEST_FIELDS_MAX_COUNT }, (_, n) => `p${n}=1`).join();
    assert.equal(parseDigestFields(utf8(many)).size, DIGEST_FIELDS_MAX_COUNT);
    assert.equal(values(`a="${'x'.repeat(DIGEST_FIELDS_MAX_BYTES - 4)}"`)['a']?.length, DIGEST_FIELDS_MAX_BYTES - 4);
  });

  it('E11: takes names of prototypes for names', () => {
    const fields = parseDigestFields(utf8('__proto__="x", constructor=y, toString=z'));
    assert.deepEqual([...fields.keys()], ['__proto__', 'constructor', 'tostring']);
    assert.equal(({} as Record<string, unknown>)['x'], undefined);
    assert.equal(Object.hasOwn(Object.prototype, 'x'), false);
  });

  it('names the field and the offset, never the bytes', () => {
    assert.throws(
      () => parseDigestFields(utf8('username="secret')),
      (error: unknown) =>
        error instanceof MalformedTokenError &&
        error.field === 'quoted-string' &&
        error.offset === 9 &&
        !error.message.includes('secret'),
    );
  });

  it('A03: throws nothing but MalformedTokenError, whatever the bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .array(fc.constantFrom('a', '=', '"', '\\', ',', ' ', '\t', '\0', 'é', "'", '*'), { maxLength: 60 })
        .map((parts) => utf8(parts.join(''))),
    );
    const property = fc.property(bytes, (input) => {
      try {
        for (const { value, literal } of parseDigestFields(input).values()) {
          // eslint-disable-next-line no-control-regex -- what must not be there
          assert.doesNotMatch(value + literal, /[\u0000-\u001f\u007f-\u009f]/);
        }
      } catch (error) {
        if (!(error instanceof MalformedTokenError)) throw error;
      }
    });
    fc.assert(property, { numRuns });
  });
});

describe('formatDigestChallenge', () => {
  const challenge = { realm: 'a', nonce: 'n', algorithm: 'SHA-256', qualitiesOfProtection: ['auth'] };

  it('quotes what RFC 7616 section 3.3 wants quoted, and nothing else', () => {
    assert.equal(
      formatDigestChallenge({ ...challenge, stale: true }),
      'realm="a", nonce="n", qop="auth", algorithm=SHA-256, charset=UTF-8, stale=true',
    );
    assert.doesNotMatch(formatDigestChallenge({ ...challenge, stale: false }), /stale/);
  });

  it('A09: refuses a control character', () => {
    for (const realm of ['a\r\nSet-Cookie: x', 'a\0', '\u0085']) {
      assert.throws(() => formatDigestChallenge({ ...challenge, realm }), MalformedTokenError);
    }
  });

  it('writes what parseDigestFields reads', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((value) => !/\p{Cc}/u.test(value));
    const property = fc.property(text, (realm) => {
      const fields = parseDigestFields(utf8(formatDigestChallenge({ ...challenge, realm })));
      assert.equal(fields.get('realm')?.value, realm);
      assert.equal(fields.get('realm')?.literal, realm);
      assert.equal(fields.size, 5);
    });
    fc.assert(property, { numRuns });
  });
});

describe('parseDigestCredentials', () => {
  const parts: Record<string, string> = {
    username: '"Mufasa"',
    realm: '"http-auth@example.org"',
    nonce: '"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"',
    uri: '"/dir/index.html"',
    algorithm: 'SHA-256',
    nc: '00000001',
    cnonce: '"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"',
    qop: 'auth',
    opaque: '"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
    response: '"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"',
  };
  const written = (changes: Record<string, string | undefined>): Uint8Array =>
    utf8(
      Object.entries({ ...parts, ...changes })
        .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]))
        .join(', '),
    );

  it('reads the example of RFC 7616 section 3.9.1', () => {
    assert.deepEqual(parseDigestCredentials(written({})), {
      userNames: ['Mufasa'],
      userHash: false,
      realms: ['http-auth@example.org'],
      nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
      uris: ['/dir/index.html'],
      response: '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
      algorithm: 'SHA-256',
      clientNonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
      qualityOfProtection: 'auth',
      nonceCount: '00000001',
      opaque: 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS',
    });
  });

  it('takes qop, nc and algorithm quoted, as Windows writes them', () => {
    const credentials = parseDigestCredentials(written({ qop: '"auth"', nc: '"00000001"', algorithm: '"MD5"' }));
    assert.equal(credentials.qualityOfProtection, 'auth');
    assert.equal(credentials.nonceCount, '00000001');
    assert.equal(credentials.algorithm, 'MD5');
  });

  it('takes a missing algorithm for MD5 and a missing opaque for none', () => {
    const credentials = parseDigestCredentials(written({ algorithm: undefined, opaque: undefined }));
    assert.equal(credentials.algorithm, 'MD5');
    assert.equal(credentials.opaque, undefined);
  });

  it('reads username* of RFC 7616 section 3.9.2', () => {
    const credentials = parseDigestCredentials(
      written({ username: undefined, 'username*': "UTF-8''J%C3%A4s%C3%B8n%20Doe" }),
    );
    assert.deepEqual(credentials.userNames, ['Jäsøn Doe']);
  });

  it(String.raw`E09: gives both readings of "DOM\user", the one of the RFC first`, () => {
    assert.deepEqual(parseDigestCredentials(written({ username: String.raw`"DOM\user"` })).userNames, [
      'DOMuser',
      String.raw`DOM\user`,
    ]);
  });

  it('gives the readings of a URI with backslashes, each once, and of a realm', () => {
    for (const [uri, readings] of [
      [String.raw`"/f?p=C:\dir\x"`, ['/f?p=C:dirx', String.raw`/f?p=C:\dir\x`]],
      [
        String.raw`"/f?p=\\server\x"`,
        [String.raw`/f?p=\serverx`, String.raw`/f?p=\server\x`, String.raw`/f?p=\\server\x`],
      ],
      [String.raw`"/f?p=C:\dir\"`, [String.raw`/f?p=C:\dir\"`.slice(0, -1)]],
      ['"/dir"', ['/dir']],
    ] as const) {
      assert.deepEqual(parseDigestCredentials(written({ uri })).uris, readings, uri);
    }
    const { realms } = parseDigestCredentials(written({ realm: String.raw`"CORP\web"` }));
    assert.deepEqual(realms, ['CORPweb', String.raw`CORP\web`]);
  });

  it('takes a name or realm of one byte a character, as clients send it that know no other', () => {
    const bytes = Buffer.from(
      Buffer.from(written({ username: '"jörg"', realm: '"Zürich"' })).toString('utf8'),
      'latin1',
    );
    const { userNames, realms } = parseDigestCredentials(bytes);
    assert.deepEqual([userNames, realms], [['jörg'], ['Zürich']]);
  });

  describe('claimedUserName, for the log of what cannot be read', () => {
    for (const [text, name] of [
      ['username="alice", realm=', 'alice'],
      ['realm="x", username="alice', 'alice'],
      ['realm="x",username=alice, nc', 'alice'],
      ["USERNAME* = UTF-8''J%C3%A4, x", "UTF-8''J%C3%A4"],
      [String.raw`username="DOM\alice"`, String.raw`DOM\alice`],
      [String.raw`username="a\"b" x`, String.raw`a\"b`],
      ['xusername="alice"', undefined],
      ['', undefined],
      ['username', undefined],
      [`username="${'x'.repeat(300)}"`, 'x'.repeat(256)],
      ['username="'.repeat(800), 'username='.slice(0, 9)],
    ] as const) {
      it(`${JSON.stringify(text.slice(0, 40))}: ${name?.slice(0, 20)}`, () => {
        assert.equal(claimedUserName(utf8(text)), name);
      });
    }
  });

  const refused: [string, Record<string, string | undefined>][] = [
    ...['username', 'realm', 'nonce', 'uri', 'response'].map((name): [string, Record<string, undefined>] => [
      `no ${name}`,
      { [name]: undefined },
    ]),
    ['E04: no cnonce', { cnonce: undefined }],
    ['E04: an empty cnonce', { cnonce: '""' }],
    ['E04: qop without nc', { nc: undefined }],
    ['E04, E05: nc without qop', { qop: undefined }],
    ['E05: the form of RFC 2069', { qop: undefined, nc: undefined, cnonce: undefined }],
    ['E05: two values of qop', { qop: '"auth,auth-int"' }],
    ...['0', '0000001', '000000001', '0x000001', '-0000001', '+0000001', '0000000g', '"0000001 "', '1e000000x'].map(
      (nc): [string, Record<string, string>] => [`E02: nc=${nc}`, { nc }],
    ),
    ['E10: username and username*', { 'username*': "UTF-8''Mufasa" }],
    ['E21: an empty response', { response: '""' }],
    ['E21: a response that is not hexadecimal', { response: '"g"' }],
    ['E12: userhash=maybe', { userhash: 'maybe' }],
    ...[
      "ISO-8859-1''J%E4s",
      "UTF-8''%E4",
      "UTF-8''%C0%80",
      "UTF-8''%00",
      "UTF-8''%C2%85",
      "UTF-8''%",
      "UTF-8''%4",
      "UTF-8'a",
      "''a",
      `"UTF-8''a"`,
    ].map((value): [string, Record<string, string | undefined>] => [
      `E14: username*=${value}`,
      { username: undefined, 'username*': value },
    ]),
  ];
  for (const [name, changes] of refused) {
    it(`refuses ${name}`, () => {
      assert.throws(() => parseDigestCredentials(written(changes)), MalformedTokenError);
    });
  }

  it('A03: refuses every prefix of valid credentials', () => {
    const whole = written({});
    for (let length = 0; length < whole.byteLength; length++) {
      assert.throws(() => parseDigestCredentials(whole.subarray(0, length)), MalformedTokenError, `${length} bytes`);
    }
  });
});
