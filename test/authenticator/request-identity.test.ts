/** A request keeps the identity that it was admitted with, and what that identity holds, until it is answered. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import type { Exchange } from '../../src/http/exchange.ts';
import type { Outcome } from '../../src/http/outcome.ts';
import { isStanding, writeOutcome } from '../../src/index.ts';
import { RawConnection } from '../lab/raw-connection.ts';
import {
  exchangeOf,
  FakeSocket,
  first,
  later,
  scripted,
  settled,
  userOf,
  usualScript,
} from './scripted-authenticator.ts';
import type { Scripted } from './scripted-authenticator.ts';

describe('a request that passes the same authenticator twice', () => {
  const verify = ({ authenticator }: Scripted, exchange: Exchange): Outcome | Promise<Outcome> =>
    authenticator.authenticate(exchange, '/', undefined);
  const signIn = (s: Scripted, socket: FakeSocket, user: 'right' | 'bob'): void => {
    s.now(socket, first('hello'));
    assert.ok(userOf(s.request(socket, later(user))));
  };

  for (const [what, options, make] of [
    ['on a signed-in connection', {}, (socket: FakeSocket) => exchangeOf(socket, undefined)],
    ['with authorize', { authorize: () => true }, (socket: FakeSocket) => exchangeOf(socket, undefined)],
    ['with skip', { skip: () => false }, (socket: FakeSocket) => exchangeOf(socket, undefined)],
    ['as a frozen object', {}, (socket: FakeSocket) => Object.freeze(exchangeOf(socket, undefined))],
    [
      'and an object made from it',
      {},
      (socket: FakeSocket) => Object.create(exchangeOf(socket, undefined)) as Exchange,
    ],
    [
      'and waits for 100 Continue',
      {},
      (socket: FakeSocket) => exchangeOf(socket, undefined, { fields: ['Expect', '100-continue'] }),
    ],
  ] as const) {
    it(`${what}, keeps its user while a pipelined request signs in another one (A12)`, () => {
      const s = scripted(usualScript, options);
      const socket = new FakeSocket();
      signIn(s, socket, 'right');
      const exchange = make(socket);
      const once = verify(s, exchange);
      assert.equal(userOf(once), 'LAB\\alice');
      signIn(s, socket, 'bob');
      assert.equal(verify(s, exchange), once, 'one request, one identity');
      assert.equal(userOf(verify(s, make(socket))), 'LAB\\bob');
      // Nor does it lose it with the connection's identity.
      s.now(socket, later('wrong'));
      assert.equal(userOf(verify(s, exchange)), 'LAB\\alice');
      assert.equal(s.now(socket).type, 'challenge');
    });
  }

  it('stays anonymous where it was admitted so', () => {
    const s = scripted(usualScript, { anonymous: true });
    const socket = new FakeSocket();
    const exchange = exchangeOf(socket, undefined);
    assert.equal((verify(s, exchange) as Outcome).type, 'anonymous');
    signIn(s, socket, 'right');
    assert.equal((verify(s, exchange) as Outcome).type, 'anonymous');
    assert.equal(userOf(s.request(socket)), 'LAB\\alice');
  });

  it('does not wait for a pipelined sign-in that is being verified', async () => {
    const s = scripted({ ...usualScript, slowBob: { account: { userName: 'bob' }, waits: true } });
    const socket = new FakeSocket();
    signIn(s, socket, 'right');
    const exchange = exchangeOf(socket, undefined);
    assert.equal(userOf(verify(s, exchange)), 'LAB\\alice');
    s.now(socket, first('hello'));
    const bob = s.request(socket, later('slowBob'));
    assert.equal(userOf(verify(s, exchange)), 'LAB\\alice', 'at once');
    s.package.settle();
    assert.equal(userOf(await bob), 'LAB\\bob');
    await settled();
    assert.equal(userOf(verify(s, exchange)), 'LAB\\alice');
  });
});

describe('a context that a handler acts with (impersonation, forwarded tickets)', () => {
  interface Running extends AsyncDisposable {
    readonly s: Scripted;
    readonly port: number;
    /** The responses of handlers that run, in order. */
    readonly handling: ServerResponse[];
    /** Waits until so many handlers have begun. */
    begun(count: number): Promise<void>;
  }

  /** A server of node:http whose handlers answer when the test says so. */
  async function serve(persistence: 'connection' | 'request'): Promise<Running> {
    const kept = { keepAfterHandshake: true };
    const s = scripted({ ...usualScript, right: kept, bob: { ...usualScript['bob'], ...kept } }, { persistence });
    const handling: ServerResponse[] = [];
    const { limits } = s.authenticator.settings;
    const server = createServer((request: IncomingMessage, response: ServerResponse) => {
      const outcome = s.authenticator.authenticate(request, '/', undefined) as Outcome;
      if (!isStanding(outcome) && !writeOutcome(request, response, outcome, limits)) return;
      handling.push(response);
      server.emit('handling');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
      s,
      port: (server.address() as AddressInfo).port,
      handling,
      async begun(count) {
        while (handling.length < count) await once(server, 'handling');
      },
      async [Symbol.asyncDispose]() {
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      },
    };
  }
  const field = (value: string): { fields: string[] } => ({ fields: [`Authorization: ${value}`] });

  for (const persistence of ['connection', 'request'] as const) {
    it(`persistence '${persistence}': lives until its request is answered, whatever is pipelined behind it`, async () => {
      await using running = await serve(persistence);
      const { s, handling } = running;
      await using connection = await RawConnection.open(running.port);
      // Each of these ends what alice's context belongs to: another sign-in, no credentials, a broken field.
      connection.send(field(first('right')), field(first('bob')), field('@'), {});
      await running.begun(2);
      while (s.package.asked.length < 2) await settled();
      assert.equal(s.package.live, 2, 'that of alice is there while her handler runs, and that of bob as well');
      handling[0]?.end('alice');
      assert.equal((await connection.response()).body, 'alice');
      await settled();
      assert.equal(s.package.live, 1, 'alice is answered');
      handling[1]?.end('bob');
      assert.equal((await connection.response()).body, 'bob');
      for (const status of [400, 401]) assert.equal((await connection.response()).status, status);
      await settled();
      assert.deepEqual([s.package.made, s.package.deleted], [2, 2]);
    });
  }

  it('of requests behind the one that signed in lives until the last of them is answered', async () => {
    await using running = await serve('connection');
    const { s, handling } = running;
    await using connection = await RawConnection.open(running.port);
    connection.send(field(first('right')), {}, {}, field(first('wrong')));
    await running.begun(3);
    for (const response of handling) {
      assert.equal(s.package.live, 1);
      response.end('handled');
      assert.equal((await connection.response()).status, 200);
    }
    assert.equal((await connection.response()).status, 401);
    await settled();
    assert.equal(s.package.live, 0);
  });

  it('goes with its connection, answered or not', async () => {
    await using running = await serve('connection');
    const { s } = running;
    const connection = await RawConnection.open(running.port);
    connection.send(field(first('right')), {}, field(first('bob')));
    await running.begun(3);
    assert.equal(s.package.live, 2);
    await connection[Symbol.asyncDispose]();
    while (s.package.live > 0) await settled();
    assert.deepEqual([s.package.made, s.package.deleted], [2, 2]);
  });

  it('is deleted at once where nothing is pipelined', async () => {
    await using running = await serve('connection');
    const { s, handling } = running;
    await using connection = await RawConnection.open(running.port);
    connection.send(field(first('right')));
    await running.begun(1);
    handling[0]?.end('alice');
    await connection.response();
    assert.equal((await connection.exchange(field(first('wrong')))).status, 401);
    assert.equal(s.package.live, 0);
  });
});
