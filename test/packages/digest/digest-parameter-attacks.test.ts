/** Hostile parameters of Digest credentials: each with the status it comes to, which tells nothing of the accounts. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import * as Sspi from '../../../src/sspi/index.ts';
import { answerChallenge, computeResponse, quote, readChallenge } from './digest-client.ts';
import type { AnswerOptions } from './digest-client.ts';
import { DigestServer, REALM, TestAccounts, asHeader, sourceOf } from './digest-server.ts';
import { DENIED, MALFORMED, OK, statusOf } from './digest-results.ts';
import type { Deviation } from './digest-results.ts';

const BACKSLASHES = String.raw`/f?p=C:\dir\x`;

describe('Digest under attack: parameters', () => {
  const cases: [string, string, Deviation][] = [
    ['E04: no cnonce', MALFORMED, { write: { cnonce: undefined } }],
    ['E04: an empty cnonce', MALFORMED, { cnonce: '' }],
    ['E04: no nc', MALFORMED, { write: { nc: undefined } }],
    ['E04: nc without qop', MALFORMED, { write: { qop: undefined } }],
    ['E05: qop=auth-int', DENIED, { compute: { qop: 'auth-int' }, write: { qop: 'auth-int' } }],
    ['E05: qop="auth,auth-int"', MALFORMED, { write: { qop: '"auth,auth-int"' } }],
    // The nonce is not bound to the algorithm of its challenge; the algorithm must be one that is offered.
    ['E06: MD5 for a nonce of the SHA-256 challenge', OK, { compute: { hash: 'md5' }, write: { algorithm: 'MD5' } }],
    ['E06: no algorithm, with MD5', OK, { compute: { hash: 'md5' }, write: { algorithm: undefined } }],
    ['E06: no algorithm, with SHA-256', DENIED, { write: { algorithm: undefined } }],
    ['E06: MD5 said and SHA-256 computed', DENIED, { write: { algorithm: 'MD5' } }],
    ['E06: SHA-256 said and MD5 computed', DENIED, { compute: { hash: 'md5' } }],
    [
      'E06: SHA-256 for a nonce of the MD5 challenge',
      OK,
      { algorithm: 'MD5', compute: { hash: 'sha256' }, write: { algorithm: 'SHA-256' } },
    ],
    ['E06: MD5-sess', DENIED, { algorithm: 'MD5', compute: { session: true }, write: { algorithm: 'MD5-sess' } }],
    ['E06: SHA-256-sess', DENIED, { compute: { session: true }, write: { algorithm: 'SHA-256-sess' } }],
    ['E06: SHA-512-256', DENIED, { compute: { hash: 'sha512-256' }, write: { algorithm: 'SHA-512-256' } }],
    ['E06: an algorithm in other case', OK, { write: { algorithm: 'sha-256' } }],
    ['E07: another path', MALFORMED, { target: '/b' }],
    ['E07: the query missing', MALFORMED, { target: '/dir/index.html?x=1' }],
    ['E07: dot segments', OK, { uri: '/dir/../dir/index.html' }],
    ['E07: dot segments that the client did not send', MALFORMED, { target: '/dir/../dir/index.html' }],
    ['E07: percent-encoding of an unreserved character', OK, { uri: '/dir/%69ndex.html' }],
    ['E07: percent-encoding of a reserved one', MALFORMED, { uri: '/dir%2findex.html' }],
    ['E07: backslashes as they are', OK, { uri: BACKSLASHES, target: BACKSLASHES, write: { uri: `"${BACKSLASHES}"` } }],
    ['E07: backslashes as quoted-pairs', OK, { uri: BACKSLASHES, target: BACKSLASHES }],
    ['E07: a backslash at the end', OK, { uri: '/f?p=C:\\', target: '/f?p=C:\\', write: { uri: '"/f?p=C:\\"' } }],
    [
      'E07: a response over another reading than that of the request',
      DENIED,
      { uri: '/f?p=C:dirx', target: BACKSLASHES, write: { uri: `"${BACKSLASHES}"` } },
    ],
    ['E07: two slashes', MALFORMED, { uri: '//dir/index.html' }],
    ['E07: the absolute-form of the target', OK, { uri: 'http://localhost/dir/index.html' }],
    ['E07: an absolute-form with user information', MALFORMED, { uri: 'http://a@localhost/dir/index.html' }],
    ['E07: a target in UTF-8', OK, { uri: '/ä', target: Buffer.from('/ä').toString('latin1') }],
    ['E08: another method on the wire', DENIED, { wire: 'DELETE' }],
    ['E08: the method in other case', DENIED, { wire: 'get' }],
    ['E08: the method of the wire', OK, { method: 'PROPFIND', wire: 'PROPFIND' }],
    ['E10: nonce twice', MALFORMED, { write: { Nonce: '"x"' } }],
    ['E10: username and username*', MALFORMED, { write: { 'username*': "UTF-8''alice" } }],
    ['E11: names of prototypes', OK, { write: { ['__proto__']: 'x', constructor: 'y', toString: '"z"' } }],
    ['E12: userhash=true with a plain name', DENIED, { write: { userhash: 'true' } }],
    ['E12: userhash=false', OK, { write: { userhash: 'false' } }],
    ['E15: another realm', DENIED, { compute: { realm: 'other' }, write: { realm: '"other"' } }],
    [
      'E15: the realm in other case',
      DENIED,
      { compute: { realm: REALM.toUpperCase() }, write: { realm: quote(REALM.toUpperCase()) } },
    ],
    ['E18: an opaque that was never issued', DENIED, { write: { opaque: '"x"' } }],
    ['E21: an empty response', MALFORMED, { write: { response: '""' } }],
    ['E21: a response of MD5 length', DENIED, { write: { response: quote('0'.repeat(32)) } }],
    ['E21: a response one digit long', DENIED, { write: { response: '"0"' } }],
    ['A09: an escaped line break in the name', MALFORMED, { write: { username: '"a\\\r\nb"' } }],
    ['G05: __proto__ as user', DENIED, { userName: '__proto__' }],
    ['G05: hasOwnProperty as user', DENIED, { userName: 'hasOwnProperty' }],
    ['G05: an array index as user', DENIED, { userName: '0' }],
    ['G05: a very long user', DENIED, { userName: 'a'.repeat(7000) }],
    ['G05: an empty user', DENIED, { userName: '' }],
  ];
  for (const [name, status, options] of cases) {
    it(`${name}: ${status}`, () => assert.equal(statusOf(options), status));
  }

  it('E14: a name in ISO 8859-1 is a name: the account, where its client hashed it in UTF-8', () => {
    const server = new DigestServer();
    const account = { userName: 'Jäsøn Doe', password: 'Secret, or not?' };
    const status = (options: AnswerOptions): string =>
      server.status(Uint8Array.from(Buffer.from(answerChallenge(server.challenge(), options), 'latin1')));
    assert.equal(status(account), OK);
    assert.equal(status({ ...account, password: 'wrong' }), DENIED);
    assert.equal(status({ ...account, userName: 'jörg' }), DENIED);
    // Its client hashed the bytes that it sent.
    const inLatin1 = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex');
    assert.equal(status({ ...account, compute: { hash: inLatin1 } }), DENIED);
    // A control character of C1 is none of a name in any of the two.
    assert.equal(status({ userName: 'j\u0094rg' }), MALFORMED);
    assert.deepEqual(
      server.logons.map(({ userName }) => userName),
      ['Jäsøn Doe', 'Jäsøn Doe', 'jörg', 'Jäsøn Doe'],
    );
  });

  it('E04, E07, E09: what is malformed has its account and its fault in the log, and no query', () => {
    const server = new DigestServer();
    const cases: readonly (readonly [Deviation, string])[] = [
      [{ write: { cnonce: undefined } }, 'cnonce: is missing'],
      [{ nc: '0x000001' }, 'nc: does not have its form'],
      [{ write: { response: '"xyz"' } }, 'response: does not have its form'],
      [{ write: { realm: '"a' } }, 'auth-param at offset'],
      [
        { uri: '/a?token=secret', target: '/b?token=secret' },
        'the client asked for /a, and the request is for /b: a proxy may have rewritten the path',
      ],
      [{ uri: '/a?token=secret', target: '/a' }, 'the client asked for /a with another query than that of the request'],
      [{ wire: 'G T' }, 'method: not a token'],
    ];
    for (const [options, text] of cases) {
      const { status, diagnosis } = server.verify(asHeader(answerChallenge(server.challenge(), options)), {
        target: options.target ?? '/dir/index.html',
        method: options.wire ?? 'GET',
      });
      assert.equal(Sspi.statusName(status), MALFORMED);
      assert.equal(diagnosis?.account, 'alice', text);
      assert.ok(diagnosis?.text?.includes(text), diagnosis?.text);
      assert.ok(!JSON.stringify(diagnosis).includes('secret'));
    }
    assert.deepEqual(server.verify('junk').diagnosis, { text: 'auth-param at offset 4: "=" is missing' });
  });

  it('E05: the form of RFC 2069 is refused though its response is right', () => {
    const server = new DigestServer();
    const challenge = server.challenge('MD5');
    const { nonce = '' } = readChallenge(challenge);
    const response = computeResponse({
      ...{ hash: 'md5', userName: 'alice', realm: REALM, password: 'Circle of Life' },
      ...{ method: 'GET', uri: '/dir/index.html', nonce },
    });
    const write = { qop: undefined, nc: undefined, cnonce: undefined, response: quote(response) };
    assert.equal(server.status(answerChallenge(challenge, { write })), MALFORMED);
  });

  it('E12: a hashed name is refused, with userhash=true and without', () => {
    const hashed = createHash('sha256').update(`alice:${REALM}`).digest('hex');
    for (const userhash of ['true', 'false', undefined]) {
      assert.equal(statusOf({ write: { username: quote(hashed), userhash } }), DENIED, userhash);
    }
  });

  it('E13: a response by truncated SHA-512 is refused under every name', () => {
    const hash = (text: string): string => createHash('sha512').update(text).digest('hex').slice(0, 64);
    for (const algorithm of ['SHA-512-256', 'SHA-256']) {
      assert.equal(statusOf({ compute: { hash }, write: { algorithm } }), DENIED);
    }
  });

  it('E21: the response is taken in either case, and in no other length', () => {
    const server = new DigestServer();
    const change = (edit: (response: string) => string): string =>
      server.status(answerChallenge(server.challenge()).replace(/[0-9a-f]{64}(?="$)/, edit));
    assert.equal(
      change((response) => response.toUpperCase()),
      OK,
    );
    for (const edit of [
      (response: string) => response.slice(1),
      (response: string) => `${response}0`,
      (response: string) => response.repeat(2),
      (response: string) => (response.startsWith('0') ? '1' : '0') + response.slice(1),
    ]) {
      assert.equal(change(edit), DENIED);
    }
  });

  it(String.raw`E09: "DOM\user" is verified in both readings, and only where there are two`, () => {
    const cases: [string, string, number, string][] = [
      [String.raw`"EXAMPLE\alice"`, String.raw`EXAMPLE\alice`, 2, OK],
      [String.raw`"EXAMPLE\\alice"`, String.raw`EXAMPLE\alice`, 1, OK],
      [String.raw`"al\ice"`, 'alice', 1, OK],
      [String.raw`"EXAMPLE\alice"`, 'EXAMPLEalice', 2, DENIED],
    ];
    for (const [username, userName, logons, status] of cases) {
      const server = new DigestServer();
      assert.equal(server.status(answerChallenge(server.challenge(), { userName, write: { username } })), status);
      assert.equal(server.logons.length, logons, username);
    }
  });

  it(String.raw`E09: a source that answers later is asked for both readings, too`, async () => {
    const accounts = new TestAccounts([{ userName: 'alice', password: 'Circle of Life' }]);
    const server = new DigestServer({ accounts: sourceOf(async (logon) => accounts.verifyDigest(logon)) });
    const write = { username: String.raw`"EXAMPLE\alice"` };
    const answer = answerChallenge(server.challenge(), { userName: String.raw`EXAMPLE\alice`, write });
    const { status, context } = await server.accept(answer);
    assert.equal(Sspi.statusName(status), OK);
    Sspi.deleteSecurityContext(context!);
  });

  it('E11: no parameter reaches Object.prototype', () => {
    const server = new DigestServer();
    assert.equal(server.status(`__proto__="x", ${answerChallenge(server.challenge())}`), OK);
    assert.equal(({} as Record<string, unknown>)['x'], undefined);
  });

  it('what a call lacks is refused: no method or no request target, or one that is none', () => {
    assert.equal(statusOf({ wire: '' }), MALFORMED);
    for (const wire of ['GET /', ' GET', 'GET\r\n', 'G(T']) assert.equal(statusOf({ wire }), MALFORMED, wire);
    assert.equal(statusOf({ target: '' }), MALFORMED);
    assert.equal(statusOf({ target: '\xff' }), MALFORMED);
    // What the decoder puts in the place of a byte that is not UTF-8 is not that byte.
    assert.equal(statusOf({ uri: '/\ufffd', target: '/\xff' }), MALFORMED);
  });

  it('E19, G02: what can be refused without the source does not reach it', () => {
    const server = new DigestServer();
    const good = server.challenge();
    for (const write of [
      { realm: '"other"' },
      { nonce: '"x"' },
      { opaque: '"x"' },
      { qop: 'auth-int' },
      { uri: '"/x"' },
    ]) {
      server.status(answerChallenge(good, { write }));
    }
    assert.equal(server.logons.length, 0);
    server.status(answerChallenge(good, { password: 'wrong' }));
    assert.equal(server.logons.length, 1);
  });
});

describe('Digest under attack: who is there', () => {
  it('G01: unknown, disabled and mistyped are the same answer after the same questions', () => {
    const results = [
      { userName: 'nobody', password: 'Circle of Life' },
      { userName: 'mallory', password: 'Circle of Life' },
      { userName: 'alice', password: 'wrong' },
    ].map((options) => {
      const server = new DigestServer();
      const { diagnosis, ...result } = server.verify(answerChallenge(server.challenge(), options));
      // For the server's log, which the client never sees.
      assert.deepEqual(diagnosis, { account: options.userName });
      return { result, questions: server.logons.length };
    });
    assert.equal(Sspi.statusName(results[0]!.result.status), DENIED);
    for (const other of results) assert.deepEqual(other, results[0]);
  });

  it('G02: the source sees the name as sent, whatever its spelling', () => {
    const server = new DigestServer();
    for (const userName of ['ALICE', 'EXAMPLE\\alice']) {
      assert.equal(server.status(answerChallenge(server.challenge(), { userName })), OK);
    }
    assert.deepEqual(
      server.logons.map(({ userName, realm }) => [userName, realm]),
      [
        ['ALICE', REALM],
        ['EXAMPLE\\alice', REALM],
      ],
    );
  });
});
