/** One table of scenarios, run against every adapter (adapters.live.test.ts): real clients, real connections. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { memoryAccounts } from '../../src/index.ts';
import { curl } from '../lab/curl.ts';
import { RawConnection } from '../lab/raw-connection.ts';
import { scratchFolder } from '../lab/scratch.ts';
import type { Answer, RunningServer, ScenarioOptions } from './servers.ts';

/** The accounts of every scenario. */
export const accounts = memoryAccounts([
  { userName: 'alice', password: 'Wonderland-7' },
  { userName: 'bob', password: 'Builder-8', domain: 'CORP' },
]);

export interface Scenario {
  readonly name: string;
  readonly options?: ScenarioOptions;
  readonly run: (server: RunningServer, url: string) => Promise<void>;
}

/** The application's JSON. */
export function answerOf({ body }: { readonly body: string }): Answer {
  return JSON.parse(body) as Answer;
}

/** Arguments of curl. */
export const alice = ['-u', 'alice:Wonderland-7'];
const wrong = ['-u', 'alice:wrong'];
const megabyte = Buffer.alloc(1024 * 1024, 'sspi');
let megabyteSum = 0;
for (const byte of megabyte) megabyteSum = (megabyteSum * 31 + byte) >>> 0;

const curlSchemes = ['--ntlm', '--digest', '--anyauth'] as const;

/** Signs in, whatever curl is told to use, and is refused with a wrong password. */
const curlScenarios: readonly Scenario[] = curlSchemes.flatMap((flag): readonly Scenario[] => [
  {
    name: `curl ${flag}, right password: GET`,
    run: async (server, url) => {
      const response = await curl([flag, ...alice, `${url}/path?a=1&b=%20`]);
      assert.equal(response.status, 200);
      const { name, user, package: packageName } = answerOf(response);
      assert.equal(user?.userName, 'alice');
      assert.equal(name, `${user.domain}\\alice`);
      // Of what is offered curl takes Digest before NTLM.
      assert.equal(packageName, flag === '--ntlm' ? 'NTLM' : 'Digest');
      assert.equal(server.handled(), 1);
    },
  },
  {
    name: `curl ${flag}, wrong password: 401 and the handler never runs`,
    run: async (server, url) => {
      const response = await curl([flag, ...wrong, url]);
      assert.equal(response.status, 401);
      assert.equal(response.body, '401 Unauthorized\n');
      assert.equal(server.handled(), 0);
    },
  },
  {
    name: `curl ${flag}, unknown user: 401 and the handler never runs`,
    run: async (server, url) => {
      const response = await curl([flag, '-u', 'mallory:Wonderland-7', url]);
      assert.equal(response.status, 401);
      assert.equal(server.handled(), 0);
    },
  },
  {
    name: `curl ${flag}: HEAD`,
    run: async (server, url) => {
      assert.equal((await curl([flag, ...alice, '--head', url])).status, 200);
      assert.equal((await curl([flag, ...wrong, '--head', url])).status, 401);
      assert.equal(server.handled(), 1);
    },
  },
  {
    name: `curl ${flag}: a POST of 1 MiB arrives whole`,
    run: async (server, url) => {
      await using folder = await scratchFolder('post');
      const file = folder.file('body');
      await writeFile(file, megabyte);
      const response = await curl([
        flag,
        ...alice,
        '--data-binary',
        `@${file}`,
        '-H',
        'Content-Type: application/x-scenario',
        url,
      ]);
      assert.equal(response.status, 200);
      assert.deepEqual([answerOf(response).bodyBytes, answerOf(response).bodySum], [megabyte.byteLength, megabyteSum]);
      assert.equal(server.handled(), 1);
    },
  },
]);

