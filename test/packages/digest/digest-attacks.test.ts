import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { DigestAccepted } from '../../../src/accounts/account-source.ts';
import { parseDigestFields } from '../../../src/formats/digest-fields.ts';
import { digestSettings } from '../../../src/packages/digest/digest-auth-data.ts';
import { DigestAcceptor } from '../../../src/packages/digest/digest-acceptor.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { answerChallenge, computeResponse, quote, readChallenge } from './digest-client.ts';
import type { AnswerOptions } from './digest-client.ts';
import {
  DigestServer,
  REALM,
  TestAccounts,
  TestClock,
  asHeader,
  sourceOf,
  testRandom,
  texts,
} from './digest-server.ts';

const OK = 'SEC_E_OK';
const DENIED = 'SEC_E_LOGON_DENIED';
const MALFORMED = 'SEC_E_INVALID_TOKEN';
const CHALLENGED = 'SEC_I_CONTINUE_NEEDED';
const numRuns = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000);

/** Status of credentials that are right but for the options. */
const statusOf = (options: AnswerOptions & { algorithm?: string; target?: string; wire?: string } = {}): string => {
  const server = new DigestServer();
  const answer = answerChallenge(server.challenge(options.algorithm), options);
  return server.status(asHeader(answer), {
    ...(options.target === undefined ? undefined : { target: options.target }),
    ...(options.wire === undefined ? undefined : { method: options.wire }),
  });
};

/** Judges on a new context and tells whether the answer is a challenge with stale=true, one without, or a status. */
const judged = (server: DigestServer, answer: string): string => {
  const { status, output, context } = server.judge(asHeader(answer));
  if (context !== undefined) Sspi.deleteSecurityContext(context);
  const stale = texts(output).map((text) => readChallenge(text)['stale']);
  if (Sspi.statusName(status) !== CHALLENGED) return Sspi.statusName(status);
  return stale.length > 0 && stale.every((value) => value === 'true') ? 'stale' : CHALLENGED;
};

describe('Digest under attack: replays and counts', () => {
  it('E01: a whole request again is not accepted; a valid one learns that its nonce is stale', () => {
    const server = new DigestServer();
    const answer = answerChallenge(server.challenge());
    assert.equal(judged(server, answer), OK);
    assert.equal(judged(server, answer), 'stale');
    assert.equal(judged(server, answer.replace('response="', 'response="0')), DENIED);
  });

  it('E01: a replay is not accepted on the context of a challenge either', () => {
    const server = new DigestServer();
    const answer = answerChallenge(server.challenge());
    assert.equal(judged(server, answer), OK);
    const { context } = server.judge('');
    assert.equal(server.status(answer, { context }), CHALLENGED);
  });

  it('E01: two equal requests at once are accepted once, though their source answers later', async () => {
    const accounts = new TestAccounts([{ userName: 'alice', password: 'Circle of Life' }]);
    const server = new DigestServer({ accounts: sourceOf(async (logon) => accounts.judgeDigest(logon)) });
    const answer = answerChallenge(server.challenge());
    const results = await Promise.all([server.accept(answer), server.accept(answer), server.accept(answer)]);
    assert.deepEqual(results.map(({ status }) => Sspi.statusName(status)).sort(), [OK, CHALLENGED, CHALLENGED]);
    for (const { context } of results) Sspi.deleteSecurityContext(context!);
  });

  it('E02: counts are eight hexadecimal digits, not zero, unsigned, and never lower than the window', () => {
    for (const nc of ['0', '0000001', '000000001', '0x000001', '0x1', ''])
      assert.equal(statusOf({ nc }), MALFORMED, nc);
    assert.equal(statusOf({ nc: '00000000' }), DENIED);
    for (const nc of ['80000000', 'ffffffff', '0000ABCD']) assert.equal(statusOf({ nc }), OK, nc);
    const server = new DigestServer();
    const challenge = server.challenge();
    const use = (nc: string): string => judged(server, answerChallenge(challenge, { nc }));
    assert.deepEqual(['ffffffff', 'FFFFFFFF', '00000001', 'fffffffe', '80000000'].map(use), [
      OK,
      'stale',
      'stale',
      OK,
      'stale',
    ]);
  });

  it('E20: counts that overtook each other pass once each', () => {
    const server = new DigestServer();
    const challenge = server.challenge();
    const use = (nc: string): string => judged(server, answerChallenge(challenge, { nc }));
    assert.deepEqual(['00000002', '00000001', '00000001', '00000002'].map(use), [OK, OK, 'stale', 'stale']);
  });

  it('E19: a flood without a valid response leaves nothing in the table; 20 000 valid nonces leave a bounded one', () => {
    const clock = new TestClock();
    const source = (accepted: boolean): DigestAcceptor =>
      new DigestAcceptor(
        digestSettings({
          accounts: sourceOf(() =>
            accepted ? { verdict: 'accepted', account: { userName: 'alice' } } : { verdict: 'refused' },
          ),
          realm: REALM,
          domain: 'EXAMPLE',
          clock,
        }),
      );
    const flood = (acceptor: DigestAcceptor, times: number): void => {
      const input = (token: string): Sspi.SecBuffer[] => [
        { type: Sspi.SECBUFFER_TOKEN, data: new TextEncoder().encode(token) },
        { type: Sspi.SECBUFFER_PKG_PARAMS, data: new TextEncoder().encode('GET') },
        { type: Sspi.SECBUFFER_PKG_PARAMS, data: new TextEncoder().encode('/dir/index.html') },
      ];
      const call = (token: string): ReturnType<DigestAcceptor['accept']> =>
        acceptor.accept({ input: input(token), requirements: Sspi.ASC_REQ_HTTP, targetDataRep: 0 });
      for (let time = 0; time < times; time++) {
        clock.advance(1);
        const challenge = call('');
        assert.ok('output' in challenge);
        const verdict = call(answerChallenge(texts(challenge.output)[0]!));
        assert.ok('verdict' in verdict && verdict.verdict !== 'challenge');
      }
    };
    const refusing = source(false);
    flood(refusing, 2000);
    assert.equal(refusing.rememberedNonces, 0);
    const accepting = source(true);
    flood(accepting, 20_000);
    assert.equal(accepting.rememberedNonces, 16_384);
  });
});

