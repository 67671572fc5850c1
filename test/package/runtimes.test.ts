/** Bun and Deno: the packed tarball signs in there, and keeps out who is kept out by Node. docs/runtimes.md. */
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { begin, forgedTokens, ntlmField, signIn } from '../adapters/raw-clients.ts';
import { selfSigned } from '../lab/certificates.ts';
import { curl } from '../lab/curl.ts';
import { root } from '../lab/documents.ts';
import type { RunningProcess } from '../lab/process.ts';
import { RawConnection } from '../lab/raw-connection.ts';
import { tier } from '../lab/tier.ts';
import { packedProject } from './packed-project.ts';
import type { PackedProject } from './packed-project.ts';

const ready = await tier('curl');

const accounts = `memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }, { userName: 'bob', password: 'Builder-8' }])`;

const core = `
import { createServer } from 'node:http';
import { memoryAccounts } from 'sspi-auth';
import { sspiAuth } from 'sspi-auth/node';
const protect = sspiAuth({
  accounts: ${accounts}, domain: 'LAB', logger: false,
  authorize: (user, request) => user.userName !== 'alice' || request.url !== '/forbidden',
  otherSchemes: { Bearer: (request) => request.headers.authorization === 'Bearer right' ? { userName: 'robot', name: 'robot', groups: [], package: 'Bearer' } : undefined },
});
createServer(protect(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  response.end((request.user?.name ?? 'without a user') + ' ' + body);
})).listen(0, '127.0.0.1', function () { console.log('port: ' + this.address().port); });
`;

const frameworks = `
import { createServer } from 'node:http';
import { serve } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { memoryAccounts } from 'sspi-auth';
import { sspiAuth as forExpress } from 'sspi-auth/express';
import forFastify from 'sspi-auth/fastify';
import { sspiAuth as forHono } from 'sspi-auth/hono';
import { sspiAuth as forKoa } from 'sspi-auth/koa';
const options = { accounts: ${accounts}, domain: 'LAB', logger: false };
const tell = (name, server) => console.log(name + ' port: ' + server.address().port);
const onExpress = createServer(express().use(forExpress(options)).use((q, s) => s.send(q.user.name)));
onExpress.listen(0, '127.0.0.1', () => tell('express', onExpress));
const onFastify = fastify();
await onFastify.register(forFastify, options);
onFastify.get('/', (request) => request.user.name);
await onFastify.listen({ port: 0, host: '127.0.0.1' });
tell('fastify', onFastify.server);
const koa = new Koa().use(forKoa(options)).use((context) => { context.body = context.state.user.name; });
const onKoa = createServer(koa.callback()).listen(0, '127.0.0.1', () => tell('koa', onKoa));
const hono = new Hono().use(forHono(options)).get('/', (c) => c.text(c.var.user.name));
const onHono = serve({ fetch: hono.fetch, port: 0, hostname: '127.0.0.1' }, () => tell('hono', onHono));
`;

const overTls = (mode: string): string => `
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { memoryAccounts } from 'sspi-auth';
import { sspiAuth } from 'sspi-auth/node';
const warn = (record, message) => console.log('told: ' + message);
const protect = sspiAuth({ accounts: ${accounts}, domain: 'LAB', channelBinding: '${mode}', logger: { info() {}, warn, error() {} } });
createServer({ key: readFileSync('key.pem'), cert: readFileSync('cert.pem') }, protect((q, s) => s.end(q.user.name)))
  .listen(0, '127.0.0.1', function () { console.log('port: ' + this.address().port); });
`;

const withoutKoffi = `
import { sspiAuth } from 'sspi-auth/node';
try { sspiAuth({ provider: 'gssapi', keytab: '/etc/none.keytab' }); } catch (error) { console.log(error.code + ' ' + error.message); }
`;

const runtimes: Readonly<Record<string, readonly string[]>> = { bun: ['bun'], deno: ['deno', 'run', '-A'] };

