/** Scenarios of applications with more than sspi-auth: other schemes, answers of their own, facts of their own. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { memoryAccounts } from '../../src/index.ts';
import type { AccountSource, Identity } from '../../src/index.ts';
import { curl } from '../lab/curl.ts';
import { RawConnection } from '../lab/raw-connection.ts';
import { begin, forgedTokens, ntlmField, signIn, whoIs } from './raw-clients.ts';
import { accounts, alice, answerOf } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';
import { refusalPage } from './servers.ts';
import type { Refusing } from './servers.ts';

const service: Identity = { name: 'service', userName: 'service', groups: [], package: 'JWT' };
const bearer = (token: string): readonly string[] => ['-H', `Authorization: Bearer ${token}`];
const grouped = memoryAccounts([
  { userName: 'alice', password: 'Wonderland-7', groups: [{ name: 'LAB\\Engineers' }] },
  { userName: 'bob', password: 'Builder-8' },
]);
const away: AccountSource = {
  description: 'a directory that is away',
  verifyNtlm: () => ({ result: 'unavailable', reason: 'it is away' }),
  verifyDigest: () => ({ result: 'unavailable', reason: 'it is away' }),
};

function verify(wait: boolean) {
  return ({ headers }: IncomingMessage) => {
    const user = headers.authorization === 'Bearer right' ? service : undefined;
    return wait ? Promise.resolve(user) : user;
  };
}

const otherSchemeScenarios: readonly Scenario[] = [
  ...[false, true].map((wait): Scenario => ({
    name: `H08: Bearer beside single sign-on${wait ? ', verified later' : ''}: its own user, on a new connection and on one that is signed in`,
    options: {
      accounts,
      domain: 'LAB',
      schemes: ['NTLM'],
      otherSchemes: { Bearer: verify(wait) },
      challenges: ['Bearer realm="api"'],
    },
    run: async (server, url) => {
      const right = await curl([...bearer('right'), url]);
      assert.deepEqual([right.status, answerOf(right).name, answerOf(right).scheme], [200, 'service', null]);
      const wrong = await curl([...bearer('wrong'), url]);
      assert.equal(wrong.status, 401);
      assert.deepEqual(wrong.headers.get('www-authenticate'), ['NTLM', 'Bearer realm="api"']);
      assert.equal(wrong.body, '401 Unauthorized\n');
      // A connection that is signed in: another user, nobody, and then its own user again.
      await using connection = await RawConnection.open(server.port);
      assert.equal(whoIs(await signIn(connection, forgedTokens({}))), 'alice');
      const bearerFields = (token: string): { readonly fields: readonly string[] } => ({
        fields: [`Authorization: Bearer ${token}`],
      });
      assert.equal(whoIs(await connection.exchange(bearerFields('right'))), 'service');
      assert.equal((await connection.exchange(bearerFields('wrong'))).status, 401);
      assert.equal(whoIs(await connection.exchange({})), 'alice');
      // Between the legs of a handshake it changes nothing.
      await using other = await RawConnection.open(server.port);
      using tokens = forgedTokens({});
      const challenge = await begin(other, tokens);
      assert.equal(whoIs(await other.exchange(bearerFields('right'))), 'service');
      const last = await other.exchange({ fields: [ntlmField(tokens.last(challenge))] });
      assert.equal(whoIs(last), 'alice');
      assert.equal(server.handled(), 6);
    },
  })),
  {
    name: 'H08: pass hands on with no user; requireUser answers 401, and a user gets by',
    options: { accounts, schemes: ['NTLM'], otherSchemes: { Bearer: 'pass' }, logger: false },
    run: async (server, url) => {
      const passed = await curl([...bearer('any'), url]);
      assert.deepEqual([passed.status, answerOf(passed).user], [200, null]);
      const needed = await curl([...bearer('any'), `${url}/user`]);
      assert.equal(needed.status, 401);
      assert.deepEqual(needed.headers.get('www-authenticate'), ['NTLM']);
      assert.equal(server.handled(), 1);
      assert.equal((await curl(['--ntlm', ...alice, `${url}/user`])).status, 200);
    },
  },
  {
    name: 'H08, A21: verification that fails lets nobody in',
    options: {
      accounts,
      logger: false,
      otherSchemes: {
        Bearer: () => {
          throw new Error('broken');
        },
        Key: () => Promise.reject(new Error('broken')),
      },
    },
    run: async (server, url) => {
      assert.equal((await curl([...bearer('any'), url])).status, 500);
      assert.equal((await curl(['-H', 'Authorization: Key any', url])).status, 500);
      assert.equal(server.handled(), 0);
    },
  },
];

const routeScenarios: readonly Scenario[] = [
  {
    name: 'requireUser insists where anonymous requests get by',
    options: { accounts, anonymous: true },
    run: async (server, url) => {
      assert.equal((await curl([url])).status, 200);
      const needed = await curl([`${url}/user`]);
      assert.deepEqual([needed.status, needed.body], [401, '401 Unauthorized\n']);
      assert.ok((needed.headers.get('www-authenticate')?.length ?? 0) > 1);
      const signedIn = await curl(['--ntlm', ...alice, `${url}/user`]);
      assert.deepEqual([signedIn.status, signedIn.responses.length], [200, 2]);
      assert.equal(server.handled(), 2);
    },
  },
  {
    name: 'requireGroup: 401 without a user, 403 for others, on signed-in connections too',
    options: { accounts: grouped, anonymous: true, group: 'LAB\\Engineers', domain: 'LAB' },
    run: async (server, url) => {
      assert.equal((await curl([`${url}/group`])).status, 401);
      const { responses } = await curl(['--ntlm', ...alice, `${url}/group`, `${url}/group`]);
      assert.deepEqual(
        responses.map(({ status }) => status),
        [401, 200, 200],
      );
      const others = await curl(['--ntlm', '-u', 'bob:Builder-8', url, `${url}/group`]);
      assert.deepEqual(others.responses.at(-1)?.status, 403);
      assert.match(others.body, /403 Forbidden\n$/);
      assert.equal(server.handled(), 3);
    },
  },
  {
    name: 'schemesFor: no prompt for those who cannot answer it; another name is 500',
    options: {
      accounts,
      logger: false,
      schemesFor: ({ url, headers }) =>
        url === '/broken' ? ['Kerberos'] : headers['user-agent'] === 'mobile' ? [] : ['NTLM'],
    },
    run: async (server, url) => {
      const mobile = await curl(['-A', 'mobile', url]);
      assert.deepEqual([mobile.status, mobile.headers.get('www-authenticate')], [401, undefined]);
      assert.deepEqual((await curl([url])).headers.get('www-authenticate'), ['NTLM']);
      assert.equal((await curl(['--ntlm', ...alice, url])).status, 200);
      assert.equal((await curl(['--digest', ...alice, url])).status, 401);
      assert.equal((await curl([`${url}/broken`])).status, 500);
      assert.equal(server.handled(), 1);
    },
  },
  {
    name: 'enrich: its user is that of every request of the connection',
    options: {
      accounts,
      schemes: ['NTLM'],
      nameFormat: 'user',
      enrich: async (user) => Promise.resolve({ ...user, displayName: `the ${user.name}` }),
    },
    run: async (_server, url) => {
      const { body, status } = await curl(['--ntlm', ...alice, `${url}/1`, `${url}/2`]);
      assert.equal(status, 200);
      assert.equal(body.match(/"displayName":"the alice"/g)?.length, 2);
    },
  },
  {
    name: 'A21: enrich that fails is 500, and signs nobody in',
    options: { accounts, logger: false, enrich: async () => Promise.reject(new Error('the database is away')) },
    run: async (server, url) => {
      for (const flag of ['--ntlm', '--digest']) assert.equal((await curl([flag, ...alice, url])).status, 500);
      assert.equal(server.handled(), 0);
    },
  },
  {
    name: 'an account source that is away is 503 with Retry-After',
    options: { accounts: away, logger: false },
    run: async (server, url) => {
      for (const flag of ['--ntlm', '--digest']) {
        const response = await curl([flag, ...alice, url]);
        assert.deepEqual([response.status, response.headers.get('retry-after')], [503, ['10']]);
        assert.equal(response.headers.get('www-authenticate'), undefined);
        assert.match(response.body, /503 Service Unavailable\n$/);
      }
      assert.equal(server.handled(), 0);
    },
  },
  {
    name: 'the body of a refusal is what the client accepts, and the same for every cause',
    options: { accounts, schemes: ['NTLM'] },
    run: async (_server, url) => {
      for (const [accept, type, body] of [
        ['text/html,application/xhtml+xml,*/*;q=0.8', 'text/html; charset=utf-8', /<h1>401 Unauthorized<\/h1>/],
        [
          'application/json, text/plain, */*',
          'application/json; charset=utf-8',
          /^\{"status":401,"error":"Unauthorized"\}\n$/,
        ],
        ['*/*', 'text/plain; charset=utf-8', /^401 Unauthorized\n$/],
      ] as const) {
        const seen = new Set<string>();
        for (const more of [[], bearer('x'), ['-H', 'Authorization: NTLM AAAA'], ['--ntlm', '-u', 'alice:wrong']]) {
          const response = await curl([...more, '-H', `Accept: ${accept}`, url]);
          assert.deepEqual([response.status, response.headers.get('content-type')], [401, [type]]);
          assert.match(response.body, body);
          seen.add(response.body);
        }
        assert.equal(seen.size, 1);
      }
    },
  },
  {
    name: 'close with drain: no new handshake begins, one that is pending ends, a connection that is signed in stays',
    options: { accounts, schemes: ['NTLM'] },
    run: async (server) => {
      const message1 = Buffer.concat([
        Buffer.from('NTLMSSP\0\x01\0\0\0', 'latin1'),
        Buffer.from('0582088200000000000000000000000000000000', 'hex'),
      ]).toString('base64');
      await using pending = await RawConnection.open(server.port);
      assert.equal((await pending.exchange({ fields: [`Authorization: NTLM ${message1}`] })).status, 401);
      // Two parts of an application may both ask for it.
      const closed = Promise.all([60_000, 60_000].map((drain) => server.authenticator.close({ drain })));
      await using late = await RawConnection.open(server.port);
      const turnedAway = await late.exchange({ fields: [`Authorization: NTLM ${message1}`] });
      assert.equal(turnedAway.status, 503);
      assert.deepEqual(
        [turnedAway.headers.get('retry-after'), turnedAway.headers.get('connection')],
        [['1'], ['close']],
      );
      assert.equal(server.authenticator.pendingHandshakes, 1);
      // The last leg is verified still; that it is a wrong one ends the handshake as well.
      assert.equal((await pending.exchange({ fields: ['Authorization: NTLM TlRMTVNTUAADAAAA'] })).status, 401);
      await closed;
      assert.equal(server.authenticator.pendingHandshakes, 0);
    },
  },
];

