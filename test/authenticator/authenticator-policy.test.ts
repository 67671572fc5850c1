/** Request-bound schemes, the operator's functions, channel bindings. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import type { Exchange } from '../../src/http/exchange.ts';
import type { Outcome } from '../../src/http/outcome.ts';
import * as Sspi from '../../src/sspi/index.ts';
import {
  assertBare401,
  exchangeOf,
  FakeSocket,
  field,
  first,
  later,
  scripted,
  settled,
  userOf,
  usualScript,
} from './scripted-authenticator.ts';
import type { Script } from './scripted-package.ts';

describe('schemes that are bound to a request', () => {
  const digest: Script = {
    '': { status: Sspi.SEC_I_CONTINUE_NEEDED, output: 'nonce="1"' },
    right: {},
    bob: { account: { userName: 'bob' } },
    malformed: { status: Sspi.SEC_E_INVALID_TOKEN },
    wrong: { status: Sspi.SEC_E_LOGON_DENIED },
    stale: { status: Sspi.SEC_I_CONTINUE_NEEDED, output: 'nonce="2", stale=true' },
  };

  it('cover the request that carried them and no other', () => {
    const s = scripted(usualScript, {}, digest);
    const socket = new FakeSocket();
    const outcome = s.now(socket, 'Digest right');
    assert.equal(userOf(outcome), 'LAB\\alice');
    assert.deepEqual(outcome.type === 'authenticated' && outcome.headers, [['Vary', 'Authorization']]);
    assert.equal(s.now(socket).type, 'challenge');
    assert.equal(userOf(s.request(socket, 'Digest bob')), 'LAB\\bob');
    assert.equal(s.digest.live, 0);
  });

  it('end an identity of the connection', () => {
    const s = scripted(usualScript, {}, digest);
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, later('right'));
    assert.equal(userOf(s.request(socket, 'Digest bob')), 'LAB\\bob');
    assert.equal(s.now(socket).type, 'challenge');
  });

  it('end an identity or a handshake of the connection with an old nonce as well, at once or later', async () => {
    const slowlyStale = { ...digest['stale'], waits: true } as const;
    const kept = { ...usualScript, right: { keepAfterHandshake: true } };
    for (const text of ['stale', 'slowlyStale']) {
      for (const tokens of [[first('hello')], [first('hello'), later('right')]]) {
        const s = scripted(kept, {}, { ...digest, slowlyStale });
        const socket = new FakeSocket();
        for (const token of tokens) s.now(socket, token);
        const outcome = s.request(socket, `Digest ${text}`);
        assert.equal(s.package.live, 0);
        if (text === 'slowlyStale') s.digest.settle();
        const asked = await outcome;
        assert.ok(asked.type === 'challenge' && !asked.continuesHandshake);
        assert.equal(s.authenticator.pendingHandshakes, 0);
        assert.equal(socket.listenerCount('close'), 0);
        assert.equal(s.now(socket).type, 'challenge');
      }
    }
  });

  it('answer malformed fields with 400, wrong ones with 401, an old nonce with a new one', () => {
    const s = scripted(usualScript, {}, digest);
    const socket = new FakeSocket();
    const statusOf = (outcome: Outcome | Promise<Outcome>): unknown => 'status' in outcome && outcome.status;
    assert.equal(statusOf(s.request(socket, 'Digest malformed')), 400);
    const refused = s.now(socket, 'Digest wrong');
    assert.equal(statusOf(refused), 401);
    assert.deepEqual(field(refused, 'WWW-Authenticate'), ['NTLM', 'Negotiate', 'Digest nonce="1"']);
    const stale = s.now(socket, 'Digest stale');
    assert.deepEqual(field(stale, 'WWW-Authenticate'), ['NTLM', 'Negotiate', 'Digest nonce="2", stale=true']);
    assert.equal(s.digest.live, 0);
  });

  it('A13: are all that HTTP/2 is offered and verified by', () => {
    const s = scripted(usualScript, {}, digest);
    const socket = new FakeSocket();
    const http2 = { httpVersionMajor: 2 };
    const asked = s.now(socket, undefined, http2);
    assert.deepEqual(field(asked, 'WWW-Authenticate'), ['Digest nonce="1"']);
    const refused = s.now(socket, first('hello'), http2);
    assert.deepEqual(field(refused, 'WWW-Authenticate'), ['Digest nonce="1"']);
    assert.deepEqual(s.package.asked, []);
    assert.equal(userOf(s.request(socket, 'Digest right', http2)), 'LAB\\alice');
    const only = scripted(usualScript);
    assert.equal(field(only.now(socket, undefined, http2), 'WWW-Authenticate'), undefined);
  });

  it('offer nothing where a challenge would have to be waited for, and keep nothing of it', async () => {
    const s = scripted(usualScript, {}, { '': { status: Sspi.SEC_I_CONTINUE_NEEDED, output: 'late', waits: true } });
    assertBare401(s.request(new FakeSocket()));
    s.digest.settle();
    await settled();
    assert.deepEqual([s.digest.made, s.digest.deleted], [1, 1]);
  });
});

/** Something of another realm, whose Promise is not this one's. */
function foreign(script: string): unknown {
  return runInNewContext(script);
}

