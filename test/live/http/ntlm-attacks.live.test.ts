/** Attacks on NTLM over HTTP, through every adapter, with tokens of WinPR wherever the token itself is not the attack. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountSource } from '../../../src/accounts/account-source.ts';
import { adapters } from '../../adapters/servers.ts';
import type { RunningServer, ScenarioOptions } from '../../adapters/servers.ts';
import { RawConnection } from '../../lab/raw-connection.ts';
import type { RawResponse } from '../../lab/raw-connection.ts';
import { tier } from '../../lab/tier.ts';
import { u32 } from '../../packages/ntlm/ntlm-client.ts';
import { sampleMessages } from '../../packages/ntlm/recorded-handshakes.ts';
import {
  accounts,
  assertNothingLeft,
  begin,
  challengeOf,
  domain,
  forgedTokens,
  ntlmField,
  signIn,
  users,
  whoIs,
  winprTokens,
} from './clients.ts';

const ready = await tier('winpr');
const options: ScenarioOptions = { accounts, domain, schemes: ['NTLM'] };

/** What every 401 that answers no token looks like, but for its date. */
const withoutDate = ({ text }: RawResponse): string => text.replace(/date: [^\r]+/i, 'Date: …');

const patched = (token: Uint8Array, at: number, ...bytes: number[]): Uint8Array => {
  const copy = Uint8Array.from(token);
  copy.set(bytes, at);
  return copy;
};

