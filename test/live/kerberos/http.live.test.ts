import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { sspiAuth } from '../../../adapters/node.ts';
import { memoryAccounts } from '../../../src/index.ts';
import { liveHandles } from '../../../src/sspi/index.ts';
import { adapters } from '../../adapters/servers.ts';
import type { Answer, RunningServer } from '../../adapters/servers.ts';
import { curl } from '../../lab/curl.ts';
import { startKdc } from '../../lab/kdc.ts';
import { listen } from '../../lab/ports.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { runChecked } from '../../lab/process.ts';
import { tier } from '../../lab/tier.ts';
import { startGssClient } from '../../lab/gss-client.ts';
import { fakeTimeWords } from '../../lab/fake-time.ts';
import { heimdal, mit, portable, useRealm } from './acceptor.ts';

const packages = ['python3-gssapi', 'python3-requests-kerberos', 'faketime'];
const gssapis = [
  { ...mit, ready: await tier('kdc', packages) },
  { ...portable, ready: await tier('kdc', packages) },
  { ...heimdal, ready: await tier('heimdal', packages) },
];
/** One adapter does for Heimdal: what it says reaches HTTP the same way. */
const variants = gssapis.flatMap((gssapi) =>
  Object.entries(adapters)
    .filter(([name]) => gssapi.name === 'MIT krb5' || name === 'node:http')
    .map(([name, start]) => ({ ...gssapi, adapter: `${name}, ${gssapi.name}`, start })),
);
const negotiate = ['--negotiate', '-u', ':'];
const accounts = memoryAccounts([{ userName: 'alice', password: 'secret', domain: 'CORP' }]);

