import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import { Connection } from '../../src/authenticator/connection.ts';
import { anonymousOutcome, refusedOutcome } from '../../src/http/outcome.ts';
import { PendingHandshakes } from '../../src/authenticator/pending-handshakes.ts';
import type { Abandonment } from '../../src/authenticator/pending-handshakes.ts';
import type { VerificationResult } from '../../src/authenticator/verification.ts';
import { FakeSocket, HandClock, settled } from './scripted-authenticator.ts';

function setUp(
  pendingHandshakes = 100,
  pendingHandshakeBytes = 1000,
): {
  clock: HandClock;
  pending: PendingHandshakes;
  given: [Abandonment, Connection][];
  add: (bytes?: number) => { connection: Connection; socket: FakeSocket };
} {
  const clock = new HandClock();
  const given: [Abandonment, Connection][] = [];
  const limits = { handshakeMilliseconds: 1000, pendingHandshakes, pendingHandshakeBytes };
  const pending = new PendingHandshakes(limits, clock, (why, connection) => given.push([why, connection]));
  const add = (bytes?: number): { connection: Connection; socket: FakeSocket } => {
    const entry = { connection: new Connection(), socket: new FakeSocket() };
    pending.add(entry.connection, entry.socket, undefined, bytes);
    return entry;
  };
  return { clock, pending, given, add };
}