describe('Digest under attack: nonces', () => {
  it('E03: an expired nonce is stale where the response is valid, and nothing where it is not', () => {
    const server = new DigestServer({ nonceLifetimeMilliseconds: 60_000 });
    const challenge = server.challenge();
    server.clock.advance(59_999);
    assert.equal(judged(server, answerChallenge(challenge)), OK);
    server.clock.advance(1);
    assert.equal(judged(server, answerChallenge(challenge, { nc: '00000002' })), 'stale');
    assert.equal(judged(server, answerChallenge(challenge, { nc: '00000003', password: 'wrong' })), DENIED);
  });

  it('E03: the new challenge of a stale answer is as good as any, on the same context', () => {
    const server = new DigestServer();
    const challenge = server.challenge();
    server.clock.advance(300_000);
    const stale = server.judge(answerChallenge(challenge));
    const fresh = texts(stale.output)[0]!;
    assert.equal(server.status(answerChallenge(fresh), { context: stale.context }), OK);
  });

  it('E03: forged and foreign nonces are refused without stale, though the response is right', () => {
    const server = new DigestServer();
    const foreign = readChallenge(new DigestServer({ random: testRandom('other') }).challenge())['nonce']!;
    for (const nonce of [foreign, '', 'x', 'dcd98b7102dd2f0e8b11d0f600bfb0c093', 'A'.repeat(64)]) {
      const answer = answerChallenge(server.challenge(), { compute: { nonce }, write: { nonce: quote(nonce) } });
      assert.equal(judged(server, answer), DENIED, nonce);
    }
  });

  it('E03: a nonce of another realm or algorithm of this server is refused', () => {
    const server = new DigestServer();
    const other = server.challenges({ realm: 'other' })['SHA-256']!;
    const answer = answerChallenge(other, { compute: { realm: REALM }, write: { realm: quote(REALM) } });
    assert.equal(judged(server, answer), DENIED);
    const md5 = answerChallenge(server.challenge('SHA-256'), { compute: { hash: 'md5' }, write: { algorithm: 'MD5' } });
    assert.equal(judged(server, md5), DENIED);
  });

  it('E03: a nonce of another credential with the same secret is stale, never accepted: its counts are not known', () => {
    const secret = new Uint8Array(32).fill(1);
    // Of all that is random only the issuers differ, so that nothing but them tells the nonces apart.
    const random = (issuer: number) => (size: number) => new Uint8Array(size).fill(size === 6 ? issuer : 0);
    const one = new DigestServer({ secret, random: random(1) });
    const two = new DigestServer({ secret, random: random(2) });
    const answer = answerChallenge(one.challenge());
    assert.equal(judged(one, answer), OK);
    assert.equal(judged(two, answer), 'stale');
  });

  it('G06: a clock that steps back revives nothing', () => {
    const server = new DigestServer();
    const challenge = server.challenge();
    assert.equal(judged(server, answerChallenge(challenge)), OK);
    server.clock.advance(300_000);
    server.clock.wall -= 600_000;
    assert.equal(judged(server, answerChallenge(challenge)), 'stale');
    assert.equal(judged(server, answerChallenge(challenge, { nc: '00000002' })), 'stale');
  });

  it('G06: a clock that steps forward kills nothing', () => {
    const server = new DigestServer();
    const challenge = server.challenge();
    server.clock.wall += 86_400_000;
    assert.equal(judged(server, answerChallenge(challenge)), OK);
  });
});

