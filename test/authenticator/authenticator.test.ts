import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as Sspi from '../../src/sspi/index.ts';
import {
  assertBare401,
  exchangeOf,
  FakeSocket,
  field,
  first,
  later,
  scripted,
  userOf,
  usualScript,
} from './scripted-authenticator.ts';
import type { Scripted } from './scripted-authenticator.ts';
import { isStanding } from '../../src/index.ts';

describe('one connection', () => {
  it('signs in over two legs, then lets every request of the connection pass without asking the package', () => {
    const s = scripted(usualScript);
    const socket = new FakeSocket();
    const asked = s.now(socket, first('hello'));
    assert.ok(asked.type === 'challenge' && asked.continuesHandshake, 'its connection must stay open');
    assert.deepEqual(field(asked, 'WWW-Authenticate'), [`NTLM ${Buffer.from('challenge').toString('base64')}`]);
    assert.equal(s.authenticator.pendingHandshakes, 1);
    const signedIn = s.now(socket, later('right'));
    assert.equal(userOf(signedIn), 'LAB\\alice');
    assert.equal(field(signedIn, 'Persistent-Auth'), 'true');
    assert.equal(s.authenticator.pendingHandshakes, 0);
    const next = s.request(socket);
    assert.equal(userOf(next), 'LAB\\alice');
    assert.equal(next, s.request(socket), 'one outcome serves all requests of the connection');
    assert.deepEqual(s.package.asked, ['hello', 'right']);
    assert.equal(s.package.live, 0, 'a context that is not needed any more is deleted');
    assert.equal(socket.listenerCount('close'), 0);
  });

  it('says nothing about one connection to another', () => {
    const s = scripted(usualScript);
    const [one, other] = [new FakeSocket(), new FakeSocket()];
    s.now(one, first('hello'));
    s.now(other, first('hello'));
    s.now(one, later('right'));
    assertBare401(s.request(other));
    s.now(other, first('hello'));
    assert.equal(userOf(s.request(other, later('bob'))), 'LAB\\bob');
    assert.equal(userOf(s.request(one)), 'LAB\\alice');
    assert.equal(userOf(s.request(other)), 'LAB\\bob');
  });

  it('sends the token that comes with SEC_E_OK', () => {
    const s = scripted({ ...usualScript, right: { output: 'the last token' } });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    const outcome = s.now(socket, later('right'));
    assert.equal(field(outcome, 'WWW-Authenticate'), `NTLM ${Buffer.from('the last token').toString('base64')}`);
    const next = s.now(socket);
    assert.equal(field(next, 'WWW-Authenticate'), undefined, 'once');
    const empty = scripted({ right: { output: '' } });
    assert.equal(field(empty.now(socket, first('right')), 'WWW-Authenticate'), undefined, 'an empty one is none');
  });

  it('goes through as many legs as the package wants', () => {
    const s = scripted(usualScript);
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    for (let leg = 0; leg < 5; leg++) {
      const outcome = s.now(socket, later('more'));
      assert.equal(outcome.type, 'challenge');
      assert.equal(s.package.made, 1);
    }
    assert.equal(userOf(s.request(socket, later('right'))), 'LAB\\alice');
    assert.equal(s.package.live, 0);
  });

  it('C04: a new first token drops the identity before it is verified', () => {
    for (const next of ['hello', 'wrong', 'unheard of']) {
      const s = scripted({ ...usualScript, throwing: { throws: new Error('broken') } });
      const socket = new FakeSocket();
      s.now(socket, first('hello'));
      s.now(socket, later('right'));
      s.now(socket, first(next));
      assertBare401(s.request(socket));
      assert.equal(s.package.live, 0);
    }
  });

  it('C04: a second first token ends the handshake of the first one', () => {
    const s = scripted(usualScript);
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, first('hello'));
    assert.deepEqual([s.package.made, s.package.deleted], [2, 1]);
    assert.equal(s.authenticator.pendingHandshakes, 1);
    assert.equal(userOf(s.request(socket, later('right'))), 'LAB\\alice');
  });

  it('C03: any token on an authenticated connection is verified anew, and the identity is gone if it fails', () => {
    const s = scripted({ ...usualScript, replayed: { status: Sspi.SEC_E_INVALID_TOKEN } });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, later('right'));
    assertBare401(s.request(socket, later('replayed')));
    assertBare401(s.request(socket));
  });

  it('C03: nor does such a token meet the context that the identity keeps', () => {
    const s = scripted({ ...usualScript, right: { keepAfterHandshake: true } });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, later('right'));
    assert.equal(userOf(s.request(socket, later('bob'))), 'LAB\\bob');
    assert.deepEqual([s.package.made, s.package.deleted], [2, 2]);
  });

  it('A18: a request without credentials in mid-handshake ends the handshake', () => {
    const s = scripted({ ...usualScript, right: { status: Sspi.SEC_E_INVALID_TOKEN } });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    assertBare401(s.request(socket));
    assert.equal(s.package.live, 0);
    assert.equal(s.authenticator.pendingHandshakes, 0);
    assert.equal(socket.listenerCount('close'), 0);
    assertBare401(s.request(socket, later('right')));
    assert.equal(s.package.made, 0 + 1, 'the later token met no context');
  });

  it('A08: another scheme ends the handshake; its name is compared without case, and whole', () => {
    const s = scripted(usualScript, {}, { fields: {} });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    assert.equal(userOf(s.request(socket, later('right', 'ntlm'))), 'LAB\\alice');
    for (const other of [later('right', 'Negotiate'), later('right', 'NTLMx'), 'Digest fields', 'Basic YTpi']) {
      const fresh = new FakeSocket();
      s.now(fresh, first('hello'));
      const { made } = s.package;
      s.now(fresh, other);
      assert.equal(s.package.made - made, other.startsWith('Negotiate') ? 1 : 0, 'not the context of the other scheme');
      assert.equal(s.authenticator.pendingHandshakes, 0, other);
      assert.equal(s.now(fresh, later('more')).type, 'challenge', 'a context of its own');
      fresh.close();
      assert.equal(s.package.live, 0);
    }
  });

  it('forgets the handshake when its client goes away, exactly once (A17, G09)', () => {
    const s = scripted(usualScript);
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    socket.close();
    socket.emit('close');
    assert.deepEqual([s.package.made, s.package.deleted], [1, 1]);
    assert.equal(s.authenticator.pendingHandshakes, 0);
  });

  it('G10: a client that is gone is not verified and gets no context', () => {
    const s = scripted(usualScript);
    const socket = new FakeSocket();
    socket.close();
    assert.equal(s.now(socket, first('hello')).type, 'refused');
    assert.deepEqual(s.package.asked, []);
  });

  it('keeps a context that must outlive its handshake for as long as its connection', () => {
    const s = scripted({ ...usualScript, right: { keepAfterHandshake: true } });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, later('right'));
    assert.equal(s.package.live, 1);
    assert.equal(userOf(s.request(socket)), 'LAB\\alice');
    socket.close();
    assert.deepEqual([s.package.made, s.package.deleted], [1, 1]);
    const again = new FakeSocket();
    s.now(again, first('hello'));
    s.now(again, later('right'));
    s.now(again, first('hello'));
    assert.equal(s.package.live, 1, 'the context of the identity is gone, the one of the handshake is there');
    again.close();
    assert.equal(s.package.live, 0);
  });

  it('ends an identity when its time is over', () => {
    const s = scripted({ ...usualScript, right: { expiry: new Date(1_000_500) } });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, later('right'));
    s.clock.advance(499);
    assert.equal(userOf(s.request(socket)), 'LAB\\alice');
    s.clock.advance(1);
    assertBare401(s.request(socket));
    assertBare401(s.request(socket));
  });

  it('keeps the context of a handshake of one leg in the same way, whatever persists', () => {
    for (const persistence of ['connection', 'request'] as const) {
      const s = scripted({ ...usualScript, right: { keepAfterHandshake: true } }, { persistence });
      for (const end of [
        (socket: FakeSocket) => s.now(socket, first('hello')),
        (socket: FakeSocket) => socket.close(),
      ]) {
        const socket = new FakeSocket();
        assert.equal(userOf(s.request(socket, first('right'))), 'LAB\\alice');
        assert.equal(s.package.live, 1);
        end(socket);
        assert.equal(s.package.live, s.authenticator.pendingHandshakes);
        socket.close();
        assert.deepEqual([s.package.live, socket.listenerCount('close')], [0, 0]);
      }
    }
  });

  it("persistence 'request' keeps nobody", () => {
    const s = scripted(usualScript, { persistence: 'request' });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    const outcome = s.now(socket, later('right'));
    assert.equal(userOf(outcome), 'LAB\\alice');
    assert.equal(field(outcome, 'Persistent-Auth'), 'false');
    assertBare401(s.request(socket));
  });

  it("persistence 'request' ends a handshake with its last token: the next meets no context", () => {
    for (const keepAfterHandshake of [false, true]) {
      const s = scripted({ ...usualScript, right: { keepAfterHandshake } }, { persistence: 'request' });
      const socket = new FakeSocket();
      s.now(socket, first('hello'));
      s.now(socket, later('right'));
      assert.equal(userOf(s.request(socket, later('bob'))), 'LAB\\bob');
      assert.equal(s.package.made, 2);
    }
  });

  it("persistence 'request' keeps the context that a request acts with until the next request, or the end", () => {
    const s = scripted({ ...usualScript, right: { keepAfterHandshake: true } }, { persistence: 'request' });
    for (const end of [(socket: FakeSocket) => s.request(socket), (socket: FakeSocket) => socket.close()]) {
      const socket = new FakeSocket();
      s.now(socket, first('hello'));
      s.now(socket, later('right'));
      assert.equal(s.package.live, 1);
      end(socket);
      assert.equal(s.package.live, 0);
      socket.close();
    }
    assert.deepEqual([s.package.made, s.package.deleted], [2, 2]);
  });

  it('A11: an identity neither stays behind a proxy nor serves one', () => {
    for (const name of ['Via', 'X-Forwarded-For', 'forwarded']) {
      const s = scripted(usualScript);
      const socket = new FakeSocket();
      const fields = [name, '1.1 proxy'];
      s.now(socket, first('hello'), { fields });
      const outcome = s.now(socket, later('right'), { fields });
      assert.equal(field(outcome, 'Persistent-Auth'), 'false');
      assertBare401(s.request(socket));
      s.now(socket, first('hello'));
      s.now(socket, later('right'));
      assertBare401(s.request(socket, undefined, { fields }));
    }
  });

  it('lets nobody in where the verification itself breaks, at once or later (A21)', async () => {
    const broken = { expiry: {} as Date };
    const s = scripted({ ...usualScript, broken, slowlyBroken: { ...broken, waits: true } }, {}, {});
    const target = (): string => {
      throw new Error('no target');
    };
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    assertBare401(s.authenticator.authenticate(exchangeOf(socket, 'Digest right'), target, undefined));
    assertBare401(s.request(socket, first('broken')));
    const verified = s.request(socket, first('slowlyBroken'));
    s.package.settle();
    assertBare401(await verified);
    assert.equal(s.authenticator.pendingHandshakes, 0);
    assert.deepEqual(
      s.log.filter(({ level }) => level !== 'debug').map(({ record }) => record['where'] ?? record['reason']),
      Array(3).fill(['verifying a request', 'internal-error']).flat(),
    );
  });

  it('verifies a request once, however often it is asked about it', () => {
    const s = scripted(usualScript);
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    const exchange = exchangeOf(socket, later('right'));
    const once = s.authenticator.authenticate(exchange, '/', undefined);
    const twice = s.authenticator.authenticate(exchange, '/', undefined);
    assert.equal(userOf(once), 'LAB\\alice');
    assert.equal(twice, once);
    assert.deepEqual(s.package.asked, ['hello', 'right']);
    const refused = exchangeOf(socket, later('wrong'));
    assertBare401(s.authenticator.authenticate(refused, '/', undefined));
    assertBare401(s.authenticator.authenticate(refused, '/', undefined));
  });
});

