/** What the acceptor does for a scheme with TLS inside, over a scripted package: for legs that no TLS of Node makes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setSealedBody } from '../../src/authenticator/sealed-bodies.ts';
import type { OfferedScheme } from '../../src/authenticator/offered-scheme.ts';
import type { Outcome } from '../../src/http/outcome.ts';
import {
  ASC_REQ_EXTENDED_ERROR,
  SEC_E_INCOMPLETE_MESSAGE,
  SEC_E_LOGON_DENIED,
  SEC_I_CONTINUE_NEEDED,
  SECBUFFER_EXTRA,
  SECBUFFER_TOKEN,
} from '../../src/sspi/index.ts';
import { exchangeOf, FakeSocket, field, scripted } from './scripted-authenticator.ts';
import type { Script } from './scripted-package.ts';

const HELLO = '\x16\x03\x01\x00\x05\x01';
const RETRY = Buffer.from(
  '160303005802000054' + '0303' + 'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c',
  'hex',
);
const credssp = (token: string): string => `NTLM ${Buffer.from(token, 'latin1').toString('base64')}`;

/** The schemes of the scripted authenticator, made into such with TLS inside. */
const tunnel: Partial<OfferedScheme> = { innerTls: { withoutTls: true } };

const script: Script = {
  [`${HELLO}hello`]: { status: SEC_I_CONTINUE_NEEDED, output: 'server hello' },
  [`${HELLO}retried`]: { status: SEC_I_CONTINUE_NEEDED, buffers: [{ type: SECBUFFER_TOKEN, data: RETRY }] },
  [`${HELLO}second`]: { status: SEC_I_CONTINUE_NEEDED, output: 'server hello' },
  last: { keepAfterHandshake: true },
  'no answer': { status: SEC_I_CONTINUE_NEEDED, output: '' },
  'too much': {
    status: SEC_I_CONTINUE_NEEDED,
    output: 'x',
    buffers: [{ type: SECBUFFER_EXTRA, data: Buffer.from('rest') }],
  },
  'too much at the end': { buffers: [{ type: SECBUFFER_EXTRA, data: Buffer.from('rest') }] },
  incomplete: { status: SEC_E_INCOMPLETE_MESSAGE, missing: 5 },
  denied: { status: SEC_E_LOGON_DENIED, output: 'an alert' },
  'denied without a word': { status: SEC_E_LOGON_DENIED },
};

function authenticate(more: Partial<OfferedScheme> = tunnel) {
  const all = scripted(script, {}, undefined, more);
  return { ...all, [Symbol.dispose]: () => all.authenticator.close() };
}

const status = (outcome: Outcome): number | undefined => ('status' in outcome ? outcome.status : undefined);

describe('a scheme with TLS inside', () => {
  it('answers the last leg with 200 itself, and refuses what has no encrypted body; the sign-in stays', async () => {
    using all = authenticate();
    const socket = new FakeSocket();
    all.now(socket, credssp(`${HELLO}hello`));
    const last = all.now(socket, credssp('last'));
    assert.equal(last.type, 'signedIn');
    assert.equal(field(last, 'Persistent-Auth'), 'true');
    for (let request = 0; request < 2; request++) {
      const refused = all.now(socket);
      assert.deepEqual([refused.type, status(refused)], ['refused', 401]);
    }
    assert.equal(all.package.deleted, 0);
    // With an encrypted body it is the body that decides.
    for (const [problem, type] of [
      [undefined, 'authenticated'],
      ['altered', 'refused'],
    ] as const) {
      const exchange = exchangeOf(socket, undefined);
      setSealedBody(exchange, { open: () => Promise.resolve(problem) });
      const outcome = await all.authenticator.authenticate(exchange, '/', undefined);
      assert.equal(outcome.type, type);
      if (type === 'refused') assert.equal(status(outcome), 400);
    }
    const warnings = all.log.filter(({ level }) => level === 'warn').map(({ record }) => record['reason']);
    assert.deepEqual(warnings, ['body-not-encrypted', 'body-not-encrypted', 'body-not-opened']);
    socket.close();
    assert.deepEqual([all.package.made, all.package.deleted], [1, 1]);
  });

  it('ends with the time of its identity', async () => {
    using all = authenticate();
    const socket = new FakeSocket();
    all.now(socket, credssp(`${HELLO}hello`));
    all.now(socket, credssp('last'));
    all.clock.advance(8 * 60 * 60 * 1000);
    const exchange = exchangeOf(socket, undefined);
    setSealedBody(exchange, { open: () => Promise.resolve(undefined) });
    assert.equal(status(await all.authenticator.authenticate(exchange, '/', undefined)), 401);
    assert.equal(all.package.deleted, 1);
  });

  it('is not offered on a connection without TLS, unless that is allowed', () => {
    using all = authenticate({ innerTls: { withoutTls: false } });
    const socket = new FakeSocket();
    const refused = all.now(socket, credssp(`${HELLO}hello`));
    assert.equal(status(refused), 401);
    assert.equal(field(refused, 'WWW-Authenticate'), undefined);
    assert.deepEqual(all.package.asked, []);
    const secure = Object.assign(new FakeSocket(), { encrypted: true, getCertificate: () => null });
    assert.deepEqual(field(all.now(secure), 'WWW-Authenticate'), ['NTLM', 'Negotiate']);
    assert.equal(all.now(secure, credssp(`${HELLO}hello`)).type, 'challenge');
    assert.equal(all.now(secure, credssp('last')).type, 'authenticated');
    assert.equal(userType(all.now(secure)), 'authenticated');
    assert.equal(field(all.authenticator.challenge({ httpVersionMajor: 1 }), 'WWW-Authenticate'), undefined);
    secure.close();
  });

  it('begins anew with each ClientHello but the one that a HelloRetryRequest asked for', () => {
    using all = authenticate();
    const socket = new FakeSocket();
    all.now(socket, credssp(`${HELLO}retried`));
    assert.equal(all.now(socket, credssp(`${HELLO}second`)).type, 'challenge');
    assert.deepEqual([all.package.made, all.package.deleted], [1, 0], 'the same handshake');
    all.now(socket, credssp(`${HELLO}second`));
    assert.deepEqual([all.package.made, all.package.deleted], [2, 1], 'another one');
    socket.close();
  });

  for (const token of ['no answer', 'too much', 'too much at the end', 'incomplete', 'denied without a word']) {
    it(`F06: refuses with a bare 401, and keeps nothing: ${token}`, () => {
      using all = authenticate();
      const socket = new FakeSocket();
      all.now(socket, credssp(`${HELLO}hello`));
      const refused = all.now(socket, credssp(token));
      assert.equal(status(refused), 401);
      assert.deepEqual(field(refused, 'WWW-Authenticate'), ['NTLM', 'Negotiate']);
      assert.deepEqual([all.package.made, all.package.deleted], [1, 1]);
    });
  }

  it('sends the token of a failure, alone', () => {
    using all = authenticate();
    const socket = new FakeSocket();
    all.now(socket, credssp(`${HELLO}hello`));
    const refused = all.now(socket, credssp('denied'));
    assert.deepEqual(field(refused, 'WWW-Authenticate'), [credssp('an alert')]);
    assert.ok(all.package.calls.every(({ requirements }) => (requirements & ASC_REQ_EXTENDED_ERROR) !== 0));
    assert.deepEqual([all.package.made, all.package.deleted], [1, 1]);
  });
});

function userType(outcome: Outcome): string {
  return outcome.type;
}
