/** What this server does not offer in Digest cannot be had either, however right the response is by itself. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { createAuthenticator, memoryAccounts } from '../../../src/index.ts';
import type { Outcome } from '../../../src/index.ts';
import { FakeSocket, exchangeOf, field, userOf } from '../../authenticator/scripted-authenticator.ts';
import { answerChallenge, quote, readChallenge } from './digest-client.ts';
import { DENIED, OK, verified } from './digest-results.ts';
import { DigestServer, REALM } from './digest-server.ts';

describe('Digest: auth-int', () => {
  it('E16: no challenge offers it, so that nobody takes a body for protected', () => {
    for (const challenge of Object.values(new DigestServer().challenges())) {
      assert.equal(readChallenge(challenge)['qop'], 'auth');
    }
  });

  for (const body of ['', 'a=1']) {
    it(`E16: a right response by it is refused, over ${body === '' ? 'no body' : 'a body'}`, () => {
      const server = new DigestServer();
      for (const challenge of Object.values(server.challenges())) {
        const compute = { qop: 'auth-int', body } as const;
        assert.equal(verified(server, answerChallenge(challenge, { compute, write: { qop: 'auth-int' } })), DENIED);
        assert.equal(verified(server, answerChallenge(challenge, { compute })), DENIED);
        for (const qop of ['"auth-int,auth"', '"auth,auth-int"', '"auth-int "']) {
          assert.notEqual(verified(server, answerChallenge(challenge, { compute, write: { qop } })), OK);
        }
      }
      assert.equal(server.logons.length, 2, 'the account source is asked about qop=auth alone');
    });
  }
});

describe('Digest: session keys', () => {
  const hashes = { MD5: 'md5', 'SHA-256': 'sha256' } as const;

  for (const [algorithm, hash] of Object.entries(hashes)) {
    it(`E17: no challenge offers ${algorithm}-sess, and a right response by it is refused`, () => {
      const server = new DigestServer();
      const challenges = server.challenges();
      assert.deepEqual(Object.keys(challenges).sort(), ['MD5', 'SHA-256']);
      const challenge = challenges[algorithm] ?? '';
      for (const written of [`${algorithm}-sess`, `${algorithm}-SESS`, algorithm]) {
        const answer = answerChallenge(challenge, { compute: { hash, session: true }, write: { algorithm: written } });
        assert.equal(verified(server, answer), DENIED, written);
      }
    });

    it(`E17: the key of a session of ${algorithm} opens nothing: for no user, nonce or cnonce`, () => {
      const server = new DigestServer();
      const h = (text: string): string => createHash(hash).update(text).digest('hex');
      const { nonce = '' } = readChallenge(server.challenges()[algorithm] ?? '');
      const key = h(`${h(`alice:${REALM}:Circle of Life`)}:${nonce}:0a4f113b`);
      const next = server.challenges()[algorithm] ?? '';
      for (const [challenge, userName, cnonce] of [
        [next, 'alice', '0a4f113b'],
        [next, 'alice', 'another'],
        [next, 'Jäsøn Doe', '0a4f113b'],
      ] as const) {
        const { nonce: now = '' } = readChallenge(challenge);
        const response = h(`${key}:${now}:00000001:${cnonce}:auth:${h('GET:/dir/index.html')}`);
        for (const written of [`${algorithm}-sess`, algorithm]) {
          const write = { algorithm: written, response: quote(response) };
          assert.equal(verified(server, answerChallenge(challenge, { userName, cnonce, write })), DENIED);
        }
      }
    });
  }
});

describe('Digest: Authentication-Info', () => {
  it('E22: none is sent, so that there is no nextnonce: requests under way keep their nonce', async () => {
    const authenticator = createAuthenticator({
      accounts: memoryAccounts([{ userName: 'alice', password: 'Circle of Life' }]),
      schemes: ['Digest'],
      domain: 'VM',
      realm: REALM,
    });
    const ask = async (authorization?: string): Promise<Outcome> =>
      authenticator.authenticate(exchangeOf(new FakeSocket(), authorization), '/', undefined);
    const asked = async (): Promise<string> =>
      ([field(await ask(), 'WWW-Authenticate')].flat()[0] ?? '').slice('Digest '.length);
    const challenge = await asked();
    for (const nc of ['00000001', '00000003', '00000002']) {
      // Others get their nonces meanwhile.
      await asked();
      const outcome = await ask(`Digest ${answerChallenge(challenge, { nc, uri: '/' })}`);
      assert.equal(userOf(outcome), 'VM\\alice');
      assert.equal(field(outcome, 'Authentication-Info'), undefined);
      assert.equal(JSON.stringify(outcome).toLowerCase().includes('nextnonce'), false);
    }
    authenticator.close();
  });

  it('E22: an accepted response has no output token', () => {
    const server = new DigestServer();
    const { output } = server.verify(answerChallenge(server.challenge()));
    assert.deepEqual(output, []);
  });
});