describe('a standing outcome', () => {
  const signedIn = (options?: Parameters<typeof scripted>[1]): [Scripted, FakeSocket] => {
    const s = scripted(usualScript, options);
    const socket = new FakeSocket();
    assert.ok(!isStanding(s.now(socket, first('hello'))), 'in mid-handshake');
    assert.ok(!isStanding(s.now(socket, later('right'))), 'its own token is to be written');
    return [s, socket];
  };

  it('is that of every request that a signed-in connection answers for, the same one, with nothing to write', () => {
    for (const options of [undefined, { authorize: () => true }, { skip: () => false }]) {
      const [s, socket] = signedIn(options);
      const outcome = s.now(socket);
      assert.ok(isStanding(outcome));
      assert.equal(outcome.user.name, 'LAB\\alice');
      assert.deepEqual(outcome.headers, []);
      assert.equal(s.now(socket), outcome);
      assert.ok(!isStanding(s.now(new FakeSocket())));
    }
  });

  it('is none where a request brings credentials, comes through a proxy (A11) or waits for 100 Continue (A16)', () => {
    const [s, socket] = signedIn();
    for (const name of ['Authorization', 'authorization', 'Via', 'Forwarded', 'X-Forwarded-For', 'EXPECT']) {
      const [other, otherSocket] = signedIn();
      assert.ok(!isStanding(other.now(otherSocket, undefined, { fields: [name, ''] })), name);
    }
    const waiting = s.now(socket, undefined, { fields: ['Expect', '100-continue'] });
    assert.ok(!isStanding(waiting));
    assert.equal(userOf(waiting), 'LAB\\alice');
  });

  it('is none where the application says no', () => {
    const [s, socket] = signedIn({ authorize: ({ userName }, request) => userName === 'alice' && request !== 'no' });
    assert.ok(isStanding(s.now(socket)));
    assert.equal(s.now(socket, undefined, { request: 'no' }).type, 'refused');
  });

  it('is none while another request of the connection is verified (A12), and when the authenticator is closed', async () => {
    const s = scripted({ ...usualScript, slow: { waits: true } });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, later('right'));
    assert.ok(isStanding(s.now(socket)));
    const verified = s.request(socket, first('slow'));
    const queued = s.request(socket);
    assert.ok(queued instanceof Promise);
    s.package.settle();
    await verified;
    const settled = await queued;
    assert.ok(!isStanding(settled), 'its client may wait for 100 Continue');
    assert.equal(settled.type, 'authenticated');
    assert.ok(isStanding(s.now(socket)));
    s.authenticator.close();
    assert.ok(!isStanding(s.now(socket)));
  });
});

