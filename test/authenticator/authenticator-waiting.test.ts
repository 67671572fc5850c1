/** Verifications that have to be waited for: queues, new first tokens, clients that go away. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeSocket, first, later, scripted, settled } from './scripted-authenticator.ts';
import { waitingScript, watch } from './waiting-results.ts';

describe('a result that comes later', () => {
  it('signs in when it is there, and not before', async () => {
    const s = scripted(waitingScript);
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    const request = watch(s.request(socket, later('slow')));
    await settled();
    assert.equal(request.result, undefined);
    s.package.settle();
    await settled();
    assert.equal(request.result, 'LAB\\alice');
    assert.equal(s.package.live, 0);
    assert.equal(s.authenticator.pendingHandshakes, 0);
    assert.equal(watch(s.request(socket)).result, 'LAB\\alice', 'synchronously from now on');
  });

  it('A21: refuses where the verify rejects', async () => {
    const s = scripted(waitingScript);
    const socket = new FakeSocket();
    const onFirst = watch(s.request(socket, first('slow')));
    s.package.settle(new Error('the database is away: password=secret'));
    await settled();
    assert.equal(onFirst.result, 'refused');
    s.now(socket, first('hello'));
    const onSecond = watch(s.request(socket, later('slow')));
    s.package.settle(new Error('the database is away: password=secret'));
    await settled();
    assert.equal(onSecond.result, 'refused');
    assert.equal(s.package.live, 0);
    assert.equal(s.authenticator.pendingHandshakes, 0);
    assert.ok(!JSON.stringify(s.log).includes('secret'));
  });

  it('waits for CompleteAuthToken as well', async () => {
    const s = scripted(waitingScript);
    const socket = new FakeSocket();
    const request = watch(s.request(socket, first('slowToComplete')));
    s.package.settle();
    await settled();
    assert.equal(request.result, undefined);
    assert.deepEqual(s.package.waiting, ['completion']);
    s.package.settle();
    await settled();
    assert.equal(request.result, 'LAB\\alice');
    assert.equal(s.package.live, 0);
  });
});

describe('A12: requests of one connection are verified one after the other', () => {
  it('a second token waits for the first one’s result and is never verified beside it', async () => {
    const s = scripted(waitingScript);
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    const one = watch(s.request(socket, later('slow')));
    const two = watch(s.request(socket, later('slowBob')));
    await settled();
    assert.deepEqual(s.package.waiting, ['slow'], 'the second one has not been asked about');
    s.package.settle();
    await settled();
    assert.equal(one.result, 'LAB\\alice');
    assert.equal(two.result, undefined);
    assert.deepEqual(s.package.waiting, ['slowBob']);
    s.package.settle();
    await settled();
    // It met no challenge of its own, so the package made a new context for it.
    assert.equal(two.result, 'LAB\\bob');
    assert.equal(s.package.live, 0);
  });

  it('a request without credentials that waited has the identity of the connection as it is then', async () => {
    const s = scripted(waitingScript);
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, later('right'));
    s.now(socket, first('hello'));
    const verified = watch(s.request(socket, later('slowBob')));
    const waiting = watch(s.request(socket));
    await settled();
    assert.equal(waiting.result, undefined, 'not alice, who was there before');
    s.package.settle();
    await settled();
    assert.deepEqual([verified.result, waiting.result], ['LAB\\bob', 'LAB\\bob']);
  });

  it('nor has it any where the result is no', async () => {
    const s = scripted(waitingScript);
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, later('right'));
    s.now(socket, first('hello'));
    const verified = watch(s.request(socket, later('slowWrong')));
    const waiting = [watch(s.request(socket)), watch(s.request(socket))];
    s.package.settle();
    await settled();
    assert.equal(verified.result, 'refused');
    assert.deepEqual(
      waiting.map(({ result }) => result),
      ['challenge', 'challenge'],
    );
  });

  it('type 1 and type 3 in one segment, and type 1 twice', async () => {
    const s = scripted(waitingScript);
    const socket = new FakeSocket();
    const one = watch(s.request(socket, first('slowHello')));
    const two = watch(s.request(socket, later('slow')));
    await settled();
    s.package.settle();
    await settled();
    s.package.settle();
    await settled();
    assert.deepEqual([one.result, two.result], ['challenge', 'LAB\\alice']);
    const again = [watch(s.request(socket, first('slowHello'))), watch(s.request(socket, first('slowHello')))];
    s.package.settle();
    await settled();
    s.package.settle();
    await settled();
    assert.deepEqual(
      again.map(({ result }) => result),
      ['challenge', 'challenge'],
    );
    assert.equal(s.package.live, 1);
    assert.equal(s.authenticator.pendingHandshakes, 1);
    socket.close();
    assert.equal(s.package.live, 0);
  });

  it('a request never overtakes one that waits, not in the moment between two results either', async () => {
    const s = scripted(waitingScript);
    const socket = new FakeSocket();
    const alice = watch(s.request(socket, first('slow')));
    const bob = watch(s.request(socket, first('slowBob')));
    await settled();
    s.package.settle();
    const after: ReturnType<typeof watch>[] = [];
    // Turn by turn, as code of the application runs that was waiting for something else.
    while (s.package.waiting.length === 0) {
      after.push(watch(s.request(socket)));
      await Promise.resolve();
    }
    s.package.settle();
    await settled();
    assert.deepEqual([alice.result, bob.result], ['LAB\\alice', 'LAB\\bob']);
    assert.ok(after.length > 0);
    assert.deepEqual(
      after.map(({ result }) => result),
      after.map(() => 'LAB\\bob'),
    );
  });

  it('a connection that waits does not hold up another', async () => {
    const s = scripted(waitingScript);
    const [slow, quick] = [new FakeSocket(), new FakeSocket()];
    s.now(slow, first('hello'));
    const waiting = watch(s.request(slow, later('slow')));
    s.now(quick, first('hello'));
    assert.equal(watch(s.request(quick, later('right'))).result, 'LAB\\alice');
    assert.equal(waiting.result, undefined);
    s.package.settle();
    await settled();
    assert.equal(waiting.result, 'LAB\\alice');
  });
});

describe('C04: a new first token', () => {
  it('ends identity, context and deadline of what was before, before it is verified', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const s = scripted(
      { ...waitingScript, right: { keepAfterHandshake: true } },
      { limits: { handshakeMilliseconds: 100 } },
    );
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, later('right'));
    assert.equal(s.package.live, 1);
    const verified = watch(s.request(socket, first('slowHello')));
    assert.equal(s.package.live, 0, 'gone while nobody knows yet what becomes of the new one');
    s.clock.advance(60);
    t.mock.timers.tick(60);
    s.package.settle();
    await settled();
    assert.equal(verified.result, 'challenge');
    const again = watch(s.request(socket, first('hello')));
    assert.equal(again.result, 'challenge');
    s.clock.advance(60);
    t.mock.timers.tick(60);
    assert.equal(s.authenticator.pendingHandshakes, 1, 'the deadline is that of the newest');
  });
});

describe('G10: the client goes away while it is verified', () => {
  for (const [name, prepare, authorization] of [
    ['on the first leg', false, first('slow')],
    ['on a later leg', true, later('slow')],
    ['with a challenge on its way', false, first('slowHello')],
  ] as const) {
    it(name, async () => {
      const s = scripted(waitingScript);
      const socket = new FakeSocket();
      if (prepare) s.now(socket, first('hello'));
      const request = watch(s.request(socket, authorization));
      const waiting = [watch(s.request(socket)), watch(s.request(socket, later('slowBob')))];
      await settled();
      socket.close();
      await settled();
      assert.equal(request.result, 'refused', 'told at once');
      assert.deepEqual(
        waiting.map(({ result }) => result),
        ['refused', 'refused'],
      );
      assert.equal(s.authenticator.pendingHandshakes, 0);
      s.package.settle();
      await settled();
      assert.deepEqual(s.package.waiting, [], 'nobody is asked for a client that is gone');
      assert.equal(s.package.live, 0, 'the late result is thrown away');
      assert.equal(socket.listenerCount('close'), 0);
      assert.ok(s.log.every(({ message }) => message !== 'sspi-auth: authenticated'));
    });
  }

  it('also where its socket has not yet said so', async () => {
    for (const authorization of [first('slow'), first('slowHello')]) {
      const s = scripted(waitingScript);
      const socket = new FakeSocket();
      const request = watch(s.request(socket, authorization));
      socket.destroyed = true;
      s.package.settle();
      await settled();
      assert.equal(request.result, 'refused');
      assert.deepEqual([s.package.live, s.authenticator.pendingHandshakes, s.log.length], [0, 0, 0]);
    }
  });

  it('a verify that rejects afterwards disturbs nobody', async () => {
    const s = scripted(waitingScript, { limits: { handshakeMilliseconds: 100 } });
    const socket = new FakeSocket();
    const request = watch(s.request(socket, first('slow')));
    socket.close();
    s.package.settle(new Error('too late'));
    await settled();
    assert.equal(request.result, 'refused');
    assert.equal(s.package.live, 0);
  });
});

describe('close, while somebody is verified', () => {
  it('says no at once and throws the result away', async () => {
    const s = scripted(waitingScript);
    const socket = new FakeSocket();
    const request = watch(s.request(socket, first('slow')));
    s.authenticator.close();
    await settled();
    assert.equal(request.result, 'refused');
    s.package.settle();
    await settled();
    assert.equal(s.package.live, 0);
    assert.equal(watch(s.request(socket)).result, 'challenge');
  });
});

describe('authorize that has to be waited for', () => {
  it('decides about its own request, whatever happens to the connection meanwhile', async () => {
    const answers: ((yes: boolean) => void)[] = [];
    const s = scripted(waitingScript, {
      authorize: async () => new Promise<boolean>((resolve) => answers.push(resolve)),
    });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    const one = watch(s.request(socket, later('right')));
    s.now(socket, first('hello'));
    const two = watch(s.request(socket, later('slowBob')));
    s.package.settle();
    await settled();
    assert.equal(answers.length, 2);
    answers[1]?.(false);
    answers[0]?.(true);
    await settled();
    assert.deepEqual([one.result, two.result], ['LAB\\alice', 'refused']);
  });
});

describe('G10: a package is told that nobody waits for its result any more', () => {
  const asked = (s: ReturnType<typeof scripted>): boolean | undefined => s.package.calls.at(-1)?.abandoned?.();

  for (const [leg, token] of [
    ['the first leg', first('slow')],
    ['the last leg', later('slow')],
  ] as const) {
    it(`when the client goes away: ${leg}`, async () => {
      const s = scripted(waitingScript);
      const socket = new FakeSocket();
      if (leg === 'the last leg') s.now(socket, first('hello'));
      const request = watch(s.request(socket, token));
      assert.equal(asked(s), false);
      socket.emit('close');
      assert.equal(asked(s), true);
      await settled();
      assert.equal(request.result, 'refused');
      s.package.settle();
      await settled();
      assert.equal(s.package.live, 0);
    });
  }

  it('when the authenticator closes', async () => {
    const s = scripted(waitingScript);
    const request = watch(s.request(new FakeSocket(), first('slow')));
    assert.equal(asked(s), false);
    s.authenticator.close();
    assert.equal(asked(s), true);
    await settled();
    assert.equal(request.result, 'refused');
    s.package.settle();
    await settled();
    assert.equal(s.package.live, 0);
  });

  it('and not when the next request of the same connection waits', async () => {
    const s = scripted(waitingScript);
    const socket = new FakeSocket();
    const one = watch(s.request(socket, first('slow')));
    const two = watch(s.request(socket, first('slowBob')));
    assert.equal(asked(s), false);
    s.package.settle();
    await settled();
    assert.equal(asked(s), false);
    s.package.settle();
    await settled();
    assert.deepEqual([one.result, two.result], ['LAB\\alice', 'LAB\\bob']);
  });
});