for (const [adapter, start] of Object.entries(adapters)) {
  describe(`NTLM attacks, ${adapter}`, ready, () => {
    /** A server and the bytes of its bare 401; at the end nobody has got in unless the case says so, and nothing is left. */
    const attack = (
      name: string,
      run: (server: RunningServer, refused: (response: RawResponse, why?: string) => void) => Promise<void>,
      { handled = 0, more = {} }: { handled?: number; more?: ScenarioOptions } = {},
    ): void => {
      it(name, async () => {
        await using server = await start({ ...options, ...more });
        let bare: string;
        {
          await using connection = await RawConnection.open(server.port);
          bare = withoutDate(await connection.exchange({}));
        }
        await run(server, (response, why) => {
          assert.equal(response.status, 401, why);
          assert.equal(withoutDate(response), bare, why);
        });
        assert.equal(server.handled(), handled, 'how often the handler ran');
        await assertNothingLeft(server);
      });
    };

    attack(
      'none: WinPR signs in, and its connection with it',
      async ({ port }) => {
        await using connection = await RawConnection.open(port);
        using tokens = winprTokens('alice');
        assert.equal(whoIs(await signIn(connection, tokens)), 'alice');
        for (let count = 0; count < 3; count++) assert.equal(whoIs(await connection.exchange({})), 'alice');
      },
      { handled: 4 },
    );

    attack('C01: a type 3 as the first message', async ({ port }, refused) => {
      await using one = await RawConnection.open(port);
      await using other = await RawConnection.open(port);
      using tokens = winprTokens('alice');
      const type3 = tokens.last(await begin(one, tokens));
      refused(await other.exchange({ fields: [ntlmField(type3)] }));
      refused(await other.exchange({}));
    });

    attack('C02: a type 3 of another connection, whose challenge is spent by it', async ({ port }, refused) => {
      await using x = await RawConnection.open(port);
      await using y = await RawConnection.open(port);
      using victim = winprTokens('alice');
      using own = winprTokens('bob');
      const captured = victim.last(await begin(x, victim));
      const challenge = await begin(y, own);
      refused(await y.exchange({ fields: [ntlmField(captured)] }));
      refused(await y.exchange({ fields: [ntlmField(own.last(challenge))] }), 'the challenge of y was used up');
    });

    attack(
      'C03: a type 3 twice on its connection drops the identity',
      async ({ port }, refused) => {
        await using connection = await RawConnection.open(port);
        using tokens = winprTokens('alice');
        const type3 = ntlmField(tokens.last(await begin(connection, tokens)));
        assert.equal(whoIs(await connection.exchange({ fields: [type3] })), 'alice');
        refused(await connection.exchange({ fields: [type3] }));
        refused(await connection.exchange({}));
      },
      { handled: 1 },
    );

    attack(
      'C04: a type 1 drops the identity, a second one the challenge of the first',
      async ({ port }, refused) => {
        await using connection = await RawConnection.open(port);
        using alice = winprTokens('alice');
        assert.equal(whoIs(await signIn(connection, alice)), 'alice');
        using bob = winprTokens('bob');
        using again = winprTokens('bob');
        const first = await begin(connection, bob);
        const second = await begin(connection, again);
        assert.notDeepEqual(first.subarray(24, 32), second.subarray(24, 32), 'a challenge of its own');
        refused(await connection.exchange({ fields: [ntlmField(bob.last(first))] }));
        refused(await connection.exchange({}));
      },
      { handled: 1 },
    );

    attack('C05: a type 2, types that do not exist, another signature, on both legs', async ({ port }, refused) => {
      await using connection = await RawConnection.open(port);
      using tokens = winprTokens('alice');
      const type1 = tokens.first();
      const challenge = await begin(connection, forgedTokens({}));
      const forged = [
        challenge,
        ...[0, 4, 0xff].map((type) => patched(type1, 8, type)),
        patched(type1, 8, 0xff, 0xff, 0xff, 0xff),
        patched(type1, 7, 0x31),
        patched(type1, 0, 0x6e),
      ];
      for (const token of forged) {
        refused(await connection.exchange({ fields: [ntlmField(token)] }));
        await begin(connection, forgedTokens({}));
        refused(await connection.exchange({ fields: [ntlmField(token)] }));
      }
    });

    attack('C20, C21: anonymous, and what is half of it', async ({ port }, refused) => {
      const none = new Uint8Array(0);
      const anonymous = 0x800;
      const flags = 0x60088235;
      for (const how of [
        { userName: '', domain: '', ntResponse: none, lmResponse: none },
        { userName: '', domain: '', ntResponse: none, lmResponse: Uint8Array.of(0) },
        { userName: '', domain: '', ntResponse: none, lmResponse: Uint8Array.of(0), flags: flags | anonymous },
        { userName: '' },
        { ntResponse: none, lmResponse: none },
        { ntResponse: none },
        { flags: flags | anonymous },
      ]) {
        await using connection = await RawConnection.open(port);
        refused(await signIn(connection, forgedTokens(how)), JSON.stringify(how));
        refused(await connection.exchange({}));
      }
    });

    attack('C22: nobody becomes Guest: unknown users, with and without a password', async ({ port }, refused) => {
      for (const [user, password] of [
        ['mallory', ''],
        ['mallory', users['alice']!],
        ['Guest', ''],
        ['Administrator', ''],
        ['alice', ''],
      ] as const) {
        await using connection = await RawConnection.open(port);
        refused(await signIn(connection, forgedTokens({ userName: user, password })), user);
        if (password === '') continue;
        using tokens = winprTokens(user, password);
        refused(await signIn(connection, tokens), user);
      }
    });

    attack(
      'C28: the account is the one of the UserName field, whatever is in it',
      async ({ port }, refused) => {
        for (const [how, expected] of [
          [{ domain: '' }, 'alice'],
          [{ domain: '.' }, 'alice'],
          [{ domain: 'lab' }, 'alice'],
          [{ userName: 'ALICE' }, 'alice'],
          [{ domain: 'EVIL' }, undefined],
          [{ domain: 'LAB\\EVIL' }, undefined],
          [{ userName: 'LAB\\alice', domain: '' }, undefined],
          [{ userName: 'alice@LAB', domain: '' }, undefined],
          [{ userName: 'alice ', domain }, undefined],
          [{ userName: 'bob' }, undefined],
          [{ userName: '__proto__' }, undefined],
        ] as const) {
          await using connection = await RawConnection.open(port);
          const response = await signIn(connection, forgedTokens(how));
          if (expected === undefined) refused(response, JSON.stringify(how));
          else assert.equal(whoIs(response), expected);
        }
      },
      { handled: 4 },
    );

    attack('A18: a request without credentials between type 2 and type 3', async ({ port, authenticator }, refused) => {
      await using connection = await RawConnection.open(port);
      using tokens = winprTokens('alice');
      const challenge = await begin(connection, tokens);
      assert.equal(authenticator.pendingHandshakes, 1);
      refused(await connection.exchange({}));
      assert.equal(authenticator.pendingHandshakes, 0);
      refused(await connection.exchange({ fields: [ntlmField(tokens.last(challenge))] }));
    });

    attack(
      'A12: pipelined: type 1 twice; type 3 twice; a request behind a type 3',
      async ({ port }, refused) => {
        await using connection = await RawConnection.open(port);
        using tokens = winprTokens('alice');
        const type1 = { fields: [ntlmField(tokens.first())] };
        connection.send(type1, type1);
        const challenges = [await connection.response(), await connection.response()];
        assert.notEqual(challenges[0]!.text, challenges[1]!.text);
        const type3 = { fields: [ntlmField(tokens.last(await begin(connection, forgedTokens({}))))] };
        connection.send(type3, type3, {});
        refused(await connection.response(), 'made of another type 1: the MIC is wrong');
        refused(await connection.response());
        refused(await connection.response());
        using right = winprTokens('alice');
        const last = { fields: [ntlmField(right.last(await begin(connection, right)))] };
        connection.send(last, {}, last, {});
        assert.equal(whoIs(await connection.response()), 'alice');
        assert.equal(whoIs(await connection.response()), 'alice');
        refused(await connection.response());
        refused(await connection.response());
      },
      { handled: 2 },
    );

    attack(
      'A04: bytes after the payload are legal, and covered by the MIC',
      async ({ port }, refused) => {
        await using connection = await RawConnection.open(port);
        const trailing = Uint8Array.of(1, 2, 3, 4);
        assert.equal(whoIs(await signIn(connection, forgedTokens({ trailing }))), 'alice');
        const tokens = forgedTokens({});
        const type3 = tokens.last(await begin(connection, tokens));
        refused(await connection.exchange({ fields: [ntlmField(Buffer.concat([type3, trailing]))] }));
      },
      { handled: 1 },
    );

    const logged: unknown[] = [];
    const keep = (...line: unknown[]): void => void logged.push(line);
    attack(
      'A09, G04: names that forge lines; the log has them escaped, and no token',
      async ({ port }, refused) => {
        const sent: string[] = [];
        for (const userName of ['al\r\nice', 'alice\0', 'alice\u001b[31m', 'ecila\u202e', '\u0085', 'x'.repeat(5000)]) {
          await using connection = await RawConnection.open(port);
          const tokens = forgedTokens({ userName, workstation: 'W\r\nX: y', domain: 'D\r\nX: y' });
          const type3 = ntlmField(tokens.last(await begin(connection, tokens)));
          sent.push(type3.slice(21));
          refused(await connection.exchange({ fields: [type3] }), JSON.stringify(userName));
        }
        const text = JSON.stringify(logged);
        assert.ok(logged.length >= 6);
        // What JSON itself escapes would be shown with a single backslash; ours is escaped before.
        // eslint-disable-next-line no-control-regex -- control characters are what is looked for
        assert.ok(!/[\u0000-\u001f\u007f-\u009f\u202e]|[^\\]\\[rnu](?!\\)/.test(text), text);
        for (const token of sent) assert.ok(!text.includes(token.slice(0, 40)));
        assert.ok(!text.includes(users['alice']!));
      },
      { more: { logger: { info: keep, warn: keep, error: keep, debug: keep } } },
    );

    attack(
      'A15: a body on each leg is never taken for a request',
      async ({ port }) => {
        await using connection = await RawConnection.open(port);
        using tokens = winprTokens('alice');
        const body = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(50);
        const post = { method: 'POST', body };
        const type = 'Content-Type: application/x-scenario';
        const asked = await connection.exchange({ ...post, fields: [type, ntlmField(tokens.first())] });
        const type3 = ntlmField(tokens.last(challengeOf(asked)));
        const response = await connection.exchange({ ...post, fields: [type, type3] });
        assert.equal(whoIs(response), 'alice');
        assert.equal((JSON.parse(response.body) as { bodyBytes: number }).bodyBytes, body.length);
        assert.equal(whoIs(await connection.exchange({})), 'alice');
      },
      { handled: 2 },
    );

    attack(
      'A16: 100 Continue only for the token that signs in',
      async ({ port }) => {
        const expect = ['Expect: 100-continue', 'Content-Length: 4', 'Content-Type: application/x-scenario'];
        const post = { method: 'POST', fields: expect };
        for (const password of ['wrong', users['alice']!]) {
          await using connection = await RawConnection.open(port);
          using tokens = winprTokens('alice', password);
          const first = await connection.exchange({ ...post, fields: [...expect, ntlmField(tokens.first())] });
          const type3 = ntlmField(tokens.last(challengeOf(first)));
          assert.deepEqual(first.headers.get('connection'), ['keep-alive'], 'the handshake goes on here');
          connection.socket.write('body');
          const last = await connection.exchange({ ...post, fields: [...expect, type3] });
          if (password === 'wrong') {
            assert.equal(last.status, 401, 'at once, without the body');
            assert.equal(last.body, '401 Unauthorized\n');
            continue;
          }
          assert.equal(last.status, 100);
          connection.socket.write('body');
          assert.equal(whoIs(await connection.response()), 'alice');
        }
        await using connection = await RawConnection.open(port);
        assert.equal((await connection.exchange(post)).status, 401, 'without credentials');
      },
      { handled: 1 },
    );

    attack(
      'G01: unknown user, wrong password, no token: the same bytes and the same connection',
      async ({ port }, refused) => {
        for (const [user, password] of [
          ['alice', 'wrong'],
          ['mallory', 'wrong'],
          ['a'.repeat(100), 'wrong'],
        ] as const) {
          await using connection = await RawConnection.open(port);
          for (let attempt = 0; attempt < 2; attempt++) {
            using tokens = winprTokens(user, password);
            refused(await signIn(connection, tokens), user);
          }
        }
      },
    );

    for (const [what, judgeNtlm] of Object.entries<NonNullable<AccountSource['judgeNtlm']>>({
      throws: () => {
        throw new Error('secret of the directory');
      },
      rejects: () => Promise.reject(new Error('secret of the directory')),
      'says yes without an account': () => ({ verdict: 'accepted' }) as never,
      'says true': () => true as never,
      'says nothing': () => undefined as never,
      'cannot ask': () => ({ verdict: 'unavailable', reason: 'away' }),
    })) {
      attack(
        `A21: a source that ${what} lets nobody in`,
        async ({ port }, refused) => {
          await using connection = await RawConnection.open(port);
          using tokens = winprTokens('alice');
          refused(await signIn(connection, tokens));
          refused(await connection.exchange({}));
        },
        { more: { accounts: { description: 'broken', judgeNtlm } } },
      );
    }

    it('G10: the client goes away while its account source thinks', async () => {
      let answer: () => void = () => undefined;
      let asked: () => void = () => undefined;
      const thinking = new Promise<void>((resolve) => {
        asked = resolve;
      });
      const slow: AccountSource = {
        description: 'slow',
        judgeNtlm: (logon) =>
          new Promise((resolve) => {
            answer = () => resolve(accounts.judgeNtlm!(logon));
            asked();
          }),
      };
      await using server = await start({ ...options, accounts: slow });
      await using connection = await RawConnection.open(server.port);
      using tokens = winprTokens('alice');
      const challenge = await begin(connection, tokens);
      connection.send({ fields: [ntlmField(tokens.last(challenge))] }, {});
      await thinking;
      connection.socket.destroy();
      await assertNothingLeft(server);
      answer();
      await assertNothingLeft(server);
      assert.equal(server.handled(), 0);
    });
  });
}