describe('close', () => {
  it('gives up every handshake, frees the credentials and lets nobody in, the signed in included', () => {
    for (const anonymous of [false, true]) {
      const s = scripted(usualScript, { anonymous });
      const [signedIn, negotiating] = [new FakeSocket(), new FakeSocket()];
      s.now(signedIn, first('hello'));
      s.now(signedIn, later('right'));
      s.now(negotiating, first('hello'));
      s.authenticator.close();
      s.authenticator.close();
      assert.equal(s.package.live, 0);
      assert.equal(s.package.freed, 2, 'one for each scheme');
      assert.equal(s.authenticator.pendingHandshakes, 0);
      for (const outcome of [
        s.now(signedIn),
        s.now(negotiating, later('right')),
        s.now(new FakeSocket()),
        s.now(new FakeSocket(), first('hello')),
      ]) {
        assert.ok('status' in outcome);
        assert.equal(outcome.status, 401);
        assert.equal(field(outcome, 'WWW-Authenticate'), undefined);
      }
    }
  });

  it('leaves the context of an identity to the next request of its connection, or its end', () => {
    const s = scripted({ ...usualScript, right: { keepAfterHandshake: true } });
    const sockets: [FakeSocket, (socket: FakeSocket) => unknown][] = [];
    for (const end of [(socket: FakeSocket) => s.now(socket), (socket: FakeSocket) => socket.close()]) {
      const socket = new FakeSocket();
      sockets.push([socket, end]);
      s.now(socket, first('hello'));
      s.now(socket, later('right'));
    }
    s.authenticator.close();
    for (const [index, [socket, end]] of sockets.entries()) {
      end(socket);
      assert.equal(s.package.live, 1 - index);
      socket.close();
    }
    assert.deepEqual([s.package.made, s.package.deleted], [2, 2]);
  });
});
