/** Attacks on Digest over HTTP, through every adapter; curl shows that what is attacked works. */
import assert from 'node:assert/strict';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { sspiAuth } from '../../../adapters/node.ts';
import type { AccountSource } from '../../../src/accounts/account-source.ts';
import { adapters } from '../../adapters/servers.ts';
import type { RunningServer, ScenarioOptions } from '../../adapters/servers.ts';
import { curl } from '../../lab/curl.ts';
import { listen } from '../../lab/ports.ts';
import { RawConnection } from '../../lab/raw-connection.ts';
import type { RawRequest, RawResponse } from '../../lab/raw-connection.ts';
import { tier } from '../../lab/tier.ts';
import { answerChallenge } from '../../packages/digest/digest-client.ts';
import type { AnswerOptions } from '../../packages/digest/digest-client.ts';
import { accounts, assertNothingLeft, digestField, domain, users, whoIs } from './clients.ts';

const ready = await tier('curl');
const options: ScenarioOptions = { accounts, domain, schemes: ['Digest'] };

/** A refusal with what is new in every response taken out. */
const withoutNews = ({ text }: RawResponse): string =>
  text.replace(/date: [^\r]+/i, 'Date: …').replaceAll(/nonce="[^"]+"/g, 'nonce="…"');

for (const [adapter, start] of Object.entries(adapters)) {
  describe(`Digest attacks, ${adapter}`, ready, () => {
    const attack = (
      name: string,
      run: (
        server: RunningServer,
        connection: RawConnection,
        answer: (options: AnswerOptions, request?: RawRequest) => Promise<RawResponse>,
      ) => Promise<void>,
      { handled = 0, more = {} }: { handled?: number; more?: ScenarioOptions } = {},
    ): void => {
      it(name, async () => {
        await using server = await start({ ...options, ...more });
        await using connection = await RawConnection.open(server.port);
        await run(server, connection, async (answerOptions, request = {}) => {
          const asked = await connection.exchange({});
          assert.equal(asked.status, 401);
          return connection.exchange({ ...request, fields: [digestField(asked, answerOptions)] });
        });
        assert.equal(server.handled(), handled, 'how often the handler ran');
        await assertNothingLeft(server);
      });
    };

    attack(
      'none: the client of these tests is accepted where it does not deviate, and so is curl',
      async ({ port }, _connection, answer) => {
        assert.equal(whoIs(await answer({})), 'alice');
        const path = '/a/b%20c?x=%2f&y=1';
        assert.equal(whoIs(await answer({ uri: path }, { target: path })), 'alice');
        const url = `http://127.0.0.1:${port}${path}`;
        assert.equal((await curl(['--digest', '-u', `alice:${users['alice']!}`, url])).status, 200);
      },
      { handled: 3 },
    );

    attack('E07: uri is not the request target', async (_server, _connection, answer) => {
      for (const [uri, target] of [
        ['/a', '/b'],
        ['/', '/a'],
        ['/a', '/a?admin=1'],
        ['/a?x=1', '/a'],
        ['/a/../b', '/a/b'],
        ['/b', '/a/../b'],
        ['/a%2fb', '/a/b'],
        ['/a%20b', '/a+b'],
        ['/a', '//a'],
        ['//evil/a', '/a'],
        ['/%2561', '/a'],
        ['/a#', '/a'],
        ['*', '/a'],
        ['', '/a'],
      ] as const) {
        const response = await answer({ uri }, { target });
        assert.equal(response.status, 400, `${uri} against ${target}`);
        assert.equal(response.body, '400 Bad Request\n');
      }
    });

    attack(
      'E07: the absolute form of the target, and what is equal to it by RFC 3986 section 6.2.2, is the same resource',
      async ({ port }, _connection, answer) => {
        for (const [uri, target] of [
          [`http://127.0.0.1:${port}/a?b`, '/a?b'],
          ['/a/../b', '/b'],
          ['/%61', '/a'],
          ['/a', '/%61'],
          ['/a%2e', '/a.'],
        ] as const) {
          assert.equal(whoIs(await answer({ uri }, { target })), 'alice', `${uri} against ${target}`);
        }
      },
      { handled: 5 },
    );

    attack('E08: the method of the wire counts, whatever a field says', async (_server, connection, answer) => {
      for (const [method, wire] of [
        ['GET', 'POST'],
        ['POST', 'GET'],
        ['get', 'GET'],
        ['HEAD', 'GET'],
      ] as const) {
        assert.equal((await answer({ method }, { method: wire })).status, 401, `${method} over ${wire}`);
      }
      const asked = await connection.exchange({});
      const field = digestField(asked, { method: 'DELETE' });
      for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']) {
        const response = await connection.exchange({ method: 'POST', fields: [`${name}: DELETE`, field] });
        assert.equal(response.status, 401);
      }
    });

    attack(
      'E01, E20: a nonce count serves once, in whatever order the two come, also pipelined',
      async ({ port }, connection) => {
        const asked = await connection.exchange({});
        const first = { fields: [digestField(asked, { nc: '00000001' })] };
        const second = { fields: [digestField(asked, { nc: '00000002' })] };
        await using other = await RawConnection.open(port);
        assert.equal(whoIs(await other.exchange(second)), 'alice', 'swapped, on another connection');
        assert.equal(whoIs(await connection.exchange(first)), 'alice');
        for (const replay of [first, second]) {
          const response = await connection.exchange(replay);
          assert.equal(response.status, 401);
          assert.match(response.headers.get('www-authenticate')![0]!, /stale=true/);
        }
        const third = { fields: [digestField(asked, { nc: '00000003' })] };
        connection.send(third, third);
        const results = [await connection.response(), await connection.response()];
        assert.deepEqual(
          results.map(({ status }) => status),
          [200, 401],
        );
      },
      { handled: 3 },
    );

    attack(
      'E20: two users in one connection’s pipeline stay two users',
      async (_server, connection) => {
        const asked = await connection.exchange({});
        const requests = Array.from({ length: 20 }, (_, index) => {
          const userName = index % 2 === 0 ? 'alice' : 'bob';
          const nc = (index + 1).toString(16).padStart(8, '0');
          return { fields: [digestField(asked, { userName, password: users[userName]!, nc })] };
        });
        connection.send(...requests);
        for (let index = 0; index < requests.length; index++) {
          assert.equal(whoIs(await connection.response()), index % 2 === 0 ? 'alice' : 'bob');
        }
      },
      {
        handled: 20,
        more: {
          accounts: {
            description: 'later',
            verifyDigest: async (logon) => Promise.resolve(accounts.verifyDigest!(logon)),
          },
        },
      },
    );

    attack('G01: unknown user, wrong password, wrong realm: the same bytes', async (_server, connection, answer) => {
      const seen = new Set([withoutNews(await connection.exchange({}))]);
      for (const how of [
        { password: 'wrong' },
        { userName: 'mallory' },
        { userName: 'Guest', password: '' },
        { userName: '__proto__' },
        { password: '' },
        { write: { realm: '"other"' } },
        { write: { nonce: '"AAAA"' } },
        { write: { response: `"${'0'.repeat(64)}"` } },
        { compute: { realm: 'other' } },
      ] satisfies AnswerOptions[]) {
        const response = await answer(how);
        assert.equal(response.status, 401, JSON.stringify(how));
        seen.add(withoutNews(response));
      }
      assert.equal(seen.size, 1, [...seen].join('\n---\n'));
    });

    const logged: string[] = [];
    const keep = (record: object, message: string): void => void logged.push(JSON.stringify([record, message]));
    attack(
      'A09, G04: names that forge lines, and no credentials in the log',
      async (_server, _connection, answer) => {
        for (const userName of ['alice\tx', 'al\u0080ice']) {
          const response = await answer({ userName });
          assert.ok(response.status === 400 || response.status === 401);
        }
        // What node:http does not let through as it is may come in disguise.
        for (const extended of ["UTF-8''al%0d%0aice", "UTF-8''alice%00", "UTF-8''%1b[0malice", "UTF-8''%e2%80%ae"]) {
          const response = await answer({ write: { username: undefined, 'username*': extended } });
          assert.ok(response.status === 400 || response.status === 401);
        }
        await answer({ password: 'a wrong password' });
        assert.ok(logged.length > 0);
        for (const line of logged) {
          assert.ok(!/response=|cnonce=|nonce=|a wrong password/.test(line), line);
          // eslint-disable-next-line no-control-regex -- control characters are what is looked for
          assert.ok(!/[\u0000-\u001f\u007f-\u009f]/.test(line), line);
        }
      },
      { more: { logger: { info: keep, warn: keep, error: keep, debug: keep } } },
    );

    for (const [what, verifyDigest] of Object.entries<NonNullable<AccountSource['verifyDigest']>>({
      throws: () => {
        throw new Error('secret of the directory');
      },
      rejects: () => Promise.reject(new Error('secret of the directory')),
      'says yes without an account': () => ({ result: 'accepted' }) as never,
      'says true': () => true as never,
      'says nothing': () => undefined as never,
      'cannot ask': () => ({ result: 'unavailable', reason: 'away' }),
    })) {
      attack(
        `A21: a source that ${what} lets nobody in`,
        async (_server, _connection, answer) => {
          const response = await answer({});
          assert.equal(response.status, what === 'cannot ask' ? 503 : 401);
          assert.ok(!response.text.includes('secret'));
        },
        { more: { accounts: { description: 'broken', verifyDigest } } },
      );
    }
  });
}