describe('A03: every prefix of every sample token, on keep-alive connections', ready, () => {
  it('lets nobody in, breaks nothing and leaves nothing', async () => {
    await using server = await adapters['node:http']!(options);
    await using connection = await RawConnection.open(server.port);
    let requests = 0;
    for (const { name, bytes } of sampleMessages()) {
      for (let length = 0; length <= bytes.byteLength; length++) {
        const attempt = { fields: [ntlmField(bytes.subarray(0, length))] };
        const type1 = { fields: [ntlmField(forgedTokens({}).first())] };
        // As a first token, and as the answer to a challenge.
        connection.send(attempt, type1, attempt);
        const [first, , second] = [
          await connection.response(),
          await connection.response(),
          await connection.response(),
        ];
        for (const response of [first, second]) {
          assert.equal(response.status, 401, `${name}, ${length} bytes`);
          assert.equal(response.body, '401 Unauthorized\n');
        }
        requests += 3;
      }
    }
    assert.ok(requests > 5000);
    assert.equal(server.handled(), 0);
    using tokens = winprTokens('alice');
    assert.equal(whoIs(await signIn(connection, tokens)), 'alice', 'the connection still works');
    await assertNothingLeft(server);
  });

  it('bits of a right type 3 flipped over HTTP: refused, or alice all the same', async () => {
    await using server = await adapters['node:http']!(options);
    await using connection = await RawConnection.open(server.port);
    const tokens = forgedTokens({ pairs: [[9, u32(0)]] });
    const length = tokens.last(await begin(connection, tokens)).byteLength;
    for (let at = 0; at < length; at++) {
      const type3 = tokens.last(await begin(connection, tokens));
      type3[at] = type3[at]! ^ 0x20;
      const response = await connection.exchange({ fields: [ntlmField(type3)] });
      if (response.status === 200) assert.equal(whoIs(response), 'alice', `byte ${at}`);
      else assert.equal(response.status, 401);
    }
    connection.socket.destroy();
    await assertNothingLeft(server);
  });
});
