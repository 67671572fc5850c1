/** Hostile nonces and counts of nonces: replays, floods, what has expired, what is of somebody else. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestSettings } from '../../../src/packages/digest/digest-auth-data.ts';
import { DigestAcceptor } from '../../../src/packages/digest/digest-acceptor.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { answerChallenge, hashOf, quote, readChallenge } from './digest-client.ts';
import { DigestServer, REALM, TestAccounts, TestClock, sourceOf, testRandom, texts } from './digest-server.ts';
import { CHALLENGED, DENIED, verified, MALFORMED, OK, statusOf } from './digest-results.ts';

describe('Digest under attack: replays and counts', () => {
  it('E01: a whole request again is not accepted; a valid one learns that its nonce is stale', () => {
    const server = new DigestServer();
    const answer = answerChallenge(server.challenge());
    assert.equal(verified(server, answer), OK);
    assert.equal(verified(server, answer), 'stale');
    assert.equal(verified(server, answer.replace('response="', 'response="0')), DENIED);
  });

  it('E01: a replay is not accepted on the context of a challenge either', () => {
    const server = new DigestServer();
    const answer = answerChallenge(server.challenge());
    assert.equal(verified(server, answer), OK);
    const { context } = server.verify('');
    assert.equal(server.status(answer, { context }), CHALLENGED);
  });

  it('E01: two equal requests at once are accepted once, though their source answers later', async () => {
    const accounts = new TestAccounts([{ userName: 'alice', password: 'Circle of Life' }]);
    const server = new DigestServer({ accounts: sourceOf(async (logon) => accounts.verifyDigest(logon)) });
    const answer = answerChallenge(server.challenge());
    const results = await Promise.all([server.accept(answer), server.accept(answer), server.accept(answer)]);
    assert.deepEqual(results.map(({ status }) => Sspi.statusName(status)).sort(), [OK, CHALLENGED, CHALLENGED]);
    for (const { context } of results) Sspi.deleteSecurityContext(context!);
  });

  it('E02: counts are eight hexadecimal digits, unsigned, and never lower than the window', () => {
    for (const nc of ['0', '0000001', '000000001', '0x000001', '0x1', ''])
      assert.equal(statusOf({ nc }), MALFORMED, nc);
    for (const nc of ['80000000', 'ffffffff', '0000ABCD']) assert.equal(statusOf({ nc }), OK, nc);
    const server = new DigestServer();
    const challenge = server.challenge();
    const use = (nc: string): string => verified(server, answerChallenge(challenge, { nc }));
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
    const use = (nc: string): string => verified(server, answerChallenge(challenge, { nc }));
    assert.deepEqual(['00000002', '00000001', '00000001', '00000002'].map(use), [OK, OK, 'stale', 'stale']);
  });

  it('E19: a flood without a valid response leaves nothing in the table; 20 000 valid nonces leave a bounded one', () => {
    const clock = new TestClock();
    const source = (accepted: boolean): DigestAcceptor =>
      new DigestAcceptor(
        digestSettings({
          accounts: sourceOf(() =>
            accepted ? { result: 'accepted', account: { userName: 'alice' } } : { result: 'refused' },
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
        const result = call(answerChallenge(texts(challenge.output)[0]!));
        assert.ok('result' in result && result.result !== 'challenge');
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
    assert.equal(verified(server, answerChallenge(challenge)), OK);
    server.clock.advance(1);
    assert.equal(verified(server, answerChallenge(challenge, { nc: '00000002' })), 'stale');
    assert.equal(verified(server, answerChallenge(challenge, { nc: '00000003', password: 'wrong' })), DENIED);
  });

  it('E03: the new challenge of a stale answer is as good as any, on the same context', () => {
    const server = new DigestServer();
    const challenge = server.challenge();
    server.clock.advance(300_000);
    const stale = server.verify(answerChallenge(challenge));
    const fresh = texts(stale.output)[0]!;
    assert.equal(server.status(answerChallenge(fresh), { context: stale.context }), OK);
  });

  it('E03: forged and foreign nonces are refused without stale, though the response is right', () => {
    const server = new DigestServer();
    const foreign = readChallenge(new DigestServer({ random: testRandom('other') }).challenge())['nonce']!;
    for (const nonce of [foreign, '', 'x', 'dcd98b7102dd2f0e8b11d0f600bfb0c093', 'A'.repeat(64)]) {
      const answer = answerChallenge(server.challenge(), { compute: { nonce }, write: { nonce: quote(nonce) } });
      assert.equal(verified(server, answer), DENIED, nonce);
    }
  });

  it('E03: a nonce of another realm of this server is refused', () => {
    const server = new DigestServer();
    const other = server.challenges({ realm: 'other' })['SHA-256']!;
    const answer = answerChallenge(other, { compute: { realm: REALM }, write: { realm: quote(REALM) } });
    assert.equal(verified(server, answer), DENIED);
  });

  it('E06, E01: one nonce is for every algorithm that is offered, and its counts are as well', () => {
    const server = new DigestServer();
    const challenges = server.challenges();
    const nonces = Object.values(challenges).map((challenge) => readChallenge(challenge)['nonce']);
    assert.equal(new Set(nonces).size, 1);
    const answer = (algorithm: string, nc: string): string => answerChallenge(challenges[algorithm]!, { nc });
    assert.equal(verified(server, answer('MD5', '00000001')), OK);
    assert.equal(verified(server, answer('SHA-256', '00000001')), 'stale');
    assert.equal(verified(server, answer('SHA-256', '00000002')), OK);
  });

  it('E06: an algorithm that is not offered is refused, whatever its nonce', () => {
    for (const [offered, answered] of [
      ['SHA-256', 'MD5'],
      ['MD5', 'SHA-256'],
    ] as const) {
      const server = new DigestServer({ algorithms: [offered] });
      const compute = { hash: hashOf(answered) };
      const answer = answerChallenge(server.challenge(offered), { compute, write: { algorithm: answered } });
      assert.equal(verified(server, answer), DENIED);
    }
  });

  it('E01, E02: a client that counts from zero comes in, and each of its counts is good once', () => {
    const server = new DigestServer();
    const challenge = server.challenge();
    const ask = (nc: string): string => verified(server, answerChallenge(challenge, { nc }));
    assert.deepEqual(['00000000', '00000000', '00000001', '00000000', '00000002'].map(ask), [
      OK,
      'stale',
      OK,
      'stale',
      OK,
    ]);
    // A count of zero is no way round the window of those that are remembered.
    assert.deepEqual(['00000042', '00000000'].map(ask), [OK, 'stale']);
  });

  it('E03: a nonce of somebody else is called so in the log, whatever its count', () => {
    const server = new DigestServer();
    for (const nc of ['00000000', '00000001']) {
      const { diagnosis } = server.verify(answerChallenge(server.challenge(), { nc, write: { nonce: '"x"' } }));
      assert.match(
        diagnosis?.text ?? '',
        /^give all processes one digest\.secret, and one "store".*: the nonce is not of this server/,
      );
    }
  });

  it('E03: a nonce of another credential with the same secret is stale, never accepted: its counts are not known', () => {
    const secret = new Uint8Array(32).fill(1);
    // Of all that is random only the issuers differ, so that nothing but them tells the nonces apart.
    const random = (issuer: number) => (size: number) => new Uint8Array(size).fill(size === 6 ? issuer : 0);
    const one = new DigestServer({ secret, random: random(1) });
    const two = new DigestServer({ secret, random: random(2) });
    const answer = answerChallenge(one.challenge());
    assert.equal(verified(one, answer), OK);
    assert.equal(verified(two, answer), 'stale');
  });

  it('G06: a clock that steps back revives nothing', () => {
    const server = new DigestServer();
    const challenge = server.challenge();
    assert.equal(verified(server, answerChallenge(challenge)), OK);
    server.clock.advance(300_000);
    server.clock.wall -= 600_000;
    assert.equal(verified(server, answerChallenge(challenge)), 'stale');
    assert.equal(verified(server, answerChallenge(challenge, { nc: '00000002' })), 'stale');
  });

  it('G06: a clock that steps forward kills nothing', () => {
    const server = new DigestServer();
    const challenge = server.challenge();
    server.clock.wall += 86_400_000;
    assert.equal(verified(server, answerChallenge(challenge)), OK);
  });
});