export const scenarios: readonly Scenario[] = [
  ...curlScenarios,
  {
    name: 'a request without credentials is asked for them, in the order of the options',
    options: { accounts, schemes: ['Digest', 'NTLM'], domain: 'CORP', realm: 'the realm' },
    run: async (server, url) => {
      const response = await curl([url]);
      assert.equal(response.status, 401);
      assert.deepEqual(
        response.headers.get('www-authenticate')?.map((value) => value.replace(/nonce="[^"]+"/, 'nonce="…"')),
        [
          'Digest realm="the realm", nonce="…", qop="auth", algorithm=SHA-256, charset=UTF-8',
          'Digest realm="the realm", nonce="…", qop="auth", algorithm=MD5, charset=UTF-8',
          'NTLM',
        ],
      );
      assert.deepEqual(response.headers.get('cache-control'), ['no-store']);
      assert.equal(server.handled(), 0);
    },
  },
  {
    name: 'the domain of an account is reported, and the one configured for accounts without',
    options: { accounts, domain: 'LAB' },
    run: async (_server, url) => {
      assert.equal(answerOf(await curl(['--ntlm', '-u', 'CORP\\bob:Builder-8', url])).name, 'CORP\\bob');
      assert.equal(answerOf(await curl(['--ntlm', ...alice, url])).name, 'LAB\\alice');
      assert.equal(answerOf(await curl(['--digest', ...alice, url])).name, 'LAB\\alice');
    },
  },
  {
    name: 'an NTLM sign-in lasts as long as its connection: one handshake, many requests',
    options: { accounts, schemes: ['NTLM'] },
    run: async (server, url) => {
      const response = await curl(['--ntlm', ...alice, `${url}/1`, `${url}/2`, `${url}/3`]);
      assert.deepEqual(
        response.responses.map(({ status }) => status),
        [401, 200, 200, 200],
      );
      assert.deepEqual(
        response.responses.map(({ headers }) => headers.get('persistent-auth')?.[0]),
        [undefined, 'true', undefined, undefined],
      );
      assert.equal(response.body.match(/"userName":"alice"/g)?.length, 3);
      assert.equal(server.handled(), 3);
    },
  },
  {
    name: "persistence 'request': every request signs in",
    options: { accounts, schemes: ['NTLM'], persistence: 'request' },
    run: async (server, url) => {
      const { responses } = await curl(['--ntlm', ...alice, `${url}/1`]);
      assert.equal(responses.at(-1)?.headers.get('persistent-auth')?.[0], 'false');
      await using connection = await RawConnection.open(server.port);
      assert.equal((await connection.exchange({})).status, 401);
    },
  },
  {
    name: 'A11: behind a proxy that names itself, no identity stays on the connection',
    options: { accounts, schemes: ['NTLM'] },
    run: async (_server, url) => {
      const { responses } = await curl(['--ntlm', ...alice, '-H', 'Via: 1.1 proxy', `${url}/1`]);
      assert.deepEqual(
        responses.map(({ status, headers }) => [status, headers.get('persistent-auth')?.[0]]),
        [
          [401, undefined],
          [200, 'false'],
        ],
      );
    },
  },
  {
    name: 'authorize: false is 403, and only then',
    options: { accounts, authorize: (user, request) => user.userName === 'alice' && request.url !== '/forbidden' },
    run: async (server, url) => {
      assert.equal((await curl(['--ntlm', ...alice, url])).status, 200);
      const forbidden = await curl(['--ntlm', ...alice, `${url}/forbidden`]);
      assert.equal(forbidden.status, 403);
      assert.equal(forbidden.body, '403 Forbidden\n');
      assert.equal((await curl(['--ntlm', '-u', 'bob:Builder-8', url])).status, 403);
      assert.equal((await curl(['--ntlm', '-u', 'bob:wrong', url])).status, 401);
      assert.equal((await curl(['--digest', '-u', 'bob:Builder-8', url])).status, 403);
      assert.equal(server.handled(), 1);
    },
  },
  {
    name: 'authorize may ask somebody first; a rejection and an exception let nobody in',
    options: {
      accounts,
      authorize: async (_user, request) => {
        if (request.url === '/broken') throw new Error('directory away');
        return Promise.resolve(request.url === '/yes');
      },
    },
    run: async (server, url) => {
      assert.equal((await curl(['--ntlm', ...alice, `${url}/yes`])).status, 200);
      assert.equal((await curl(['--ntlm', ...alice, `${url}/no`])).status, 403);
      assert.equal((await curl(['--ntlm', ...alice, `${url}/broken`])).status, 500);
      assert.equal(server.handled(), 1);
    },
  },
  {
    name: 'authorize: only true is a yes',
    options: { accounts, authorize: (() => 'yes') as unknown as () => boolean },
    run: async (server, url) => {
      assert.equal((await curl(['--ntlm', ...alice, url])).status, 403);
      assert.equal(server.handled(), 0);
    },
  },
  {
    name: 'anonymous: no credentials pass with no user, wrong ones are refused',
    options: { accounts, anonymous: true },
    run: async (server, url) => {
      const nobody = await curl([url]);
      assert.equal(nobody.status, 200);
      assert.deepEqual([answerOf(nobody).user, answerOf(nobody).package], [null, null]);
      assert.equal((await curl(['--ntlm', ...wrong, url])).status, 401);
      assert.equal(server.handled(), 1);
      await using connection = await RawConnection.open(server.port);
      assert.equal(
        (await connection.exchange({ fields: ['Authorization: Basic YWxpY2U6V29uZGVybGFuZC03'] })).status,
        401,
      );
    },
  },
  {
    name: 'skip: the request is not looked at, whatever it carries',
    options: { accounts, skip: (request) => request.url === '/health' },
    run: async (server, url) => {
      const health = await curl(['--ntlm', ...wrong, `${url}/health`]);
      assert.equal(health.status, 200);
      assert.equal(answerOf(health).user, null);
      assert.equal((await curl([url])).status, 401);
      assert.equal(server.handled(), 1);
    },
  },
  {
    name: 'skip: an exception lets nobody in',
    options: {
      accounts,
      skip: () => {
        throw new Error('skip is broken');
      },
    },
    run: async (server, url) => {
      assert.equal((await curl([url])).status, 500);
      assert.equal(server.handled(), 0);
    },
  },
  {
    name: 'A06, A07: two Authorization fields, or a list in one, are 400',
    run: async (server) => {
      await using connection = await RawConnection.open(server.port);
      for (const fields of [
        ['Authorization: NTLM AAAA', 'Authorization: NTLM AAAA'],
        ['Authorization: Negotiate AAAA', 'Authorization: Basic YTpi'],
        ['Authorization: NTLM AAAA, Digest realm="x"'],
        ['Authorization: NTLM\tAAAA'],
      ]) {
        const response = await connection.exchange({ fields });
        assert.equal(response.status, 400, fields.join(' | '));
        assert.equal(response.body, '400 Bad Request\n');
      }
      assert.equal(server.handled(), 0);
    },
  },
  {
    name: 'A01, A02, A08: a token that is empty, not base64, or of another scheme is 401',
    run: async (server) => {
      await using connection = await RawConnection.open(server.port);
      for (const value of ['NTLM', 'NTLM ', 'NTLM TlRM_-NT', 'NTLM TlRMTVM', 'NtlmX AAAA', 'Basic YTpi', 'ntlm AAAA']) {
        const response = await connection.exchange({ fields: [`Authorization: ${value}`] });
        assert.equal(response.status, 401, value);
      }
      assert.equal(server.handled(), 0);
    },
  },
  {
    name: 'A05: a token over the limit is refused before it is decoded, a huge field by Node itself',
    options: { accounts, limits: { tokenBytes: 1024 } },
    run: async (server) => {
      await using connection = await RawConnection.open(server.port);
      const response = await connection.exchange({ fields: [`Authorization: NTLM ${'A'.repeat(2048)}`] });
      assert.equal(response.status, 401);
      assert.equal(
        (await connection.exchange({ fields: [`Authorization: NTLM ${'A'.repeat(64 * 1024)}`] })).status,
        431,
      );
      assert.equal(server.handled(), 0);
    },
  },
  {
    name: 'a realm and a domain beyond ASCII arrive as they are, and sign in',
    options: { accounts, domain: 'BÜRO', realm: 'Zürich КОРП' },
    run: async (server, url) => {
      for (const flag of ['--digest', '--ntlm']) {
        const { status, responses, body } = await curl([flag, ...alice, url]);
        assert.equal(status, 200, flag);
        assert.equal((JSON.parse(body.replace('401 Unauthorized\n', '')) as Answer).name, 'BÜRO\\alice');
        if (flag === '--ntlm') continue;
        const challenge = responses[0]?.headers.get('www-authenticate')?.find((text) => text.startsWith('Digest'));
        assert.match(challenge ?? '', /realm="Zürich КОРП"/);
      }
      await using connection = await RawConnection.open(server.port);
      const over = await connection.exchange({ method: 'POST', fields: ['Content-Length: 99999999'], body: 'begun' });
      const sent = Buffer.from(over.text, 'latin1').toString('utf8');
      assert.match(sent, /realm="Zürich КОРП"[^]*401 Unauthorized\n$/);
    },
  },
  {
    name: 'the same bytes for every cause of a 401',
    options: { accounts, schemes: ['NTLM'] },
    run: async (server) => {
      const seen = new Set<string>();
      for (const fields of [
        [],
        ['Authorization: NTLM'],
        ['Authorization: NTLM !!!!'],
        ['Authorization: NTLM AAAA'],
        ['Authorization: NTLM TlRMTVNTUAADAAAA'],
        ['Authorization: Bearer abc'],
        ['Authorization: Digest username="alice"'],
      ]) {
        await using connection = await RawConnection.open(server.port);
        const { text } = await connection.exchange({ fields });
        seen.add(text.replace(/^Date: .*\r\n/im, ''));
      }
      assert.equal(seen.size, 1, [...seen].join('\n---\n'));
    },
  },
  {
    name: 'closing the authenticator refuses everybody',
    run: async (server, url) => {
      server.authenticator.close();
      assert.equal((await curl(['--ntlm', ...alice, url])).status, 401);
      assert.equal(server.handled(), 0);
    },
  },
];