const refusing = (name: Refusing, expected: 'page' | 'bare'): Scenario => ({
  name: `H16: refuse, ${name}: status, challenges and connection stay`,
  options: {
    accounts,
    schemes: ['NTLM'],
    refusing: name,
    logger: false,
    // Long enough for a handshake on a busy machine.
    limits: { handshakeMilliseconds: name === 'hanging' ? 1000 : 10_000 },
    authorize: ({ userName }) => userName === 'alice',
  },
  run: async (server, url) => {
    await using connection = await RawConnection.open(server.port);
    // Twice over one connection: it stays open.
    for (let times = 0; times < 2; times++) {
      const refused = await connection.exchange({});
      assert.equal(refused.status, 401);
      assert.deepEqual(refused.headers.get('www-authenticate'), ['NTLM']);
      assert.deepEqual(refused.headers.get('cache-control'), ['no-store']);
      assert.notEqual(refused.headers.get('connection')?.[0], 'close');
      assert.match(refused.text, /^HTTP\/1\.1 401 Unauthorized\r\n/);
      const isBare = expected === 'bare' || (name === 'error' && !refused.body.includes(refusalPage));
      assert.equal(refused.body, isBare ? '401 Unauthorized\n' : refusalPage);
      assert.equal(refused.headers.get('x-half'), undefined);
    }
    // Legs are not refusals: the handshake goes on.
    const signedIn = await curl(['--ntlm', ...alice, url]);
    assert.deepEqual(
      signedIn.responses.map(({ status }) => status),
      [401, 200],
    );
    assert.equal((await curl(['--ntlm', '-u', 'alice:wrong', url])).status, 401);
    assert.equal((await curl(['--ntlm', '-u', 'CORP\\bob:Builder-8', url])).status, 403);
    assert.equal(server.handled(), 1);
  },
});

export const applicationScenarios: readonly Scenario[] = [
  ...otherSchemeScenarios,
  ...routeScenarios,
  refusing('error', 'page'),
  refusing('meddling', 'page'),
  refusing('later', 'page'),
  refusing('throwing', 'bare'),
  refusing('rejecting', 'bare'),
  refusing('hanging', 'bare'),
];
