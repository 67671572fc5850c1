/** Scenarios of sessions, run against every adapter: sealed cookies, sign-out, and requests of other sites. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { memoryStore } from '../../src/index.ts';
import type { AuditRecord } from '../../src/index.ts';
import { curl } from '../lab/curl.ts';
import type { CurlResult } from '../lab/curl.ts';
import { RawConnection } from '../lab/raw-connection.ts';
import { scratchFolder } from '../lab/scratch.ts';
import { accounts as labAccounts, forgedTokens, signIn, whoIs } from './raw-clients.ts';
import { accounts, alice, answerOf } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';

const secrets = [randomBytes(32)];
/** Tests have no TLS, so that cookies have a plain name. */
const session = { secrets, cookie: { secure: false, name: 'sid' }, signInPath: '/sign-in' };
const options = { accounts, schemes: ['NTLM', 'Digest'] as const, session, logger: false as const };
const secureName = '__Host-sspi-auth';

/** The value of a cookie that a response sets; undefined if it does not. */
function setCookie({ headers }: Pick<CurlResult, 'headers'>, name: string): string | undefined {
  const field = headers.get('set-cookie')?.find((value) => value.startsWith(`${name}=`));
  return field?.slice(name.length + 1).split(';')[0];
}

const cookie = (...pairs: readonly string[]): readonly string[] => ['-H', `Cookie: ${pairs.join('; ')}`];