describe('other runtimes, with the packed tarball', ready, () => {
  let project: PackedProject;
  before(async () => {
    project = await packedProject();
    await project.link('express', 'fastify', 'hono', '@hono', 'koa');
    const { key, cert } = await selfSigned();
    await project.write('core.mjs', core);
    await project.write('frameworks.mjs', frameworks);
    await project.write('koffi.mjs', withoutKoffi);
    await writeFile(join(project.path, 'key.pem'), key);
    await writeFile(join(project.path, 'cert.pem'), cert);
    for (const mode of ['whenSupported', 'always']) await project.write(`${mode}.mjs`, overTls(mode));
  });
  after(() => project[Symbol.asyncDispose]());

  for (const [runtime, [program = '', ...words]] of Object.entries(runtimes)) {
    const binary = join(root, 'node_modules/.bin', program);
    const start = (file: string): Promise<RunningProcess> => project.start(binary, [...words, file]);

    it(`${runtime}: curl signs in by NTLM and Digest; others do not`, async () => {
      await using app = await start('core.mjs');
      const [, port = ''] = await app.waitForLine(/port: (\d+)/);
      const url = `http://127.0.0.1:${port}/`;
      for (const scheme of ['--ntlm', '--digest']) {
        const right = await curl([scheme, '-u', 'alice:Wonderland-7', '-d', 'a body', url]);
        assert.equal(right.body, 'LAB\\alice a body', scheme);
        assert.equal((await curl([scheme, '-u', 'alice:wrong', url])).status, 401, scheme);
        assert.equal((await curl([scheme, '-u', 'nobody:wrong', url])).status, 401, scheme);
        assert.equal((await curl([scheme, '-u', 'alice:Wonderland-7', `${url}forbidden`])).status, 403, scheme);
      }
      const stranger = await curl([url]);
      assert.equal(stranger.status, 401);
      assert.deepEqual(
        stranger.headers.get('www-authenticate')?.map((value) => value.split(' ')[0]),
        ['NTLM', 'Digest', 'Digest'],
      );
      const reused = await curl(['--ntlm', '-u', 'alice:Wonderland-7', url, url, url]);
      assert.deepEqual(
        reused.responses.map(({ status }) => status),
        [401, 200, 200, 200],
      );
      assert.equal((await curl(['-H', 'Authorization: Bearer right', url])).body, 'robot ');
      assert.equal((await curl(['-H', 'Authorization: Bearer wrong', url])).status, 401);
      assert.equal((await curl(['-H', 'Authorization: Basic YTpi', url])).status, 401);
    });

    it(`${runtime}: a sign-in belongs to its connection`, async () => {
      await using app = await start('core.mjs');
      const port = Number((await app.waitForLine(/port: (\d+)/))[1]);
      using alice = forgedTokens({});
      using bob = forgedTokens({ userName: 'bob', password: 'Builder-8' });
      await using first = await RawConnection.open(port);
      await using second = await RawConnection.open(port);
      await using third = await RawConnection.open(port);
      assert.match((await signIn(first, alice)).body, /alice/);
      assert.equal((await second.exchange({})).status, 401);
      assert.match((await signIn(second, bob)).body, /bob/);
      assert.match((await first.exchange({})).body, /alice/);
      assert.match((await second.exchange({})).body, /bob/);
      // Bearer on a connection that is signed in: its own user, and none of the connection's.
      const bearer = { fields: ['Authorization: Bearer right'] };
      assert.match((await first.exchange(bearer)).body, /robot/);
      assert.match((await first.exchange({})).body, /alice/);
      // The last leg of a handshake on another connection than its first; a wrong leg ends a sign-in.
      const challenge = await begin(third, alice);
      await using fourth = await RawConnection.open(port);
      assert.equal((await fourth.exchange({ fields: [ntlmField(alice.last(challenge))] })).status, 401);
      assert.equal((await second.exchange({ fields: ['Authorization: NTLM broken'] })).status, 401);
      assert.equal((await second.exchange({})).status, 401);
      // A client that goes away amid its handshake leaves nothing behind.
      await third[Symbol.asyncDispose]();
      await using fifth = await RawConnection.open(port);
      assert.equal((await fifth.exchange({})).status, 401);
      assert.match((await signIn(fifth, bob)).body, /bob/);
    });

    it(`${runtime}: Express, Fastify, Koa and Hono`, async () => {
      await using app = await start('frameworks.mjs');
      for (const framework of ['express', 'fastify', 'koa', 'hono']) {
        const [, port = ''] = await app.waitForLine(new RegExp(`${framework} port: (\\d+)`));
        const url = `http://127.0.0.1:${port}/`;
        assert.equal((await curl([url])).status, 401, framework);
        assert.equal((await curl(['--ntlm', '-u', 'alice:wrong', url])).status, 401, framework);
        assert.equal((await curl(['--ntlm', '-u', 'alice:Wonderland-7', url])).body, 'LAB\\alice', framework);
      }
    });

    it(`${runtime}: over TLS; what the runtime cannot compare is told`, async () => {
      await using app = await start('whenSupported.mjs');
      const [, port = ''] = await app.waitForLine(/port: (\d+)/);
      const answer = await curl(['-k', '--ntlm', '-u', 'alice:Wonderland-7', `https://127.0.0.1:${port}/`]);
      assert.equal(answer.body, 'LAB\\alice');
      const told = /told: .*does not tell which certificate/.test(app.output.stdout);
      assert.equal(told, runtime === 'bun', app.output.stdout);
      await using strict = await start('always.mjs');
      const [, strictPort = ''] = await strict.waitForLine(/port: (\d+)/);
      const refused = await curl(['-k', '--ntlm', '-u', 'alice:Wonderland-7', `https://127.0.0.1:${strictPort}/`]);
      assert.equal(refused.status, 401, 'curl sends no bindings');
    });
  }

  it('without koffi, what needs it says so and nothing crashes', async () => {
    await rm(join(project.path, 'node_modules/koffi'), { recursive: true });
    for (const [program = '', ...words] of [...Object.values(runtimes), [process.execPath]]) {
      const binary = program === process.execPath ? program : join(root, 'node_modules/.bin', program);
      const { stdout, code } = await project.run(binary, [...words, 'koffi.mjs']);
      assert.equal(code, 0, program);
      assert.match(stdout, /^ERR_SSPI_AUTH_NATIVE_LIBRARY .*koffi/, program);
      await using app = await project.start(binary, [...words, 'core.mjs']);
      const [, port = ''] = await app.waitForLine(/port: (\d+)/);
      const url = `http://127.0.0.1:${port}/`;
      assert.equal((await curl(['--ntlm', '-u', 'alice:Wonderland-7', url])).status, 200, program);
    }
  });
});
