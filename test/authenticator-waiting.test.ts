/** Judgements that have to be waited for: queues, deadlines, clients that go away. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Outcome } from '../src/http/outcome.ts';
import * as Sspi from '../src/sspi/index.ts';
import { FakeSocket, first, later, scripted, settled } from './scripted-authenticator.ts';
import type { Script } from './scripted-package.ts';

const script: Script = {
  hello: { status: Sspi.SEC_I_CONTINUE_NEEDED, output: 'challenge' },
  slowHello: { status: Sspi.SEC_I_CONTINUE_NEEDED, output: 'challenge', waits: true },
  right: {},
  slow: { waits: true },
  slowBob: { waits: true, account: { userName: 'bob' } },
  slowWrong: { waits: true, status: Sspi.SEC_E_LOGON_DENIED },
  slowToComplete: { status: Sspi.SEC_I_COMPLETE_NEEDED, waits: true, completion: { waits: true } },
};

/** What became of a request, as soon as it is known. */
function watch(outcome: Outcome | Promise<Outcome>): { readonly result: string | undefined } {
  const seen: { result: string | undefined } = { result: undefined };
  const note = (settledOutcome: Outcome): void => {
    seen.result = settledOutcome.type === 'authenticated' ? settledOutcome.user.name : settledOutcome.type;
  };
  if (outcome instanceof Promise) outcome.then(note, () => (seen.result = 'rejected'));
  else note(outcome);
  return seen;
}

describe('a verdict that comes later', () => {
  it('signs in when it is there, and not before', async () => {
    const s = scripted(script);
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

  it('A21: refuses where the judge rejects', async () => {
    const s = scripted(script);
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
    const s = scripted(script);
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

describe('A12: requests of one connection are judged one after the other', () => {
  it('a second token waits for the first one’s verdict and is never judged beside it', async () => {
    const s = scripted(script);
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
    const s = scripted(script);
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, later('right'));
    s.now(socket, first('hello'));
    const judged = watch(s.request(socket, later('slowBob')));
    const waiting = watch(s.request(socket));
    await settled();
    assert.equal(waiting.result, undefined, 'not alice, who was there before');
    s.package.settle();
    await settled();
    assert.deepEqual([judged.result, waiting.result], ['LAB\\bob', 'LAB\\bob']);
  });

  it('nor has it any where the verdict is no', async () => {
    const s = scripted(script);
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, later('right'));
    s.now(socket, first('hello'));
    const judged = watch(s.request(socket, later('slowWrong')));
    const waiting = [watch(s.request(socket)), watch(s.request(socket))];
    s.package.settle();
    await settled();
    assert.equal(judged.result, 'refused');
    assert.deepEqual(
      waiting.map(({ result }) => result),
      ['challenge', 'challenge'],
    );
  });

  it('type 1 and type 3 in one segment, and type 1 twice', async () => {
    const s = scripted(script);
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

  it('a connection that waits does not hold up another', async () => {
    const s = scripted(script);
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
  it('ends identity, context and deadline of what was before, before it is judged', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const s = scripted({ ...script, right: { keepAfterHandshake: true } }, { limits: { handshakeMilliseconds: 100 } });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, later('right'));
    assert.equal(s.package.live, 1);
    const judged = watch(s.request(socket, first('slowHello')));
    assert.equal(s.package.live, 0, 'gone while nobody knows yet what becomes of the new one');
    s.clock.advance(60);
    t.mock.timers.tick(60);
    s.package.settle();
    await settled();
    assert.equal(judged.result, 'challenge');
    const again = watch(s.request(socket, first('hello')));
    assert.equal(again.result, 'challenge');
    s.clock.advance(60);
    t.mock.timers.tick(60);
    assert.equal(s.authenticator.pendingHandshakes, 1, 'the deadline is that of the newest');
  });
});

describe('G10: the client goes away while it is judged', () => {
  for (const [name, prepare, authorization] of [
    ['on the first leg', false, first('slow')],
    ['on a later leg', true, later('slow')],
    ['with a challenge on its way', false, first('slowHello')],
  ] as const) {
    it(name, async () => {
      const s = scripted(script);
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
      assert.equal(s.package.live, 0, 'the late verdict is thrown away');
      assert.equal(socket.listenerCount('close'), 0);
      assert.ok(s.log.every(({ message }) => message !== 'sspi-auth: authenticated'));
    });
  }

  it('a judge that rejects afterwards disturbs nobody', async () => {
    const s = scripted(script, { limits: { handshakeMilliseconds: 100 } });
    const socket = new FakeSocket();
    const request = watch(s.request(socket, first('slow')));
    socket.close();
    s.package.settle(new Error('too late'));
    await settled();
    assert.equal(request.result, 'refused');
    assert.equal(s.package.live, 0);
  });
});

describe('A17: handshakes have a deadline', () => {
  it('counted from the first token; later legs buy no time', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const s = scripted({ ...script, more: { status: Sspi.SEC_I_CONTINUE_NEEDED, output: 'x' } });
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
      package: undefined,
      account: undefined,
      peer: '192.0.2.7:4711',
      reason: 'handshake-deadline',
      durationMilliseconds: 30_000,
    });
  });

  it('one timer serves all, each at its own time', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const s = scripted(script, { limits: { handshakeMilliseconds: 100 } });
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

  it('a judge that never answers: no, the queue goes on, and his late yes is thrown away', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    for (const rejection of [undefined, new Error('at last')]) {
      const s = scripted(script, { limits: { handshakeMilliseconds: 100 } });
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
      assert.deepEqual(s.package.waiting, ['slow', 'slowBob'], 'the next one is judged meanwhile');
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
    const s = scripted(script, { limits: { handshakeMilliseconds: 100 } }, { slow: { waits: true } });
    const socket = new FakeSocket();
    const request = watch(s.request(socket, 'Digest slow'));
    s.clock.advance(100);
    t.mock.timers.tick(100);
    await settled();
    assert.equal(request.result, 'refused');
    s.digest.settle();
    await settled();
    assert.equal(s.digest.live, 0);
  });
});

describe('A17: handshakes have a cap', () => {
  it('the oldest gives way', () => {
    const s = scripted(script, { limits: { pendingHandshakes: 3 } });
    const sockets = Array.from({ length: 5 }, () => new FakeSocket());
    for (const socket of sockets) {
      s.now(socket, first('hello'));
      s.clock.advance(1);
    }
    assert.equal(s.authenticator.pendingHandshakes, 3);
    assert.equal(s.package.live, 3);
    assert.deepEqual(
      s.log.filter(({ level }) => level === 'warn').map(({ record }) => record['reason']),
      ['handshake-evicted', 'handshake-evicted'],
    );
    const results = sockets.map((socket) => watch(s.request(socket, later('right'))).result);
    // The package of this test makes a context for any token; what matters is whether it met the one of its handshake.
    assert.deepEqual(results, Array(5).fill('LAB\\alice'));
    assert.equal(s.package.made, 5 + 2);
    assert.equal(s.package.live, 0);
  });

  it('signed-in connections do not count, nor does one that begins again', () => {
    const s = scripted(script, { limits: { pendingHandshakes: 1 } });
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

  it('one that is being judged may be the oldest: it is told no', async () => {
    const s = scripted(script, { limits: { pendingHandshakes: 1 } });
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

describe('close, while somebody is judged', () => {
  it('says no at once and throws the verdict away', async () => {
    const s = scripted(script);
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
    const s = scripted(script, {
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
