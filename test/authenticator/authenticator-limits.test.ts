/** How long a handshake may take, and how many may be under way. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as Sspi from '../../src/sspi/index.ts';
import { exchangeOf, FakeSocket, first, later, scripted, settled } from './scripted-authenticator.ts';
import { createAuthenticator, memoryAccounts } from '../../src/index.ts';
import type { Outcome } from '../../src/index.ts';
import { mechTypeList, negTokenInit } from '../packages/negotiate/client-tokens.ts';
import { negotiateMessage, WINDOWS_FLAGS } from '../packages/ntlm/ntlm-client.ts';
import { waitingScript, watch } from './waiting-results.ts';
import { OID_NTLM } from '../../src/formats/object-identifiers.ts';
import { reason } from '../../src/identity/reasons/reason.ts';

describe('A17: handshakes have a deadline', () => {
  it('counted from the first token; later legs buy no time', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const s = scripted({ ...waitingScript, more: { status: Sspi.SEC_I_CONTINUE_NEEDED, output: 'x' } });
    const pass = (milliseconds: number): void => {
      s.clock.advance(milliseconds);
      t.mock.timers.tick(milliseconds);
    };
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    pass(29_999);
    s.now(socket, later('more'));
    assert.equal(s.package.live, 1);
    pass(1);
    assert.equal(s.package.live, 0);
    assert.equal(s.authenticator.pendingHandshakes, 0);
    assert.equal(socket.listenerCount('close'), 0);
    const [line] = s.log.filter(({ message }) => message === 'sspi-auth: refused');
    assert.deepEqual(line?.record, {
      scheme: 'NTLM',
      package: 'NTLM',
      account: undefined,
      peer: '192.0.2.7:4711',
      reason: 'handshake-deadline',
      diagnosis: reason('client-silent', { milliseconds: 30_000 }),
      durationMilliseconds: 30_000,
    });
  });

  it('while the body of a leg arrives, the time of its client does not run', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const s = scripted(waitingScript, { limits: { handshakeMilliseconds: 100 } });
    const socket = new FakeSocket();
    const leg = Object.assign(exchangeOf(socket, first('hello'), { fields: ['Content-Length', '5'] }), {
      complete: false,
      once: () => undefined,
    });
    assert.ok('status' in s.authenticator.authenticate(leg, '/', undefined));
    for (const [milliseconds, pending] of [
      [100, 1],
      [99, 1],
      [1, 0],
    ] as const) {
      s.clock.advance(milliseconds);
      t.mock.timers.tick(milliseconds);
      assert.equal(s.authenticator.pendingHandshakes, pending);
      leg.complete = true;
    }
  });

  it('one timer serves all, each at its own time', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const s = scripted(waitingScript, { limits: { handshakeMilliseconds: 100 } });
    const pass = (milliseconds: number): void => {
      s.clock.advance(milliseconds);
      t.mock.timers.tick(milliseconds);
    };
    for (let index = 0; index < 10; index++) {
      s.now(new FakeSocket(), first('hello'));
      pass(10);
    }
    for (let left = 9; left >= 0; left--) {
      assert.equal(s.authenticator.pendingHandshakes, left);
      assert.equal(s.package.live, left);
      pass(10);
    }
  });

  it('a verify that never answers: no, the queue goes on, and his late yes is thrown away', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    for (const rejection of [undefined, new Error('at last')]) {
      const s = scripted(waitingScript, { limits: { handshakeMilliseconds: 100 } });
      const pass = (milliseconds: number): void => {
        s.clock.advance(milliseconds);
        t.mock.timers.tick(milliseconds);
      };
      const socket = new FakeSocket();
      s.now(socket, first('hello'));
      const hanging = watch(s.request(socket, later('slow')));
      const next = watch(s.request(socket, first('slowBob')));
      await settled();
      pass(100);
      await settled();
      assert.equal(hanging.result, 'refused');
      assert.deepEqual(s.package.waiting, ['slow', 'slowBob'], 'the next one is verified meanwhile');
      s.package.settle(rejection);
      await settled();
      assert.equal(next.result, undefined);
      socket.close();
      await settled();
      assert.equal(next.result, 'refused', 'it still hears that its client is gone');
      s.package.settle();
      await settled();
      assert.equal(s.package.live, 0);
      assert.equal(s.authenticator.pendingHandshakes, 0);
    }
  });

  it('request-bound schemes too', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const s = scripted(waitingScript, { limits: { handshakeMilliseconds: 100 } }, { slow: { waits: true } });
    const socket = new FakeSocket();
    const request = watch(s.request(socket, 'Digest slow'));
    s.clock.advance(100);
    t.mock.timers.tick(100);
    await settled();
    assert.equal(request.result, 'refused');
    const { scheme, reason, durationMilliseconds } = s.log[0]?.record ?? {};
    assert.deepEqual([scheme, reason, durationMilliseconds], ['Digest', 'handshake-deadline', 100]);
    s.digest.settle();
    await settled();
    assert.equal(s.digest.live, 0);
  });
});

describe('A17: handshakes have a cap', () => {
  it('the oldest gives way', () => {
    const s = scripted(waitingScript, { limits: { pendingHandshakes: 3 } });
    const sockets = Array.from({ length: 5 }, () => new FakeSocket());
    for (const socket of sockets) {
      s.now(socket, first('hello'));
      s.clock.advance(1);
    }
    assert.equal(s.authenticator.pendingHandshakes, 3);
    assert.equal(s.package.live, 3);
    assert.deepEqual(
      s.log
        .filter(({ level }) => level === 'warn')
        .map(({ record }) => [record['reason'], record['durationMilliseconds']]),
      [
        ['handshake-evicted', 3],
        ['handshake-evicted', 3],
      ],
    );
    const results = sockets.map((socket) => watch(s.request(socket, later('right'))).result);
    // The package of this test makes a context for any token; what matters is whether it met the one of its handshake.
    assert.deepEqual(results, Array(5).fill('LAB\\alice'));
    assert.equal(s.package.made, 5 + 2);
    assert.equal(s.package.live, 0);
  });

  it('signed-in connections do not count, nor does one that begins again', () => {
    const s = scripted(waitingScript, { limits: { pendingHandshakes: 1 } });
    const [one, two] = [new FakeSocket(), new FakeSocket()];
    s.now(one, first('hello'));
    s.now(one, later('right'));
    s.now(two, first('hello'));
    s.now(two, first('hello'));
    assert.equal(s.authenticator.pendingHandshakes, 1);
    assert.equal(watch(s.request(one)).result, 'LAB\\alice');
    assert.equal(watch(s.request(two, later('right'))).result, 'LAB\\alice');
    assert.ok(s.log.every(({ level }) => level !== 'warn'));
  });

  it('one that is being verified may be the oldest: it is told no', async () => {
    const s = scripted(waitingScript, { limits: { pendingHandshakes: 1 } });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    const request = watch(s.request(socket, later('slow')));
    s.now(new FakeSocket(), first('hello'));
    await settled();
    assert.equal(request.result, 'refused');
    s.package.settle();
    await settled();
    assert.equal(s.package.live, 1, 'the one of the newer handshake');
    assert.equal(watch(s.request(socket)).result, 'challenge');
  });
});

describe('A17: what handshakes may hold', () => {
  const type1 = negotiateMessage(WINDOWS_FLAGS);
  const padded = (bytes: number): Uint8Array => Buffer.concat([type1, new Uint8Array(bytes - type1.byteLength)]);
  const spnego = (token: Uint8Array): Uint8Array =>
    negTokenInit({ mechTypes: mechTypeList(OID_NTLM), mechToken: token });
  for (const [scheme, wrap] of [
    ['NTLM', (token: Uint8Array) => token],
    ['Negotiate', (token: Uint8Array) => token],
    ['Negotiate', spnego],
  ] as const) {
    it(`${scheme}${wrap === spnego ? ' with SPNEGO' : ''}: first tokens of 4 KiB fill the bytes, larger ones are refused`, () => {
      const authenticator = createAuthenticator({
        ...{ accounts: memoryAccounts([{ userName: 'alice', password: 'p' }]), domain: 'LAB', provider: 'portable' },
        ...{ schemes: [scheme], limits: { pendingHandshakeBytes: 100_000 } },
      });
      const begin = (bytes: number): Outcome => {
        const token = Buffer.from(wrap(padded(bytes))).toString('base64');
        const outcome = authenticator.authenticate(exchangeOf(new FakeSocket(), `${scheme} ${token}`), '/', undefined);
        assert.ok(!(outcome instanceof Promise));
        return outcome;
      };
      for (let count = 0; count < 100; count++) assert.equal(begin(4096).type, 'challenge');
      const least = Math.floor(100_000 / (4096 + 300));
      assert.ok(authenticator.pendingHandshakes >= least && authenticator.pendingHandshakes <= least + 2);
      for (let count = 0; count < 100; count++) assert.equal(begin(40_000).type, 'refused');
      assert.ok(authenticator.pendingHandshakes <= least + 2);
      for (let count = 0; count < 500; count++) begin(32);
      assert.ok(authenticator.pendingHandshakes > 300, 'those of real clients are small');
      authenticator.close();
    });
  }
});