for (const { adapter, options, ready, start } of variants) {
  describe(`Kerberos over HTTP, ${adapter}`, ready, () => {
    let kdc: Kdc;
    let server: RunningServer;
    let url: string;
    let alice: Readonly<Record<string, string>>;
    before(async () => {
      kdc = await startKdc();
      useRealm(kdc);
      alice = await kdc.signIn('alice');
      server = await start({ ...options, keytab: kdc.keytab });
      url = `http://localhost:${server.port}/`;
    });
    after(async () => {
      await server[Symbol.asyncDispose]();
      await kdc.stop();
      assert.equal(liveHandles().contexts, 0);
    });
    const answer = (body: string): Answer => JSON.parse(body) as Answer;

    it('curl --negotiate signs in on its first request, with no 401, and the server proves itself', async () => {
      const { responses, body, headers, exitCode } = await curl([...negotiate, url], { env: alice });
      assert.equal(exitCode, 0);
      assert.deepEqual(
        responses.map(({ status }) => status),
        [200],
      );
      const { user, package: ran, scheme } = answer(body);
      assert.equal(user?.name, 'alice@TEST.LOCAL');
      assert.equal(ran, 'Kerberos');
      assert.equal(scheme, 'Negotiate');
      assert.match(headers.get('www-authenticate')?.[0] ?? '', /^Negotiate [A-Za-z0-9+/=]+$/);
      assert.deepEqual(headers.get('persistent-auth'), ['true']);
    });

    it('one sign-in covers its connection, and no other', async () => {
      const plain = await curl([url]);
      assert.equal(plain.status, 401);
      assert.deepEqual(plain.headers.get('www-authenticate'), ['Negotiate']);
      const { body, status } = await curl([...negotiate, url, '--next', '-sS', '-w', '%{http_code}', url], {
        env: alice,
      });
      assert.equal(status, 200);
      assert.match(body, /alice@TEST\.LOCAL.*alice@TEST\.LOCAL.*200$/);
    });

    it('persistence request: the next request of the connection needs a ticket of its own', async () => {
      await using strict = await start({ ...options, keytab: kdc.keytab, persistence: 'request' });
      const target = `http://localhost:${strict.port}/`;
      const next = ['--next', '-sS', '-w', '%{http_code}', '-o', '/dev/null', target];
      const { headers, body } = await curl([...negotiate, target, ...next], { env: alice });
      assert.match(body, /alice@TEST\.LOCAL.*401$/);
      assert.deepEqual(headers.get('persistent-auth'), ['false']);
    });

    it('a client without a ticket gets the bare 401', async () => {
      const { responses } = await curl([...negotiate, url], { env: kdc.env });
      assert.equal(responses.at(-1)?.status, 401);
    });

    it('G01: every refusal looks the same to the client', async () => {
      const client = await startGssClient(alice);
      const token = await client.initiate({ mech: 'spnego' });
      const send = async (bytes: Uint8Array): Promise<string> => {
        const field = `Authorization: Negotiate ${Buffer.from(bytes).toString('base64')}`;
        const { status, headers, body } = await curl(['-H', field, url]);
        return JSON.stringify([status, [...headers].filter(([field]) => field !== 'date'), body]);
      };
      assert.match(await send(token), /^\[200/);
      const replayed = await send(token);
      assert.match(replayed, /^\[401/);
      const altered = await client.initiate({ mech: 'spnego' });
      altered[altered.length - 1]! ^= 1;
      assert.equal(await send(altered), replayed);
      const late = await startGssClient(alice, fakeTimeWords('+20m'));
      assert.equal(await send(await late.initiate({ mech: 'spnego' })), replayed);
      await client[Symbol.asyncDispose]();
      await late[Symbol.asyncDispose]();
    });

    it('raw Kerberos without SPNEGO: requests-kerberos under Negotiate, and the scheme Kerberos', async () => {
      const script = [
        'import requests, sys',
        'from requests_kerberos import HTTPKerberosAuth, REQUIRED',
        'r = requests.get(sys.argv[1], auth=HTTPKerberosAuth(mutual_authentication=REQUIRED, force_preemptive=True))',
        'print(r.status_code, r.json()["name"])',
      ].join('\n');
      const printed = await runChecked('/usr/bin/python3', ['-c', script, url], { env: alice });
      assert.equal(printed.trim(), '200 alice@TEST.LOCAL');

      await using named = await start({ ...options, keytab: kdc.keytab, schemes: ['Kerberos'] });
      const client = await startGssClient(alice);
      const target = `http://localhost:${named.port}/`;
      assert.deepEqual((await curl([target])).headers.get('www-authenticate'), ['Kerberos']);
      const field = `Authorization: Kerberos ${(await client.initiate()).toString('base64')}`;
      const { status, body, headers } = await curl(['-H', field, target]);
      assert.equal(status, 200);
      assert.equal(answer(body).scheme, 'Kerberos');
      const [, reply = ''] = /^Kerberos (.+)$/.exec(headers.get('www-authenticate')?.[0] ?? '') ?? [];
      assert.equal((await client.step(Buffer.from(reply, 'base64'))).complete, true);
      await client[Symbol.asyncDispose]();
    });

    it('G11: with packages Kerberos, NTLM gets in under no scheme', async () => {
      await using strict = await start({
        ...options,
        keytab: kdc.keytab,
        accounts,
        packages: ['Kerberos'],
        domain: 'CORP',
      });
      const target = `http://localhost:${strict.port}/`;
      const offered = (await curl([target])).headers.get('www-authenticate') ?? [];
      assert.equal(offered.includes('NTLM'), false, offered.join());
      const ntlm = 'TlRMTVNTUAABAAAABoIIAAAAAAAAAAAAAAAAAAAAAAA=';
      for (const scheme of ['Negotiate', 'NTLM']) {
        const { status, headers } = await curl(['-H', `Authorization: ${scheme} ${ntlm}`, target]);
        assert.equal(status, 401);
        // No challenge: the handshake did not even begin.
        assert.doesNotMatch(headers.get('www-authenticate')?.join() ?? '', /TlRMTVNT/);
      }
      assert.equal((await curl([...negotiate, target], { env: alice })).status, 200);
    });

    it('with accounts too, NTLM signs in beside Kerberos', async () => {
      await using both = await start({ ...options, keytab: kdc.keytab, accounts, domain: 'CORP' });
      const target = `http://localhost:${both.port}/`;
      assert.equal((await curl([...negotiate, target], { env: alice })).status, 200);
      const byNtlm = await curl(['--ntlm', '-u', 'CORP\\alice:secret', target]);
      assert.equal(answer(byNtlm.body).package, 'NTLM');
    });

    it('no option at all: the keytab of KRB5_KTNAME counts', async () => {
      await using bare = await start(options);
      const { status, body } = await curl([...negotiate, `http://localhost:${bare.port}/`], { env: alice });
      assert.equal(status, 200);
      assert.equal(answer(body).name, 'alice@TEST.LOCAL');
    });
  });
}

for (const { name, options, ready } of gssapis)
  describe(`delegation over HTTP, ${name}`, ready, () => {
    it('a handler calls a second server as the client, and only where delegation is enabled', async () => {
      await using kdc = await startKdc({ services: ['HTTP/localhost'] });
      useRealm(kdc);
      const bob = await kdc.signIn('bob', ['-f']);
      await using second = await adapters['node:http']!({ ...options, keytab: kdc.keytab });
      const inner = `http://localhost:${second.port}/`;

      /** A server whose handler passes the request on with what the client delegated. */
      const start = async (
        delegate: boolean,
      ): Promise<{ url: string; caches: string[]; close: () => Promise<void> }> => {
        const caches: string[] = [];
        const protect = sspiAuth({ ...options, keytab: kdc.keytab, delegate });
        const server = createServer(
          protect((request, response) => {
            const delegated = request.sspi?.delegatedCredentials;
            if (delegated?.kind !== 'ticket') return void response.end('nothing delegated');
            caches.push(delegated.credentialCache);
            const env = { ...kdc.env, KRB5CCNAME: delegated.credentialCache };
            curl([...negotiate, inner], { env }).then(
              ({ body }) => response.end(body),
              () => response.destroy(),
            );
          }),
        );
        protect.attach(server);
        const { port } = await listen(server);
        const close = async (): Promise<void> => {
          server.closeAllConnections();
          server.close();
          await once(server, 'close');
          protect.close();
        };
        return { url: `http://localhost:${port}/`, caches, close };
      };

      const delegating = await start(true);
      const forward = [...negotiate, '--delegation', 'always'];
      const { body, status } = await curl([...forward, delegating.url], { env: bob });
      assert.equal(status, 200);
      const answer = JSON.parse(body) as Answer;
      assert.equal(answer.name, 'bob@TEST.LOCAL');
      assert.equal(answer.package, 'Kerberos');
      assert.equal((await curl([...negotiate, delegating.url], { env: bob })).body, 'nothing delegated');
      await delegating.close();
      // The cache ended with its connection.
      assert.equal(delegating.caches.length, 1);
      for (const cache of delegating.caches) assert.equal(existsSync(cache.replace(/^FILE:/, '')), false, cache);

      const plain = await start(false);
      assert.equal((await curl([...forward, plain.url], { env: bob })).body, 'nothing delegated');
      await plain.close();
      assert.equal(liveHandles().contexts, 0);
    });
  });