describe('what the operator decides', () => {
  it('anonymous: no credentials pass, wrong ones do not', () => {
    const s = scripted(usualScript, { anonymous: true });
    const socket = new FakeSocket();
    assert.equal(s.now(socket).type, 'anonymous');
    s.now(socket, first('hello'));
    assert.equal(s.now(socket).type, 'anonymous');
    assert.equal(s.package.live, 0);
    s.now(socket, first('hello'));
    assertBare401(s.request(socket, later('wrong')));
    assertBare401(s.authenticator.challenge({ httpVersionMajor: 1 }));
  });

  it('skip: only true skips, and a skipped request leaves the connection alone (A19)', () => {
    for (const [answer, type] of [
      [true, 'anonymous'],
      [false, 'challenge'],
      [1, 'challenge'],
    ] as const) {
      const s = scripted(usualScript, { skip: (() => answer) as () => boolean });
      assert.equal(s.now(new FakeSocket()).type, type);
    }
    const s = scripted(usualScript, { skip: (request) => request === 'health' });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    assert.equal(s.now(socket, undefined, { request: 'health' }).type, 'anonymous');
    assert.equal(userOf(s.request(socket, later('right'))), 'LAB\\alice');
  });

  it('skip: a promise is no answer: the request is neither skipped nor verified, and the log names the option', async () => {
    for (const answer of [
      Promise.resolve(true),
      Promise.reject(new Error('not found')),
      foreign('Promise.resolve(true)'),
      foreign('Promise.reject(new Error("not found"))'),
    ]) {
      const s = scripted(usualScript, { skip: (() => answer) as unknown as () => boolean });
      const outcome = s.now(new FakeSocket(), first('hello'));
      assert.equal('status' in outcome && outcome.status, 500);
      assert.match(
        String(s.log[0]?.record['err']),
        /option "skip" returned a promise\. Give a function that returns at once/,
      );
      assert.deepEqual(s.package.asked, []);
    }
    await settled();
  });

  it('authorize: asked for every request; only true is a yes', async () => {
    for (const [answer, expected] of [
      [() => true, 'authenticated'],
      [() => false, 403],
      [() => 'yes', 403],
      [() => 1, 403],
      [() => undefined, 403],
      [async () => Promise.resolve(true), 'authenticated'],
      [async () => Promise.resolve('yes'), 403],
      [async () => Promise.reject(new Error('directory away')), 500],
      [() => foreign('Promise.resolve(true)'), 'authenticated'],
      [() => foreign('Promise.resolve(1)'), 403],
      [() => foreign('Promise.reject(new Error("directory away"))'), 500],
      [() => foreign('({ then(settle) { settle(true); } })'), 'authenticated'],
    ] as const) {
      const s = scripted(usualScript, { authorize: answer as () => boolean });
      const socket = new FakeSocket();
      s.now(socket, first('hello'));
      const outcome = await s.request(socket, later('right'));
      assert.equal('status' in outcome ? outcome.status : outcome.type, expected);
      const next = await s.request(socket);
      assert.equal('status' in next ? next.status : next.type, expected);
      assert.equal(s.package.live, 0);
    }
  });

  it('a client that may not go on is told how its handshake ended all the same', async () => {
    for (const authorize of [() => false, () => Promise.resolve(false), () => Promise.reject(new Error('away'))]) {
      const s = scripted({ ...usualScript, 'with proof': { output: 'proof' } }, { authorize });
      const socket = new FakeSocket();
      s.now(socket, first('hello'));
      const outcome = await s.request(socket, later('with proof'));
      assert.equal(field(outcome, 'Persistent-Auth'), 'true');
      assert.equal(field(outcome, 'WWW-Authenticate'), `NTLM ${Buffer.from('proof').toString('base64')}`);
    }
  });

  it('close() while authorize is asked: nobody is let in any more', async () => {
    let answer: (allowed: boolean) => void = () => undefined;
    const s = scripted(usualScript, { authorize: () => new Promise((resolve) => (answer = resolve)) });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    const outcome = s.request(socket, later('right'));
    s.authenticator.close();
    answer(true);
    const settledOutcome = await outcome;
    assert.equal('status' in settledOutcome && settledOutcome.status, 401);
  });

  it('close() of an account source may throw or reject: it is logged', async () => {
    for (const close of [
      () => {
        throw new Error('away');
      },
      () => Promise.reject(new Error('away')),
      () => foreign('Promise.reject(new Error("away"))') as Promise<void>,
    ]) {
      const source = { description: 'one that fails', verifyNtlm: () => ({ result: 'refused' as const }), close };
      const s = scripted(usualScript, { accounts: source });
      s.authenticator.close();
      await settled();
      assert.deepEqual(
        s.log.map(({ level, record, message }) => [level, record['where'], message]),
        [['error', 'closing the account source', 'sspi-auth: closing the account source failed']],
        'no request was refused for it',
      );
    }
  });

  it('close() goes before skip: nothing is let through any more, and skip is not asked', () => {
    let asked = 0;
    const s = scripted(usualScript, { skip: () => ++asked > 0 });
    assert.equal(s.now(new FakeSocket()).type, 'anonymous');
    s.authenticator.close();
    const outcome = s.now(new FakeSocket());
    assert.deepEqual([asked, 'status' in outcome && outcome.status], [1, 401]);
  });

  it('close() closes an account source once, and says nothing where all is well', async () => {
    let closed = 0;
    const close = (): void => {
      closed++;
    };
    const s = scripted(usualScript, {
      accounts: { description: 'one that closes', verifyNtlm: () => ({ result: 'refused' as const }), close },
    });
    s.authenticator.close();
    s.authenticator.close();
    await settled();
    assert.deepEqual([closed, s.log], [1, []]);
  });

  it('two authenticators over one request: an error that says so, where there were 401s for ever', () => {
    const [outer, inner] = [scripted(usualScript), scripted(usualScript)];
    const socket = new FakeSocket();
    const verify = ({ authenticator }: typeof outer, exchange: Exchange): Outcome =>
      authenticator.authenticate(exchange, '/', undefined) as Outcome;
    outer.now(socket, first('hello'));
    const exchange = exchangeOf(socket, later('right'));
    assert.equal(verify(outer, exchange).type, 'authenticated');
    const outcome = verify(inner, exchange);
    assert.equal('status' in outcome && outcome.status, 500);
    assert.match(String(inner.log[0]?.record['err']), /another sspiAuth\(\) has already signed this request in/);
    assert.deepEqual(inner.package.asked, []);
  });

  it('authorize is asked each time the same request comes by, the one that signs in and those after it', () => {
    const s = scripted(usualScript, { authorize: (_user, request) => request !== '/admin' });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    for (const exchange of [
      exchangeOf(socket, later('right')),
      exchangeOf(socket, undefined),
      exchangeOf(socket, undefined, { fields: ['Expect', '100-continue'] }),
    ]) {
      const statuses = ['/', '/admin', '/'].map((request) => {
        const outcome = s.authenticator.authenticate(exchange, '/', request);
        assert.ok(!(outcome instanceof Promise));
        return outcome.type;
      });
      assert.deepEqual(statuses, ['authenticated', 'refused', 'authenticated']);
    }
    assert.deepEqual(s.package.asked, ['hello', 'right']);
  });

  it('authorize is given the request and the user; an exception is 500 and lets nobody in', () => {
    const asked: unknown[] = [];
    const s = scripted(usualScript, {
      authorize: (user, request) => {
        asked.push([user.name, request]);
        if (request === 'broken') throw new Error('broken');
        return true;
      },
    });
    const socket = new FakeSocket();
    s.now(socket, first('hello'), { request: 1 });
    s.now(socket, later('right'), { request: 2 });
    s.now(socket, undefined, { request: 3 });
    const broken = s.now(socket, undefined, { request: 'broken' });
    assert.equal(broken.type === 'refused' && broken.status, 500);
    assert.deepEqual(asked, [
      ['LAB\\alice', 2],
      ['LAB\\alice', 3],
      ['LAB\\alice', 'broken'],
    ]);
  });
});