describe('pending handshakes', () => {
  it('sweep gives up those at or past their deadline, oldest first', () => {
    const { clock, pending, given, add } = setUp();
    const one = add();
    clock.advance(400);
    const two = add();
    clock.advance(400);
    const three = add();
    clock.advance(199);
    pending.sweep();
    assert.equal(pending.size, 3);
    clock.advance(1);
    pending.sweep();
    assert.equal(pending.size, 2);
    clock.advance(800);
    pending.sweep();
    assert.equal(pending.size, 0);
    assert.deepEqual(
      given.map(([why]) => why),
      ['deadline', 'deadline', 'deadline'],
    );
    assert.deepEqual(
      given.map(([, connection]) => connection),
      [one, two, three].map(({ connection }) => connection),
    );
    for (const { socket } of [one, two, three]) assert.equal(socket.listenerCount('close'), 0);
  });

  it('a deadline is not moved by adding again', () => {
    const { clock, pending, add } = setUp();
    const { connection, socket } = add();
    clock.advance(900);
    pending.add(connection, socket);
    clock.advance(100);
    pending.sweep();
    assert.equal(pending.size, 0);
    assert.equal(socket.listenerCount('close'), 0);
  });

  it('the time of a client that is still sending the body of its leg runs from the end of that', () => {
    const { clock, pending, given } = setUp();
    const connection = new Connection();
    const leg = Object.assign(new EventEmitter(), { complete: false });
    pending.add(connection, new FakeSocket(), leg);
    for (let period = 0; period < 5; period++) {
      clock.advance(1000);
      pending.sweep();
      assert.equal(pending.size, 1);
    }
    clock.advance(900);
    leg.complete = true;
    leg.emit('end');
    clock.advance(999);
    pending.sweep();
    assert.equal(pending.size, 1);
    clock.advance(1);
    pending.sweep();
    assert.deepEqual(given, [['deadline', connection]]);
  });

  it('a body that ends after its handshake buys nobody time', () => {
    const { clock, pending, given } = setUp();
    const connection = new Connection();
    const [before, during] = [new EventEmitter(), new EventEmitter()].map((leg) =>
      Object.assign(leg, { complete: false }),
    ) as [EventEmitter & { complete: boolean }, EventEmitter & { complete: boolean }];
    for (const leg of [before, during]) {
      pending.add(connection, new FakeSocket(), leg);
      pending.remove(connection);
    }
    before.emit('end');
    assert.equal(pending.size, 0);
    pending.add(connection, new FakeSocket());
    clock.advance(500);
    during.emit('end');
    clock.advance(500);
    pending.sweep();
    assert.deepEqual(given, [['deadline', connection]]);
  });

  it('nor does one that still arrives when its handshake is over', () => {
    const { clock, pending, given } = setUp();
    const connection = new Connection();
    pending.add(connection, new FakeSocket(), Object.assign(new EventEmitter(), { complete: false }));
    pending.remove(connection);
    pending.add(connection, new FakeSocket());
    clock.advance(1000);
    pending.sweep();
    assert.deepEqual(given, [['deadline', connection]]);
  });

  it('one whose body arrives keeps nobody behind it waiting longer', () => {
    const { clock, pending, given, add } = setUp();
    pending.add(new Connection(), new FakeSocket(), Object.assign(new EventEmitter(), { complete: false }));
    clock.advance(500);
    const { connection } = add();
    for (let half = 0; half < 2; half++) {
      clock.advance(500);
      pending.sweep();
    }
    assert.deepEqual(given, [['deadline', connection]]);
    assert.equal(pending.size, 1);
  });

  it('one more than the cap drops the oldest', () => {
    const { pending, given, add } = setUp(2);
    const entries = [add(), add(), add(), add()];
    assert.equal(pending.size, 2);
    assert.deepEqual(
      given,
      entries.slice(0, 2).map(({ connection }) => ['evicted', connection]),
    );
    assert.equal(entries[0]?.socket.listenerCount('close'), 0);
  });

  it('A17: as many bytes as are allowed, and with one more the oldest go', () => {
    const { pending, given, add } = setUp(100, 1000);
    const entries = [add(400), add(100), add(500)];
    assert.equal(pending.size, 3);
    add(1);
    assert.deepEqual(given, [['evicted', entries[0]!.connection]]);
    assert.equal(entries[0]!.socket.listenerCount('close'), 0);
    add(399);
    assert.equal(pending.size, 4);
    add(600);
    assert.deepEqual(
      given.map(([, connection]) => connection),
      entries.map(({ connection }) => connection),
    );
    assert.equal(pending.size, 3);
  });

  it('A17: bytes count for as long as they are held: a later leg, an end in any way', () => {
    const { clock, pending, given, add } = setUp(100, 1000);
    const first = add(900);
    pending.add(first.connection, first.socket, undefined, 100);
    const [second, third] = [add(450), add(450)];
    assert.equal(given.length, 0, 'the first holds less now');
    pending.remove(second.connection);
    third.socket.close();
    add(900);
    assert.equal(given.length, 0);
    clock.advance(1000);
    pending.sweep();
    assert.deepEqual(
      given.map(([why]) => why),
      ['deadline', 'deadline'],
    );
    add(1000);
    assert.equal(given.length, 2);
  });

  it('A17: the bytes of a connection that begins again count again', () => {
    const { pending, given, add } = setUp(100, 1000);
    const { connection, socket } = add(600);
    pending.remove(connection);
    pending.add(connection, socket, undefined, 600);
    add(500);
    assert.deepEqual(given, [['evicted', connection]]);
  });

  it('A17: one that grows drops others, and never itself', () => {
    const { pending, given, add } = setUp(100, 1000);
    const [first, second, third] = [add(100), add(100), add(100)];
    pending.add(second.connection, second.socket, undefined, 850);
    assert.deepEqual(given, [['evicted', first.connection]]);
    pending.add(second.connection, second.socket, undefined, 5000);
    assert.deepEqual(given[1], ['evicted', third.connection]);
    assert.equal(pending.size, 1, 'a token has a limit of its own');
    add(1);
    assert.deepEqual(given[2], ['evicted', second.connection]);
  });

  it('a closed socket, a release and a removal each take theirs out', () => {
    const { pending, given, add } = setUp();
    const [closed, released, removed] = [add(), add(), add()];
    closed.socket.close();
    assert.equal(pending.size, 2);
    pending.release(released.connection);
    pending.remove(removed.connection);
    pending.release(released.connection);
    assert.equal(pending.size, 0);
    assert.deepEqual(given, []);
    assert.deepEqual(
      [closed, released].map(({ socket }) => socket.listenerCount('close')),
      [0, 0],
    );
  });

  it('its timer does not keep the process, stops with the last one and starts with the next', (t) => {
    const { clock, pending, given, add } = setUp();
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { connection } = add();
    pending.release(connection);
    add();
    pending.release(add().connection);
    clock.advance(1000);
    t.mock.timers.tick(1000);
    assert.deepEqual(
      given.map(([why]) => why),
      ['deadline'],
    );
    add();
    pending.close();
    assert.equal(pending.size, 0);
    assert.deepEqual(
      given.map(([why]) => why),
      ['deadline', 'closed'],
    );
  });
});

