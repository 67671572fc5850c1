/** What operators see, and what they never see. */
import assert from 'node:assert/strict';
import diagnosticsChannel from 'node:diagnostics_channel';
import { describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import type { Logger } from '../../src/authenticator/audit.ts';
import * as Sspi from '../../src/sspi/index.ts';
import { FakeSocket, first, later, scripted, settled } from './scripted-authenticator.ts';
import type { LogLine } from './scripted-authenticator.ts';
import type { Script } from './scripted-package.ts';
import { printable } from '../../src/foundation/text.ts';

const script: Script = {
  hello: { status: Sspi.SEC_I_CONTINUE_NEEDED, output: 'challenge' },
  'secret-right': {},
  'secret-wrong': {
    status: Sspi.SEC_E_LOGON_DENIED,
    diagnosis: { account: 'CORP\\mallory\r\n{"level":"info"}\u202e', text: 'the clock is wrong' },
  },
  'secret-throw': { throws: new Error('broken') },
};
const digest: Script = { '': { status: Sspi.SEC_I_CONTINUE_NEEDED, output: 'nonce="x"' }, 'secret-right': {} };

const facts = { scheme: 'NTLM', peer: '192.0.2.7:4711', method: 'GET', path: '/' };

describe('the log', () => {
  it('has one line for a sign-in and none for the requests that follow', () => {
    const s = scripted(script);
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.clock.advance(25);
    s.now(socket, later('secret-right'));
    s.now(socket);
    assert.deepEqual(s.log, [
      {
        level: 'debug',
        message: 'sspi-auth: handshake',
        record: {
          ...facts,
          package: 'NTLM',
          account: undefined,
          reason: 'SEC_I_CONTINUE_NEEDED',
          durationMilliseconds: 0,
        },
      },
      {
        level: 'info',
        message: 'sspi-auth: authenticated',
        record: {
          ...facts,
          package: 'Scripted',
          account: 'LAB\\alice',
          reason: 'SEC_E_OK',
          durationMilliseconds: 25,
        },
      },
    ]);
  });

  it('A09: escapes what a client calls itself', () => {
    const s = scripted(script);
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, later('secret-wrong'));
    assert.deepEqual(s.log.at(-1), {
      level: 'warn',
      message: 'sspi-auth: refused',
      record: {
        ...facts,
        package: 'NTLM',
        account: 'CORP\\mallory\\u000d\\u000a{"level":"info"}\\u202e',
        reason: 'SEC_E_LOGON_DENIED',
        diagnosis: 'the clock is wrong',
        durationMilliseconds: 0,
      },
    });
  });

  it('A09: escapes what an account source took over from the client, and what it says of itself', () => {
    const account = { userName: 'alice\r\n\u202eroot', domain: 'LAB' };
    const diagnosis = { text: 'LDAP says\r\n\u001b[2Kno' };
    const s = scripted({ ...script, named: { account }, told: { status: Sspi.SEC_E_LOGON_DENIED, diagnosis } });
    for (const [token, name, expected] of [
      ['named', 'account', 'LAB\\alice\\u000d\\u000a\\u202eroot'],
      ['told', 'diagnosis', 'LDAP says\\u000d\\u000a\\u001b[2Kno'],
    ] as const) {
      s.now(new FakeSocket(), first(token));
      assert.equal(s.log.at(-1)?.record[name], expected);
    }
  });

  it('A09: every control and direction character, and no endless name', () => {
    for (let code = 0; code < 0x10000; code++) {
      const shown = printable(String.fromCharCode(code));
      // eslint-disable-next-line no-control-regex -- control characters are what is looked for
      assert.ok(!/[\u0000-\u001f\u007f-\u009f\u2028\u2029]|\p{Bidi_Control}/u.test(shown), shown);
    }
    assert.equal(printable('x'.repeat(100_000)).length, 128);
  });

  it('names the reason of each refusal', () => {
    for (const [value, reason, scheme] of [
      ['NTLM', 'malformed-authorization', 'NTLM'],
      ['@', 'malformed-authorization', undefined],
      [['NTLM a', 'NTLM a'], 'repeated-authorization', undefined],
      ['Basic YTpi', 'scheme-not-offered', 'Basic'],
      [first('unheard of'), 'SEC_E_INVALID_TOKEN', 'NTLM'],
      [first('secret-throw'), 'SEC_E_INTERNAL_ERROR', 'NTLM'],
      [first('guest'), 'account-refused', 'NTLM'],
    ] as const) {
      const s = scripted({ ...script, guest: { account: { isGuest: true } } });
      s.now(new FakeSocket(), value);
      const [{ level, record }, ...others] = [...s.log].reverse() as [LogLine, ...LogLine[]];
      assert.deepEqual(
        [level, record['reason'], record['scheme'], record['durationMilliseconds']],
        ['warn', reason, scheme, 0],
      );
      // What was thrown has a line of its own before.
      assert.deepEqual(
        others.map((line) => [line.level, line.record['where']]),
        reason === 'SEC_E_INTERNAL_ERROR' ? [['error', 'the security package']] : [],
      );
    }
  });

  it('A21: has a failure of the same place once more after a hundred others, so that it remembers no more than that', () => {
    const s = scripted(
      Object.fromEntries(
        Array.from({ length: 101 }, (_, index) => {
          const broken = new Error(`number ${index}`);
          broken.stack = `Error: number ${index}`;
          return [`${index}`, { throws: broken }];
        }),
      ),
    );
    const failures = (index: number): number => {
      const before = s.log.length;
      s.now(new FakeSocket(), first(`${index}`));
      return s.log.slice(before).filter(({ level }) => level === 'error').length;
    };
    for (let index = 0; index < 100; index++) assert.equal(failures(index), 1);
    for (let index = 0; index < 100; index++) assert.equal(failures(index), 0);
    assert.deepEqual([100, 0, 0, 100].map(failures), [1, 1, 0, 0]);
  });

  it('measures a handshake that took the place of another one from its own beginning', () => {
    const s = scripted(script);
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.clock.advance(25);
    s.now(socket, first('hello'));
    s.clock.advance(10);
    s.now(socket, later('secret-right'));
    assert.deepEqual(
      s.log.map(({ record }) => record['durationMilliseconds']),
      [0, 0, 10],
    );
  });

  it('is quiet about a Digest client that proves the same user again', () => {
    const s = scripted(script, {}, digest);
    const socket = new FakeSocket();
    for (let index = 0; index < 3; index++) s.now(socket, 'Digest secret-right');
    assert.deepEqual(
      s.log.map(({ level }) => level),
      ['info', 'debug', 'debug'],
    );
  });

  it('names no package where Negotiate had not chosen one', () => {
    const s = scripted(script);
    s.now(new FakeSocket(), first('unheard of', 'Negotiate'));
    assert.deepEqual([s.log[0]?.record['scheme'], s.log[0]?.record['package']], ['Negotiate', undefined]);
  });

  it('is not about a client that signs its connection in again', () => {
    const s = scripted({ 'secret-right': {} }, {}, digest);
    const socket = new FakeSocket();
    const again = first('secret-right');
    for (const value of [again, again, 'Digest secret-right', again]) s.now(socket, value);
    assert.deepEqual(
      s.log.map(({ level }) => level),
      ['info', 'info', 'info', 'info'],
    );
  });

  it('A21: has what was thrown over an account that is none', () => {
    const s = scripted({ broken: { account: new Error() } });
    s.now(new FakeSocket(), first('broken'));
    assert.deepEqual(
      s.log.map(({ level, record }) => [level, record['where'] ?? record['reason']]),
      [
        ['error', 'reading the account of a context'],
        ['warn', 'internal-error'],
      ],
    );
    assert.ok(s.log[0]?.record['err'] instanceof TypeError);
  });

  it('has nothing about a handshake that close() gives up', () => {
    const s = scripted(script);
    s.now(new FakeSocket(), first('hello'));
    s.authenticator.close();
    assert.deepEqual(
      s.log.map(({ level }) => level),
      ['debug'],
    );
  });

  it('tells 403 apart, and the failure of an operator’s function', () => {
    const s = scripted(script, { authorize: () => false });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, later('secret-right'));
    assert.equal(s.log.at(-1)?.record['reason'], 'not-authorized');
    assert.equal(s.log.at(-1)?.record['account'], 'LAB\\alice');
    const broken = scripted(script, {
      skip: () => {
        throw new Error('skip is broken');
      },
    });
    broken.now(new FakeSocket());
    assert.equal(broken.log[0]?.level, 'error');
  });

  it('says which connection was forbidden, also where its client has gone before authorize was through', async () => {
    let answer: (allowed: boolean) => void = () => undefined;
    const s = scripted(script, { authorize: () => new Promise((resolve) => (answer = resolve)) });
    const gone = new FakeSocket();
    s.now(gone, first('hello'));
    const outcome = s.request(gone, later('secret-right'));
    // What Node's socket says once it is closed.
    Object.defineProperty(gone, 'remoteAddress', { value: undefined });
    gone.close();
    answer(false);
    assert.equal((await outcome).type, 'refused');
    assert.equal(s.log.at(-1)?.record['reason'], 'not-authorized');
    assert.equal(s.log.at(-1)?.record['peer'], '192.0.2.7:4711');
  });

  for (const [how, fail] of [
    [
      'throw',
      () => {
        throw new Error('disk full');
      },
    ],
    ['reject', () => Promise.reject(new Error('disk full'))],
    ['reject in another realm', () => runInNewContext('Promise.reject(new Error("disk full"))') as unknown],
  ] as const)
    it(`may ${how} and changes nothing`, async () => {
      const logger: unknown = { info: fail, warn: fail, error: fail, debug: fail };
      const s = scripted(
        { ...script, 'secret-late': { waits: true } },
        { logger: logger as Logger, limits: { pendingHandshakes: 1 } },
      );
      const socket = new FakeSocket();
      s.now(new FakeSocket(), first('hello'));
      s.now(socket, first('hello'));
      const outcome = s.request(socket, later('secret-late'));
      s.package.settle();
      assert.equal((await outcome).type, 'authenticated');
      assert.equal((await s.request(socket, later('secret-wrong'))).type, 'refused');
      assert.equal((await s.request(socket, first('secret-throw'))).type, 'refused');
      await settled();
      assert.equal(s.package.live, 0);
    });
});