describe('channel bindings', () => {
  const flags = { never: 0, whenSupported: Sspi.ASC_REQ_ALLOW_MISSING_BINDINGS, always: 0 } as const;
  for (const [mode, flag] of Object.entries(flags)) {
    it(`${mode}, without TLS`, () => {
      const s = scripted(usualScript, { channelBinding: mode as keyof typeof flags });
      const outcome = s.now(new FakeSocket(), first('hello'));
      if (mode === 'always') {
        assertBare401(outcome);
        assert.deepEqual(s.package.asked, [], "'always' without TLS asks nobody");
        assert.equal(s.log.at(-1)?.record['reason'], 'SEC_E_BAD_BINDINGS');
      } else {
        assert.equal(outcome.type, 'challenge');
        const [call] = s.package.calls;
        assert.equal(Sspi.findBuffer(call!.input, Sspi.SECBUFFER_CHANNEL_BINDINGS), undefined);
        assert.equal(call!.requirements & flag, 0, 'nothing to allow where there are no bindings');
      }
    });
  }

  it('are reported as matched only where the package says so', () => {
    for (const [data, expected] of [
      [[0x10, 0, 0, 0], true],
      [[0x02, 0, 0, 0], false],
      [[0x20, 0, 0, 0], false],
      [[], false],
    ] as const) {
      const buffers = [{ type: Sspi.SECBUFFER_CHANNEL_BINDINGS_RESULT, data: Uint8Array.from(data) }];
      const s = scripted({ ...usualScript, right: { buffers } });
      const socket = new FakeSocket();
      s.now(socket, first('hello'));
      const outcome = s.request(socket, later('right'));
      assert.ok('type' in outcome && outcome.type === 'authenticated');
      assert.equal(outcome.sspi?.channelBound, expected);
    }
  });
});
