/** Schemes that the application verifies itself: option `otherSchemes`, and the challenges for them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SspiAuthOptions } from '../../src/index.ts';
import type { Identity } from '../../src/identity/identity.ts';
import {
  assertBare401,
  FakeSocket,
  field,
  first,
  later,
  scripted,
  userOf,
  usualScript,
} from './scripted-authenticator.ts';
import type { Scripted } from './scripted-authenticator.ts';

const service: Identity = { name: 'service', userName: 'service', groups: [], package: 'JWT' };
const verify = (request: unknown): Identity | undefined => (request === 'right' ? service : undefined);

function signedIn(options: SspiAuthOptions): Scripted & { readonly socket: FakeSocket } {
  const s = scripted(usualScript, options);
  const socket = new FakeSocket();
  s.now(socket, first('hello'));
  assert.equal(userOf(s.now(socket, later('right'))), 'LAB\\alice');
  return { ...s, socket };
}

describe('other schemes', () => {
  it('a user of the application’s own verification gets in, without a word of SSPI', () => {
    const s = scripted(usualScript, { otherSchemes: { Bearer: verify } });
    const outcome = s.now(new FakeSocket(), 'bEaReR abc', { request: 'right' });
    assert.ok(outcome.type === 'authenticated');
    assert.equal(outcome.user, service);
    assert.deepEqual([outcome.sspi, outcome.standing], [undefined, false]);
    assert.deepEqual(outcome.headers, [['Vary', 'Authorization']]);
    assert.equal(s.log.length, 0);
  });

  it('undefined and null are the 401 of everybody else, and the log names the scheme', () => {
    for (const nothing of [undefined, null]) {
      const s = scripted(usualScript, { otherSchemes: { Bearer: () => nothing as undefined } });
      assertBare401(s.now(new FakeSocket(), 'Bearer abc'));
      const { reason, scheme, path, method } = s.log[0]?.record ?? {};
      assert.deepEqual([reason, scheme, path, method], ['other-scheme-refused', 'Bearer', '/', 'GET']);
    }
  });

  it('an exception, a rejection, a promise that never settles and what is no user are 500, and nobody is let in', async () => {
    const broken: readonly (() => unknown)[] = [
      () => {
        throw new Error('broken');
      },
      () => Promise.reject(new Error('broken')),
      () => new Promise(() => undefined),
      () => true,
      () => 'alice',
      () => Promise.resolve(1),
    ];
    for (const given of broken) {
      const otherSchemes = { Bearer: given as () => undefined };
      const s = scripted(usualScript, { otherSchemes, limits: { handshakeMilliseconds: 5 } });
      // The deadline alone would not keep the process.
      const keeps = setInterval(() => undefined, 1000);
      const outcome = await s.request(new FakeSocket(), 'Bearer abc');
      assert.ok(outcome.type === 'refused' && outcome.status === 500, given.toString());
      assert.equal(s.log[0]?.record['where'], 'otherSchemes.Bearer');
      clearInterval(keeps);
    }
  });

  it('H08: on a signed-in connection it gets nothing of its user, and takes nothing away', async () => {
    for (const given of [verify, (request: unknown) => Promise.resolve(verify(request))]) {
      const s = signedIn({ otherSchemes: { Bearer: given } });
      assertBare401(await s.request(s.socket, 'Bearer abc'));
      const outcome = await s.request(s.socket, 'Bearer abc', { request: 'right' });
      assert.ok(outcome.type === 'authenticated' && outcome.user === service);
      assert.equal(userOf(s.now(s.socket)), 'LAB\\alice');
    }
  });

  it('H08: one that is not named ends the sign-in of its connection, as before', () => {
    const s = signedIn({ otherSchemes: { Bearer: verify } });
    assertBare401(s.now(s.socket, 'Basic YTpi'));
    assert.equal(s.log.at(-1)?.record['scheme'], 'Basic');
    assertBare401(s.now(s.socket));
  });

  it('H08: between the legs of a handshake it changes nothing', () => {
    const s = scripted(usualScript, { otherSchemes: { Bearer: verify } });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    assertBare401(s.now(socket, 'Bearer abc'));
    assert.equal(s.authenticator.pendingHandshakes, 1);
    assert.equal(userOf(s.now(socket, later('right'))), 'LAB\\alice');
  });

  it('H08: pass hands on without a user, on signed-in connections too, and a warning names requireUser once', () => {
    const s = signedIn({ otherSchemes: { Bearer: 'pass', ApiKey: 'pass', Basic: verify } });
    const outcome = s.now(s.socket, 'Bearer abc');
    assert.equal(outcome.type, 'anonymous');
    assert.equal(userOf(s.now(s.socket)), 'LAB\\alice');
    const warnings = s.log.filter(({ level }) => level === 'warn');
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]?.message ?? '', /Bearer, ApiKey on without.*requireUser/);
  });

  it('authorize is asked about its users; two fields are 400; a closed authenticator lets nobody in', async () => {
    const s = scripted(usualScript, { otherSchemes: { Bearer: verify }, authorize: (user) => user !== service });
    const forbidden = s.now(new FakeSocket(), 'Bearer abc', { request: 'right' });
    assert.ok(forbidden.type === 'refused' && forbidden.status === 403);
    assert.equal(s.log.at(-1)?.record['account'], 'service');
    const twice = s.now(new FakeSocket(), ['Bearer abc', 'Bearer abc'], { request: 'right' });
    assert.ok(twice.type === 'refused' && twice.status === 400);
    const waiting = scripted(usualScript, { otherSchemes: { Bearer: async () => Promise.resolve(service) } });
    const outcome = waiting.request(new FakeSocket(), 'Bearer abc');
    waiting.authenticator.close();
    assert.equal((await outcome).type, 'refused');
    assert.equal((await waiting.request(new FakeSocket(), 'Bearer abc')).type, 'refused');
  });

  it('HTTP/2 carries them as well', () => {
    const s = scripted(usualScript, { otherSchemes: { Bearer: verify } });
    const outcome = s.now(new FakeSocket(), 'Bearer abc', { request: 'right', httpVersionMajor: 2 });
    assert.equal(outcome.type, 'authenticated');
  });
});

describe('the scheme of a refused request', () => {
  it('is in the log where it is not offered; a word that may be a key is not', () => {
    const s = scripted(usualScript);
    for (const [sent, logged] of [
      ['Bearer abc', 'Bearer'],
      ['AWS4-HMAC-SHA256 Credential=x', 'AWS4-HMAC-SHA256'],
      ['s3cr3tKey', undefined],
      [`${'k'.repeat(40)} abc`, undefined],
    ] as const) {
      assertBare401(s.now(new FakeSocket(), sent));
      assert.equal(s.log.at(-1)?.record['scheme'], logged, sent);
    }
  });
});

describe('challenges of the application', () => {
  it('stand after the others in every bare 401, and in no leg', () => {
    const challenges = ['Bearer realm="api"', 'Basic realm="old", charset="UTF-8"'];
    const s = scripted(usualScript, { challenges });
    const socket = new FakeSocket();
    const all = ['NTLM', 'Negotiate', ...challenges];
    assert.deepEqual(field(s.now(socket), 'WWW-Authenticate'), all);
    assert.deepEqual(field(s.now(socket, 'Bearer abc'), 'WWW-Authenticate'), all);
    assert.equal(field(s.now(socket, first('hello')), 'WWW-Authenticate')?.length, 1);
    assert.deepEqual(field(s.now(socket, later('wrong')), 'WWW-Authenticate'), all);
    assert.deepEqual(field(s.authenticator.challenge({ httpVersionMajor: 2 }), 'WWW-Authenticate'), challenges);
    s.authenticator.close();
    assert.equal(field(s.now(new FakeSocket()), 'WWW-Authenticate'), undefined);
  });
});

describe('schemes by request', () => {
  const schemesFor = (request: unknown): readonly ('NTLM' | 'Negotiate')[] =>
    request === 'mobile' ? [] : request === 'old' ? ['NTLM'] : ['Negotiate', 'NTLM'];

  it('are offered in the order of the options, and those alone', () => {
    const s = scripted(usualScript, { schemesFor, challenges: ['Bearer'] });
    const offered = (request: string): unknown =>
      field(s.now(new FakeSocket(), undefined, { request }), 'WWW-Authenticate');
    assert.deepEqual(offered('mobile'), ['Bearer']);
    assert.deepEqual(offered('old'), ['NTLM', 'Bearer']);
    assert.deepEqual(offered('other'), ['NTLM', 'Negotiate', 'Bearer']);
    assert.deepEqual(field(s.authenticator.challenge({ httpVersionMajor: 1 }, 'old'), 'WWW-Authenticate'), [
      'NTLM',
      'Bearer',
    ]);
  });

  it('one that is not chosen is not accepted', () => {
    const s = scripted(usualScript, { schemesFor });
    const outcome = s.now(new FakeSocket(), first('hello', 'Negotiate'), { request: 'old' });
    assert.deepEqual(field(outcome, 'WWW-Authenticate'), ['NTLM']);
    assert.deepEqual(
      [s.log.at(-1)?.record['reason'], s.log.at(-1)?.record['scheme']],
      ['scheme-not-offered', 'Negotiate'],
    );
    const socket = new FakeSocket();
    s.now(socket, first('hello'), { request: 'old' });
    assert.equal(userOf(s.now(socket, later('right'), { request: 'old' })), 'LAB\\alice');
    // A signed-in connection is not asked anything.
    assert.equal(userOf(s.now(socket, undefined, { request: 'mobile' })), 'LAB\\alice');
  });

  it('a name outside, a promise and an exception are 500, and the log says what is offered', () => {
    for (const [given, message] of [
      [() => ['Digest'], /returned "Digest", which is not offered\. Offered are: NTLM, Negotiate\./],
      [() => ['ntlm'], /"ntlm", which is not offered/],
      [() => [7], /a value of type number/],
      [() => 'NTLM', /is "NTLM".*an array/],
      [() => undefined, /an array/],
      [() => Promise.reject(new Error('late')), /returned a promise/],
      [
        () => {
          throw new Error('broken');
        },
        /broken/,
      ],
    ] as const) {
      const s = scripted(usualScript, { schemesFor: given as () => readonly [] });
      const outcome = s.now(new FakeSocket());
      assert.ok(outcome.type === 'refused' && outcome.status === 500);
      const { err, where } = s.log[0]?.record ?? {};
      assert.equal(where, 'the schemesFor function');
      assert.match((err as Error).message, message);
    }
  });
});