describe('nobody who hears', () => {
  /** How often a whole sign-in asks a socket for its peer. */
  function timesAsked(options?: Parameters<typeof scripted>[1]): number {
    const s = scripted(script, options);
    let asked = 0;
    const socket = new FakeSocket();
    Object.defineProperty(socket, 'remoteAddress', { get: () => `192.0.2.${++asked}` });
    s.now(socket, first('hello'));
    assert.equal(s.now(socket, later('secret-right')).type, 'authenticated');
    return asked;
  }

  it('and a sign-in asks no socket for its peer, which changes the socket', () => {
    assert.equal(timesAsked({ logger: false }), 0);
    assert.equal(timesAsked(), 2, 'a leg and a sign-in are told to a logger');
    const hear = (): void => undefined;
    diagnosticsChannel.subscribe('sspi-auth:handshake', hear);
    try {
      assert.equal(timesAsked({ logger: false }), 1);
    } finally {
      diagnosticsChannel.unsubscribe('sspi-auth:handshake', hear);
    }
  });
});

describe('node:diagnostics_channel', () => {
  it('has the same events', () => {
    const events: [string, unknown][] = [];
    const listeners = ['authenticated', 'refused', 'handshake'].map((name) => {
      const listener = (message: unknown): void => void events.push([name, message]);
      diagnosticsChannel.subscribe(`sspi-auth:${name}`, listener);
      return [`sspi-auth:${name}`, listener] as const;
    });
    const s = scripted(script);
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, later('secret-right'));
    s.now(socket, later('secret-wrong'));
    for (const [name, listener] of listeners) diagnosticsChannel.unsubscribe(name, listener);
    assert.deepEqual(
      events.map(([name]) => name),
      ['handshake', 'authenticated', 'refused'],
    );
    assert.deepEqual(
      events.map(([, record]) => ({ ...(record as object) })),
      s.log.map(({ record }) => record),
    );
  });
});