describe('Digest under attack: parameters', () => {
  const cases: [string, string, AnswerOptions & { algorithm?: string; target?: string; wire?: string }][] = [
    ['E04: no cnonce', MALFORMED, { write: { cnonce: undefined } }],
    ['E04: an empty cnonce', MALFORMED, { cnonce: '' }],
    ['E04: no nc', MALFORMED, { write: { nc: undefined } }],
    ['E04: nc without qop', MALFORMED, { write: { qop: undefined } }],
    ['E05: qop=auth-int', DENIED, { compute: { qop: 'auth-int' }, write: { qop: 'auth-int' } }],
    ['E05: qop="auth,auth-int"', MALFORMED, { write: { qop: '"auth,auth-int"' } }],
    ['E06: MD5 for a nonce of SHA-256', DENIED, { compute: { hash: 'md5' }, write: { algorithm: 'MD5' } }],
    ['E06: no algorithm for a nonce of SHA-256', DENIED, { compute: { hash: 'md5' }, write: { algorithm: undefined } }],
    ['E06: no algorithm for a nonce of MD5', OK, { algorithm: 'MD5', write: { algorithm: undefined } }],
    [
      'E06: SHA-256 for a nonce of MD5',
      DENIED,
      { algorithm: 'MD5', compute: { hash: 'sha256' }, write: { algorithm: 'SHA-256' } },
    ],
    ['E06: MD5-sess', DENIED, { algorithm: 'MD5', compute: { session: true }, write: { algorithm: 'MD5-sess' } }],
    ['E06: SHA-256-sess', DENIED, { compute: { session: true }, write: { algorithm: 'SHA-256-sess' } }],
    ['E06: SHA-512-256', DENIED, { compute: { hash: 'sha512-256' }, write: { algorithm: 'SHA-512-256' } }],
    ['E06: an algorithm in other case', OK, { write: { algorithm: 'sha-256' } }],
    ['E07: another path', MALFORMED, { target: '/b' }],
    ['E07: the query missing', MALFORMED, { target: '/dir/index.html?x=1' }],
    ['E07: dot segments', MALFORMED, { uri: '/dir/../dir/index.html' }],
    ['E07: percent-encoding', MALFORMED, { uri: '/dir/%69ndex.html' }],
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

  it(String.raw`E09: "DOM\user" is judged in both readings, and only where there are two`, () => {
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
    const server = new DigestServer({ accounts: sourceOf(async (logon) => accounts.judgeDigest(logon)) });
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
    assert.equal(statusOf({ wire: 'GET /' }), MALFORMED);
    assert.equal(statusOf({ target: '' }), MALFORMED);
    assert.equal(statusOf({ target: '\xff' }), MALFORMED);
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
      const { diagnosis, ...result } = server.judge(answerChallenge(server.challenge(), options));
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

describe('Digest under attack: bytes', () => {
  it('A03: no prefix of valid credentials is accepted, and each is malformed', () => {
    const server = new DigestServer();
    const answer = answerChallenge(server.challenge());
    for (let length = 1; length < answer.length; length++) {
      assert.equal(server.status(answer.slice(0, length)), MALFORMED, `${length} bytes`);
    }
    assert.equal(server.status(answer), OK);
  });

  /** What the verdict depends on: two lists with the same meaning may have the same verdict. */
  const meaning = (bytes: Uint8Array): string | undefined => {
    try {
      const fields = parseDigestFields(bytes);
      const of = (name: string): string | undefined => fields.get(name)?.value;
      return JSON.stringify([
        ...['username', 'username*', 'realm', 'nonce', 'uri', 'cnonce', 'qop', 'nc', 'opaque'].map(of),
        of('algorithm')?.toUpperCase(),
        of('response')?.toLowerCase(),
        of('userhash')?.toLowerCase() === 'true',
      ]);
    } catch {
      return undefined;
    }
  };

  it('A02, A03: changed credentials are never accepted, and never an internal error', () => {
    const server = new DigestServer();
    const edit = fc.oneof(
      fc.record({ kind: fc.constant('set' as const), at: fc.nat(500), byte: fc.nat(255) }),
      fc.record({ kind: fc.constant('insert' as const), at: fc.nat(500), byte: fc.nat(255) }),
      fc.record({ kind: fc.constant('delete' as const), at: fc.nat(500), byte: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ kind: fc.constant('copy' as const), at: fc.nat(500), byte: fc.nat(255) }),
    );
    let changed = 0;
    const property = fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const valid = Buffer.from(answerChallenge(server.challenge()));
      let bytes = [...valid];
      for (const { kind, at, byte } of edits) {
        const place = at % (bytes.length + 1);
        if (kind === 'set') bytes[place] = byte;
        else if (kind === 'insert') bytes.splice(place, 0, byte);
        else if (kind === 'delete') bytes.splice(place, byte);
        else bytes = [...bytes.slice(0, place), ...bytes.slice(byte % bytes.length)];
      }
      const token = Uint8Array.from(bytes);
      if (token.byteLength === 0) return;
      const status = server.status(token);
      if (meaning(token) === meaning(valid)) return;
      changed++;
      assert.ok(status === DENIED || status === MALFORMED, status);
    });
    fc.assert(property, { numRuns });
    assert.ok(changed > numRuns / 2, `${changed} of ${numRuns} changed the meaning`);
  });

  it('A03: bytes of any kind are malformed or denied', () => {
    const server = new DigestServer({ accounts: sourceOf((): DigestAccepted => assert.fail('asked')) });
    const property = fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (token) => {
      assert.equal(server.status(token), MALFORMED);
    });
    fc.assert(property, { numRuns });
  });
});