export const sessionScenarios: readonly Scenario[] = [
  {
    name: 'a session spares the handshake on another connection, and its requests have no context',
    options,
    run: async (server, url) => {
      await using folder = await scratchFolder('cookies');
      const jar = folder.file('jar');
      const first = await curl(['--ntlm', ...alice, '-c', jar, url]);
      assert.equal(first.status, 200);
      assert.match(first.headers.get('set-cookie')?.join() ?? '', /^sid=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax$/);
      assert.match(first.headers.get('vary')?.join() ?? '', /Cookie/);
      const second = await curl(['-b', jar, url]);
      assert.equal(second.responses.length, 1);
      assert.deepEqual(answerOf(second).user, answerOf(first).user);
      assert.deepEqual([answerOf(second).scheme, answerOf(second).package], ['NTLM', 'NTLM']);
      // Digest comes with each request, and does not seal a cookie for each.
      const digest = await curl(['--digest', ...alice, '-b', jar, url]);
      assert.deepEqual([digest.status, setCookie(digest, 'sid')], [200, undefined]);
      assert.equal(server.handled(), 3);
    },
  },
  {
    name: 'H03: a cookie that was changed is cleared and ignored, and never by itself a refusal',
    options: { ...options, anonymous: true },
    run: async (_server, url) => {
      for (const wrong of ['', 'x', 'a.b.c.d.e', 'A'.repeat(5000)]) {
        const response = await curl([...cookie(`sid=${wrong}`), url]);
        assert.deepEqual([response.status, answerOf(response).user], [200, null]);
        assert.equal(setCookie(response, 'sid'), '');
      }
    },
  },
  {
    name: 'H03: cookies of other secrets, audiences and names are no user; curl signs in all the same',
    options,
    run: async (_server, url) => {
      const right = setCookie(await curl(['--ntlm', ...alice, url]), 'sid') ?? '';
      const changed = `${right.slice(0, -3)}AAA`;
      const refused = await curl([...cookie(`sid=${changed}`), url]);
      assert.deepEqual([refused.status, setCookie(refused, 'sid')], [401, '']);
      assert.equal(refused.body, '401 Unauthorized\n');
      assert.equal((await curl([...cookie(`other=${right}`), url])).status, 401);
      const again = await curl(['--ntlm', ...alice, ...cookie(`sid=${changed}`), url]);
      assert.equal(again.status, 200);
      assert.notEqual(setCookie(again, 'sid') ?? '', '');
    },
  },
  {
    name: 'H04: a proof on a connection with a planted cookie',
    options: { ...options, accounts: labAccounts, domain: 'LAB', schemes: ['NTLM'] },
    run: async (server) => {
      await using attacker = await RawConnection.open(server.port);
      const own = await signIn(attacker, forgedTokens({ userName: 'bob', password: 'Builder-8' }));
      const planted = /^sid=([^;]+)/.exec(own.headers.get('set-cookie')?.[0] ?? '')?.[1] ?? '';
      await using victim = await RawConnection.open(server.port);
      using tokens = forgedTokens({});
      const fields = (token: Uint8Array): readonly string[] => [
        `Authorization: NTLM ${Buffer.from(token).toString('base64')}`,
        `Cookie: sid=${planted}`,
      ];
      const leg = await victim.exchange({ fields: fields(tokens.first()) });
      const challenge = Buffer.from(leg.headers.get('www-authenticate')?.[0]?.slice(5) ?? '', 'base64');
      const done = await victim.exchange({ fields: fields(tokens.last(challenge)) });
      assert.equal(whoIs(done), 'alice');
      const sealed = /^sid=([^;]+)/.exec(done.headers.get('set-cookie')?.[0] ?? '')?.[1] ?? '';
      assert.notEqual(sealed, '');
      assert.notEqual(sealed, planted);
    },
  },
  {
    name: 'H05, H06: sign-out ends the session on every connection at once; the mark takes every user away',
    options: { ...options, store: memoryStore() },
    run: async (server, url) => {
      const value = setCookie(await curl(['--ntlm', ...alice, url]), 'sid') ?? '';
      const pair = `sid=${value}`;
      await using standing = await RawConnection.open(server.port);
      const get = async (): Promise<number> => (await standing.exchange({ fields: [`Cookie: ${pair}`] })).status;
      assert.deepEqual([await get(), await get()], [200, 200]);
      const out = await curl(['-X', 'POST', ...cookie(pair), `${url}/sign-out`]);
      assert.deepEqual([out.status, JSON.parse(out.body)], [200, { told: true }]);
      assert.deepEqual([setCookie(out, 'sid'), setCookie(out, 'sid-out')], ['', '1']);
      // Kept all the same by whoever stole it.
      assert.equal(await get(), 401);
      assert.equal((await curl([...cookie(pair), url])).status, 401);
      // The mark, whatever else is sent.
      const marked = await curl([...cookie('sid-out=1'), url]);
      assert.equal(marked.status, 401);
      assert.match(marked.headers.get('www-authenticate')?.join() ?? '', /^Session realm="[^"]*"$/);
      const handled = server.handled();
      assert.equal((await curl(['--ntlm', ...alice, ...cookie('sid-out=1'), url])).status, 401);
      assert.equal((await curl(['--digest', ...alice, ...cookie('sid-out=1'), `${url}/sign-in/../`])).status, 401);
      assert.equal(server.handled(), handled);
      // The path for signing in again asks anew, and takes the mark away.
      const asked = await curl([...cookie('sid-out=1', pair), `${url}/sign-in?next=/`]);
      assert.deepEqual([asked.status, asked.headers.get('www-authenticate')?.[0]], [401, 'NTLM']);
      const back = await curl(['--ntlm', ...alice, ...cookie('sid-out=1'), `${url}/sign-in`]);
      assert.deepEqual([back.status, setCookie(back, 'sid-out')], [200, '']);
      assert.equal((await curl([...cookie(`sid=${setCookie(back, 'sid')}`), url])).status, 200);
    },
  },
  {
    name: 'H05: a connection that signed in is signed out with its session',
    options: { ...options, accounts: labAccounts, domain: 'LAB', schemes: ['NTLM'], anonymous: true },
    run: async (server) => {
      await using connection = await RawConnection.open(server.port);
      assert.equal(whoIs(await signIn(connection, forgedTokens({}))), 'alice');
      assert.equal(whoIs(await connection.exchange({})), 'alice');
      assert.equal((await connection.exchange({ method: 'POST', target: '/sign-out', body: '' })).status, 200);
      assert.equal(whoIs(await connection.exchange({})), null);
      assert.equal(whoIs(await signIn(connection, forgedTokens({}))), 'alice');
      await server.authenticator.revoke({ userName: 'alice', domain: 'LAB' });
      assert.equal(whoIs(await connection.exchange({})), null);
    },
  },
  {
    name: 'plain HTTP: no cookie, and a warning; behind a proxy with TLS there is one',
    options: { accounts, schemes: ['Digest'], session: { secrets }, logger: false },
    run: async (_server, url) => {
      assert.equal((await curl(['--digest', ...alice, url])).headers.get('set-cookie'), undefined);
      const proxied = await curl(['--digest', ...alice, '-H', 'X-Forwarded-Proto: https', url]);
      assert.match(proxied.headers.get('set-cookie')?.join() ?? '', /^__Host-sspi-auth=.*; Path=\/; Secure; HttpOnly/);
      const pair = `${secureName}=${setCookie(proxied, secureName)}`;
      const next = await curl([...cookie(pair), '-H', 'X-Forwarded-Proto: https', url]);
      assert.deepEqual([next.status, next.headers.get('vary')?.join()], [200, 'Cookie']);
    },
  },
  {
    name: 'H01, A20: requests of other sites over a connection, with a cookie, and with neither',
    options: { ...options, accounts: labAccounts, domain: 'LAB', schemes: ['NTLM', 'Digest'] },
    run: async (server, url) => {
      await using connection = await RawConnection.open(server.port);
      const first = await signIn(connection, forgedTokens({}));
      const pair = first.headers.get('set-cookie')?.[0]?.split(';')[0] ?? '';
      const handled = server.handled();
      const foreign = [
        ['Sec-Fetch-Site: cross-site'],
        ['Sec-Fetch-Site: same-site'],
        ['Origin: http://evil.example'],
        ['Origin: null'],
      ];
      for (const fields of foreign) {
        for (const more of [[], [`Cookie: ${pair}`]]) {
          const response = await connection.exchange({ method: 'POST', body: 'x', fields: [...fields, ...more] });
          assert.equal(response.status, 403, fields.join());
          assert.equal(response.body, '403 Forbidden\n');
        }
        const alone = await curl(['--ntlm', ...alice, '-d', 'x', ...fields.flatMap((field) => ['-H', field]), url]);
        assert.deepEqual([alone.status, alone.responses.length], [403, 1]);
      }
      assert.equal(server.handled(), handled);
      // GET is for everybody, and so is what the own pages send.
      const own = ['Sec-Fetch-Site: same-origin', 'Content-Type: application/x-scenario'];
      assert.equal((await connection.exchange({ fields: ['Sec-Fetch-Site: cross-site'] })).status, 200);
      assert.equal((await connection.exchange({ method: 'POST', body: 'x', fields: own })).status, 200);
      assert.equal(
        (await curl(['--ntlm', ...alice, '-d', 'x', '-H', `Origin: ${url}`, '-H', 'Content-Type: a/b', url])).status,
        200,
      );
    },
  },
  {
    name: 'H01: origins that may; anonymous requests and schemes of the application are not concerned',
    options: {
      accounts,
      anonymous: true,
      crossSite: ['https://portal.example'],
      otherSchemes: { Bearer: () => ({ name: 'service', userName: 'service', groups: [], package: 'JWT' }) },
      logger: false,
    },
    run: async (_server, url) => {
      const post = (...fields: readonly string[]): Promise<CurlResult> =>
        curl(['-d', 'x', '-H', 'Content-Type: a/b', ...fields.flatMap((field) => ['-H', field]), url]);
      assert.equal((await post('Sec-Fetch-Site: cross-site')).status, 200);
      assert.equal((await post('Sec-Fetch-Site: cross-site', 'Authorization: Bearer x')).status, 200);
      assert.equal((await post('Sec-Fetch-Site: cross-site', 'Authorization: NTLM AAAA')).status, 403);
      assert.equal((await post('Origin: https://portal.example', 'Authorization: NTLM AAAA')).status, 401);
    },
  },
  {
    name: 'H01: the line in the log says both values and the option',
    options: { accounts },
    run: async (server, url) => {
      const { subscribe, unsubscribe } = await import('node:diagnostics_channel');
      const records: AuditRecord[] = [];
      const note = (record: unknown): void => void records.push(record as AuditRecord);
      subscribe('sspi-auth:refused', note);
      assert.equal((await curl(['-d', 'x', '-H', 'Origin: http://evil.example', url])).status, 403);
      unsubscribe('sspi-auth:refused', note);
      assert.equal(server.handled(), 0);
      assert.deepEqual(
        records.map(({ reason }) => reason),
        ['cross-site'],
      );
      assert.match(records[0]?.diagnosis ?? '', /"http:\/\/evil\.example".*"127\.0\.0\.1:\d+".*crossSite/);
    },
  },
];