describe('A03: every prefix of a Digest field, on a keep-alive connection', ready, () => {
  it('lets nobody in and breaks nothing', async () => {
    await using server = await adapters['node:http']!(options);
    await using connection = await RawConnection.open(server.port);
    const whole = digestField(await connection.exchange({}));
    for (let length = 'Authorization: '.length; length < whole.length; length++) {
      const response = await connection.exchange({ fields: [whole.slice(0, length)] });
      assert.ok(response.status === 400 || response.status === 401, `${length}: ${response.status}`);
    }
    assert.equal(server.handled(), 0);
    assert.equal(whoIs(await connection.exchange({ fields: [whole] })), 'alice', 'the nonce is still good');
    await assertNothingLeft(server);
  });
});

describe('A13: HTTP/2', ready, () => {
  it('is offered Digest alone, and verified by it request by request', async () => {
    const protect = sspiAuth({ accounts, domain });
    const listener = protect((request, response) => void response.end(request.user?.userName));
    const server = createHttp2Server((request, response) => {
      listener(request as unknown as IncomingMessage, response as unknown as ServerResponse);
    });
    await using listening = await listen(server);
    const session = connectHttp2(listening.origin);
    const ask = async (
      authorization?: string,
    ): Promise<{ status: unknown; headers: IncomingHttpHeaders; body: string }> =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':path': '/', ...(authorization && { authorization }) });
        let headers: IncomingHttpHeaders = {};
        let body = '';
        stream.setEncoding('utf8');
        stream.on('response', (received) => (headers = received));
        stream.on('data', (text: string) => (body += text));
        stream.on('end', () => resolve({ status: headers[':status' as 'status'], headers, body }));
        stream.on('error', reject);
      });
    const asked = await ask();
    assert.equal(asked.status, 401);
    const challenges = String(asked.headers['www-authenticate']);
    assert.ok(!challenges.includes('NTLM'), challenges);
    const challenge = /Digest (realm=.*?algorithm=SHA-256)/.exec(challenges)?.[1];
    assert.ok(challenge !== undefined, challenges);
    const answer = (userName: string, nc: string): string =>
      `Digest ${answerChallenge(challenge, { userName, password: users[userName]!, uri: '/', nc })}`;
    const all = await Promise.all([
      ask(answer('alice', '00000001')),
      ask(answer('bob', '00000002')),
      ask(),
      ask('NTLM TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAA='),
      ask(answer('alice', '00000003')),
    ]);
    assert.deepEqual(
      all.map(({ status, body }) => (status === 200 ? body : status)),
      ['alice', 'bob', 401, 401, 'alice'],
    );
    session.close();
    protect.close();
  });
});
