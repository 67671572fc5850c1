/** How long a connection stays signed in: a bound in time, and the account that is taken out of its source. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { smbpasswdFile } from '../../src/accounts/smbpasswd-file.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { createAuthenticator, memoryAccounts } from '../../src/index.ts';
import type { AccountSource, Outcome } from '../../src/index.ts';
import { ntlmCurrency } from '../../src/authenticator/providers/ntlm.ts';
import { rounds } from '../../src/authenticator/examination-round.ts';
import { parseOptions } from '../../src/authenticator/options.ts';
import type { Clock } from '../../src/sspi/index.ts';
import { line, writeAccounts } from '../accounts/smbpasswd-lines.ts';
import { scratchFolder } from '../lab/scratch.ts';
import { authenticateMessage, negotiateMessage, WINDOWS_FLAGS } from '../packages/ntlm/ntlm-client.ts';
import {
  assertBare401,
  exchangeOf,
  FakeSocket,
  field,
  first,
  later,
  scripted,
  userOf,
} from './scripted-authenticator.ts';
import { usualScript } from './scripted-authenticator.ts';

const HOUR = 3_600_000;

describe('H07: a standing identity has an end', () => {
  it('after eight hours by default, however many requests come', () => {
    const s = scripted(usualScript);
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, later('right'));
    for (let minutes = 0; minutes < 8 * 60 - 1; minutes++) {
      s.clock.advance(60_000);
      assert.equal(userOf(s.request(socket)), 'LAB\\alice');
    }
    s.clock.advance(59_999);
    assert.equal(userOf(s.request(socket)), 'LAB\\alice');
    s.clock.advance(1);
    assertBare401(s.request(socket));
    assertBare401(s.request(socket));
    assert.ok(
      s.log.every(({ level }) => level !== 'warn'),
      'that is no refusal',
    );
    s.now(socket, first('hello'));
    assert.equal(userOf(s.request(socket, later('right'))), 'LAB\\alice');
    s.clock.advance(8 * HOUR - 1);
    assert.equal(userOf(s.request(socket)), 'LAB\\alice', 'a new sign-in has its own time');
  });

  it('after limits.identityMilliseconds, or with its ticket, whichever is first', () => {
    for (const [ticket, limit, ends] of [
      [undefined, 100, 100],
      [2 * HOUR, 100, 100],
      [100, HOUR, 100],
      [1500, 2500, 1500],
      [undefined, 2500, 2500],
      [12 * HOUR, undefined, 8 * HOUR],
    ] as const) {
      const s = scripted(
        { ...usualScript, right: ticket === undefined ? {} : { expiry: new Date(1_000_000 + ticket) } },
        limit === undefined ? {} : { limits: { identityMilliseconds: limit } },
      );
      const socket = new FakeSocket();
      s.now(socket, first('hello'));
      s.now(socket, later('right'));
      s.clock.advance(ends - 1);
      assert.equal(userOf(s.request(socket)), 'LAB\\alice');
      assert.equal(userOf(s.request(socket)), 'LAB\\alice');
      s.clock.advance(1);
      assertBare401(s.request(socket));
    }
  });

  it('the context of an identity that has ended is deleted with the next request', () => {
    const s = scripted({ ...usualScript, right: { keepAfterHandshake: true } });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, later('right'));
    s.clock.advance(8 * HOUR);
    assert.equal(s.package.live, 1);
    assertBare401(s.request(socket));
    assert.deepEqual([s.package.live, socket.listenerCount('close')], [0, 0]);
  });

  it('G06: a clock that is set back or forward neither lengthens nor ends it', () => {
    let [wall, elapsed] = [1_000_000_000, 0];
    const clock: Clock = { now: () => wall, elapsed: () => elapsed };
    const s = scripted(usualScript, { clock });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, later('right'));
    assert.equal(userOf(s.request(socket)), 'LAB\\alice');
    for (const step of [-HOUR, 24 * HOUR, -1, 500, -500_000_000]) {
      wall += step;
      assert.equal(userOf(s.request(socket)), 'LAB\\alice', String(step));
    }
    elapsed = 8 * HOUR;
    wall -= 1;
    assertBare401(s.request(socket));
  });

  it('with authorize and skip as well', () => {
    const s = scripted(usualScript, { authorize: () => true, skip: () => false });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, later('right'));
    assert.equal(userOf(s.request(socket)), 'LAB\\alice');
    s.clock.advance(8 * HOUR);
    assertBare401(s.request(socket));
  });
});

describe('H07: an account that is taken out of its source', () => {
  it('is noticed with the next request, a second after the last look at most', () => {
    let there = true;
    const asked: unknown[] = [];
    const isCurrent = (user: unknown): boolean => {
      asked.push(user);
      return there;
    };
    const s = scripted(usualScript, {}, undefined, { isCurrent });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, later('right'));
    const outcome = s.now(socket);
    for (let request = 0; request < 100; request++) {
      assert.equal(s.request(socket), outcome, 'at once, and without making anything');
      s.clock.advance(9);
    }
    assert.equal(asked.length, 1, 'not for every request');
    assert.equal(asked[0], outcome.type === 'authenticated' ? outcome.user : undefined);
    s.clock.advance(100);
    assert.equal(userOf(s.request(socket)), 'LAB\\alice');
    assert.equal(asked.length, 2);
    there = false;
    s.clock.advance(999);
    assert.equal(userOf(s.request(socket)), 'LAB\\alice');
    s.clock.advance(1);
    assertBare401(s.request(socket));
    assertBare401(s.request(socket));
    assert.equal(asked.length, 3);
    const refusals = s.log.filter(({ level }) => level === 'warn');
    assert.deepEqual(
      refusals.map(({ record }) => record),
      [
        {
          ...{ scheme: 'NTLM', package: 'Scripted', account: 'LAB\\alice', peer: '192.0.2.7:4711' },
          ...{ reason: 'account-removed', durationMilliseconds: 0 },
        },
      ],
    );
  });

  it('is noticed in the next round of the system’s own clock, which no request has to read', () => {
    let there = true;
    let asked = 0;
    const isCurrent = (): boolean => {
      asked++;
      return there;
    };
    const s = scripted(usualScript, { clock: systemClock }, undefined, { isCurrent });
    const signIn = (): FakeSocket => {
      const socket = new FakeSocket();
      s.now(socket, first('hello'));
      s.now(socket, later('right'));
      return socket;
    };
    const [one, two] = [signIn(), signIn()];
    for (let request = 0; request < 10; request++) {
      for (const socket of [one, two]) assert.equal(userOf(s.request(socket)), 'LAB\\alice');
    }
    assert.equal(asked, 2);
    there = false;
    assert.equal(userOf(s.request(one)), 'LAB\\alice');
    // As the timer of the rounds does it.
    rounds.current++;
    assertBare401(s.request(one));
    there = true;
    assert.equal(userOf(s.request(two)), 'LAB\\alice');
    assert.equal(asked, 4);
  });

  it('a round ends after a second, and the next begins with the next examination', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const url = new URL(`../../src/authenticator/examination-round.ts?${Math.random()}`, import.meta.url);
    const module = (await import(url.href)) as {
      readonly joinRound: () => number;
      readonly rounds: { readonly current: number };
    };
    const begun = module.joinRound();
    t.mock.timers.tick(999);
    assert.deepEqual([module.joinRound(), module.rounds.current], [begun, begun]);
    t.mock.timers.tick(1);
    assert.equal(module.rounds.current, begun + 1);
    t.mock.timers.tick(100_000);
    assert.equal(module.joinRound(), begun + 1, 'without requests there is no timer');
    t.mock.timers.tick(1000);
    assert.equal(module.rounds.current, begun + 2);
  });

  it('an identity ends by the system’s own clock as well', async () => {
    const s = scripted(usualScript, { clock: systemClock, limits: { identityMilliseconds: 30 } });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, later('right'));
    const begun = performance.now();
    let requests = 0;
    while (s.now(socket).type === 'authenticated') {
      requests++;
      assert.ok(performance.now() - begun < 10_000);
      await turn();
    }
    assert.ok(requests > 0 || performance.now() - begun >= 20);
  });

  const answers: readonly (readonly [string, () => unknown, string | undefined])[] = [
    ['says nothing', () => undefined, undefined],
    ['says something that JavaScript takes for true', () => 1, undefined],
    [
      'throws',
      () => {
        throw new TypeError('no database');
      },
      'TypeError',
    ],
    ['answers with a promise', () => Promise.resolve(true), 'OptionError'],
    ['answers with a promise that is rejected', () => Promise.reject(new Error('x')), 'OptionError'],
  ];
  for (const [what, isCurrent, error] of answers) {
    it(`A21: a source that ${what} keeps nobody`, () => {
      const s = scripted(usualScript, {}, undefined, { isCurrent });
      const socket = new FakeSocket();
      s.now(socket, first('hello'));
      s.now(socket, later('right'));
      assertBare401(s.request(socket));
      const failure = s.log.find(({ level }) => level === 'error');
      assert.equal((failure?.record['err'] as Error | undefined)?.name, error);
    });
  }

  it('is asked about by NTLM alone, and only where the source can tell', () => {
    const source = (isCurrent?: AccountSource['isCurrent']): AccountSource => ({
      ...{ description: 'of a test', verifyNtlm: () => ({ result: 'refused' as const }) },
      ...(isCurrent && { isCurrent }),
    });
    const currencyOf = (accounts: AccountSource): ReturnType<typeof ntlmCurrency> =>
      ntlmCurrency(parseOptions({ accounts }));
    assert.equal(currencyOf(source()), undefined);
    assert.equal(currencyOf(memoryAccounts([{ userName: 'alice', password: 'p' }])), undefined);
    const isCurrent = currencyOf(source(({ userName }) => userName === 'alice'));
    const user = { name: 'x', groups: [] };
    assert.equal(isCurrent?.({ ...user, userName: 'alice', package: 'NTLM' }), true);
    assert.equal(isCurrent?.({ ...user, userName: 'bob', package: 'NTLM' }), false);
    assert.equal(isCurrent?.({ ...user, userName: 'bob', package: 'Kerberos' }), true);
  });

  describe('of smbpasswdFile', () => {
    /** Signs alice in by NTLM, then does something to the file; gives the outcome of the next request. */
    const after = async (change: (path: string) => void, scheme: 'NTLM' | 'Negotiate'): Promise<Outcome> => {
      await using folder = await scratchFolder('lifetime');
      const path = folder.file('smbpasswd');
      writeAccounts(path, `${line('alice', 'secret')}\n${line('bob', 'other')}\n`);
      const step = { by: 0 };
      const clock: Clock = { now: () => Date.now() + step.by, elapsed: () => performance.now() + step.by };
      const authenticator = createAuthenticator({
        ...{
          accounts: smbpasswdFile(path, { onWarning: () => undefined }),
          domain: 'LAB',
          provider: 'portable',
          clock,
        },
        schemes: [scheme],
      });
      const socket = new FakeSocket();
      const request = (token?: Uint8Array): Outcome => {
        const authorization = token && `${scheme} ${Buffer.from(token).toString('base64')}`;
        const outcome = authenticator.authenticate(exchangeOf(socket, authorization), '/', undefined);
        assert.ok(!(outcome instanceof Promise));
        return outcome;
      };
      const type1 = negotiateMessage(WINDOWS_FLAGS);
      const value = field(request(type1), 'WWW-Authenticate')?.[0] ?? '';
      const challenge = Uint8Array.from(Buffer.from(value.split(' ')[1] ?? '', 'base64'));
      const client = { userName: 'alice', domain: 'LAB', password: 'secret', mic: true };
      assert.equal(userOf(request(authenticateMessage(type1, challenge, client).message)), 'LAB\\alice');
      assert.equal(userOf(request()), 'LAB\\alice');
      change(path);
      assert.equal(userOf(request()), 'LAB\\alice', 'for a second nobody looks');
      step.by = 1000;
      const outcome = request();
      authenticator.close();
      return outcome;
    };
    const bob = `${line('bob', 'other')}\n`;
    for (const scheme of ['NTLM', 'Negotiate'] as const) {
      for (const [what, change, stays] of [
        ['taken out', (path: string) => writeAccounts(path, bob), false],
        [
          'disabled',
          (path: string) => writeAccounts(path, `${line('alice', 'secret', '[UD         ]')}\n${bob}`),
          false,
        ],
        ['there twice', (path: string) => writeAccounts(path, `${line('alice', 'x')}\n${line('alice', 'y')}\n`), false],
        ['in a file that is gone', (path: string) => rmSync(path), false],
        ['there with another password', (path: string) => writeAccounts(path, `${line('alice', 'new')}\n${bob}`), true],
        ['there as before', () => undefined, true],
      ] as const) {
        it(`${what}, ${scheme}: ${stays ? 'stays' : 'ends'}`, async () => {
          const outcome = await after(change, scheme);
          assert.equal(userOf(outcome), stays ? 'LAB\\alice' : undefined);
          assert.equal(outcome.type, stays ? 'authenticated' : 'challenge');
        });
      }
    }
  });
});

describe('an account source that several authenticators share', () => {
  it('is closed by the last of them', () => {
    let closed = 0;
    const accounts: AccountSource = {
      ...{ description: 'shared', verifyNtlm: () => ({ result: 'refused' as const }) },
      close: () => {
        closed++;
      },
    };
    const make = (): ReturnType<typeof createAuthenticator> =>
      createAuthenticator({ accounts, schemes: ['NTLM'], provider: 'portable' });
    const [one, two] = [make(), make()];
    one.close();
    one.close();
    assert.equal(closed, 0);
    two.close();
    assert.equal(closed, 1);
    make().close();
    assert.equal(closed, 2, 'and again, where it was used again');
  });
});