describe('node:diagnostics_channel without a logger', () => {
  for (const name of ['authenticated', 'refused', 'handshake']) {
    it(`has ${name}`, () => {
      let heard = 0;
      const hear = (): unknown => heard++;
      diagnosticsChannel.subscribe(`sspi-auth:${name}`, hear);
      const s = scripted(script, { logger: false });
      const socket = new FakeSocket();
      s.now(socket, first('hello'));
      s.now(socket, later('secret-right'));
      s.now(socket, later('secret-wrong'));
      diagnosticsChannel.unsubscribe(`sspi-auth:${name}`, hear);
      assert.equal(heard, 1);
    });
  }
});

describe('G04: secrets', () => {
  it('no token and no field of a request is in any event or outcome but the one it belongs to', () => {
    const s = scripted(script, {}, digest);
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    const fields = ['secret-right', 'secret-wrong', 'secret-throw'].flatMap((text) => [
      later(text),
      first(text),
      `Digest ${text}`,
      `Basic ${text}`,
      `NTLM ${text}`,
      [`NTLM ${text}`, `NTLM ${text}`],
      `${later(text)}, ${later(text)}`,
      `@${text}`,
    ]);
    const outcomes = fields.map((field) => JSON.stringify(s.request(socket, field)));
    for (const text of [...s.log.map((line) => JSON.stringify(line)), ...outcomes]) {
      assert.ok(!text.includes('secret'), text);
      assert.ok(!text.includes(Buffer.from('secret').toString('base64').slice(0, 6)), text);
    }
  });
});