describe('the timer of pending handshakes', () => {
  it('wakes nobody up when the last one is over', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { clock, pending, add } = setUp();
    pending.remove(add().connection);
    const looks = t.mock.method(clock, 'elapsed');
    clock.advance(1000);
    t.mock.timers.tick(1000);
    assert.equal(looks.mock.callCount(), 0);
  });
});

describe('whenVerified', () => {
  const refused: VerificationResult = { type: 'refused', status: 0x80090308, diagnosis: undefined };
  const yes = (): typeof anonymousOutcome => anonymousOutcome;
  const no = (): ReturnType<typeof refusedOutcome> => refusedOutcome(401);

  it('a result that is there is not waited for and not counted', () => {
    const { pending } = setUp();
    assert.equal(pending.whenVerified(new Connection(), new FakeSocket(), refused, yes, no), anonymousOutcome);
    assert.equal(pending.size, 0);
  });

  it('one that is not is counted', async () => {
    const { pending } = setUp();
    const outcome = pending.whenVerified(new Connection(), new FakeSocket(), Promise.resolve(refused), yes, no);
    assert.equal(pending.size, 1);
    assert.equal(await outcome, anonymousOutcome);
  });

  it('A17: it holds no bytes where none are named', () => {
    const { pending, given, add } = setUp(100, 1000);
    const never = new Promise<VerificationResult>(() => undefined);
    assert.ok(pending.whenVerified(new Connection(), new FakeSocket(), never, yes, no) instanceof Promise);
    add(1000);
    assert.deepEqual(given, []);
  });

  it('A17: so are the bytes of its request', async () => {
    const { pending, given, add } = setUp(100, 1000);
    const connection = new Connection();
    const never = new Promise<VerificationResult>(() => undefined);
    const outcome = pending.whenVerified(connection, new FakeSocket(), never, yes, no, 800);
    add(300);
    assert.deepEqual(given, [['evicted', connection]]);
    assert.equal((await outcome).type, 'refused');
  });

  it('one that rejects in time is an error', async () => {
    const { pending } = setUp();
    const verified = pending.whenVerified(
      new Connection(),
      new FakeSocket(),
      Promise.reject(new Error('broken')),
      yes,
      no,
    );
    await assert.rejects(verified as Promise<unknown>, /broken/);
  });

  it('a late rejection leaves alone whoever is verified on the connection by then', async () => {
    const { pending, clock } = setUp();
    const [connection, socket] = [new Connection(), new FakeSocket()];
    let reject: (error: Error) => void = () => undefined;
    const hanging = new Promise<VerificationResult>((_resolve, fail) => {
      reject = fail;
    });
    const first = pending.whenVerified(connection, socket, hanging, yes, no);
    clock.advance(1000);
    pending.sweep();
    assert.equal((await first).type, 'refused');
    const second = pending.whenVerified(connection, socket, new Promise<VerificationResult>(() => undefined), yes, no);
    reject(new Error('late'));
    await settled();
    socket.close();
    assert.equal((await second).type, 'refused');
    assert.equal(pending.size, 0);
  });
});
