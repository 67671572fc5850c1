/** sspi-auth/testing: what is real stays real, and nobody else gets in by it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { serve } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import supertest from 'supertest';
import { testAuth } from '../../adapters/testing.ts';
import type { TestAuth } from '../../adapters/testing.ts';
import { SecurityContextInfo } from '../../src/index.ts';

const alice = { userName: 'alice', domain: 'CORP', groups: ['CORP\\Admins', 'S-1-5-32-545'] };
const bob = { userName: 'bob', domain: 'CORP' };

/** Serves one request. */
async function ask(
  listener: RequestListener,
  headers: Record<string, string>,
  path = '/',
): Promise<{ status: number; text: string; challenges: string | null }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
    const challenges = response.headers.get('www-authenticate');
    return { status: response.status, text: await response.text(), challenges };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** The same application of each framework: `/` for users, `/admins` for a group. */
const applications: Readonly<Record<string, (test: TestAuth) => RequestListener>> = {
  express: (test) => {
    const auth = test.express();
    const app = express().set('env', 'test').use(auth);
    app.get('/admins', auth.requireGroup('CORP\\Admins'));
    return app.use((request, response) => void response.send(request.user?.name)) as RequestListener;
  },
  node: (test) => {
    const protect = test.node();
    const answer = protect((request, response) => void response.end(request.user?.name));
    const admins = protect(
      protect.requireGroup('CORP\\Admins')((request, response) => void response.end(request.user?.name)),
    );
    return (request, response) => (request.url === '/admins' ? admins : answer)(request, response);
  },
  koa: (test) => {
    const auth = test.koa();
    const app = new Koa();
    app.use(auth);
    const admins = auth.requireGroup('CORP\\Admins');
    app.use((context, next): Promise<unknown> =>
      context.path === '/admins' ? (admins(context, next) as Promise<unknown>) : next(),
    );
    app.use((context) => {
      context.body = (context.state as { user?: { name: string } }).user?.name;
    });
    const handle = app.callback();
    return (request, response) => {
      handle(request, response).catch(() => response.destroy());
    };
  },
};

describe('sspi-auth/testing', () => {
  const environment = process.env['NODE_ENV'];
  before(() => (process.env['NODE_ENV'] = 'test'));
  after(() => {
    if (environment === undefined) delete process.env['NODE_ENV'];
    else process.env['NODE_ENV'] = environment;
  });

  for (const [framework, start] of Object.entries(applications)) {
    it(`${framework}: users by name; 401 and 403 are real`, async () => {
      const test = testAuth();
      const app = start(test);
      const stranger = await ask(app, {});
      assert.equal(stranger.status, 401);
      assert.match(stranger.challenges ?? '', /Negotiate, NTLM/);
      assert.deepEqual(await ask(app, test.as(alice)), { status: 200, text: 'CORP\\alice', challenges: null });
      assert.equal((await ask(app, test.as(alice), '/admins')).status, 200);
      assert.equal((await ask(app, test.as(bob), '/admins')).status, 403);
      assert.equal((await ask(app, {}, '/admins')).status, 401);
    });
  }

  it('hono: users by name; 401 is real', async () => {
    const test = testAuth();
    const app = new Hono().use(test.hono()).get('/', (c) => c.text(c.var.user?.name ?? ''));
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
    if (!server.listening) await once(server, 'listening');
    try {
      const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      assert.equal(await (await fetch(address, { headers: test.as(alice) })).text(), 'CORP\\alice');
      assert.equal((await fetch(address)).status, 401);
    } finally {
      server.close();
    }
  });

  it('supertest, with the options of the application', async () => {
    const test = testAuth();
    const app = express().set('env', 'test');
    app.use(
      test.express({
        // Of the machine that it will run on.
        keytab: '/etc/http.keytab',
        schemes: ['Kerberos'],
        schemesFor: () => ['Kerberos'],
        nameFormat: 'user',
        authorize: ({ userName }) => userName !== 'mallory',
        enrich: (user) => Promise.resolve({ ...user, roles: ['editor'] }),
      }),
    );
    app.get('/', (request, response) => void response.json(request.user));
    const answer = await supertest(app).get('/').set(test.as(alice)).expect(200);
    const { name, roles, groups } = answer.body as { name: string; roles: string[]; groups: object[] };
    assert.deepEqual([name, roles], ['alice', ['editor']]);
    assert.deepEqual(groups[1], { attributes: 7, denyOnly: false, sid: 'S-1-5-32-545' });
    await supertest(app)
      .get('/')
      .set(test.as({ userName: 'mallory' }))
      .expect(403);
    await supertest(app).get('/').expect(401);
  });

  it('Fastify inject', async () => {
    const test = testAuth();
    const app = fastify();
    await app.register(test.fastify, { authorize: ({ userName }) => userName === 'alice' });
    app.get('/', ({ user }) => user?.name);
    assert.equal((await app.inject({ url: '/', headers: test.as(alice) })).payload, 'CORP\\alice');
    assert.equal((await app.inject({ url: '/', headers: test.as(bob) })).statusCode, 403);
    assert.equal((await app.inject('/')).statusCode, 401);
    await app.close();
  });

  it('request.sspi is what a sign-in gives, as far as it can be said, in every adapter', async () => {
    const test = testAuth();
    const page = express().set('env', 'test').use(test.express());
    page.use(({ sspi }, response) => void response.json({ ...(sspi as object), expires: sspi?.expiry !== undefined }));
    const kerberos = { scheme: 'Negotiate', package: 'Kerberos', provider: 'portable', attributes: 0 };
    const rest = { channelBound: false, expires: false };
    const told = async (listener: RequestListener, user: Parameters<TestAuth['as']>[0]): Promise<unknown> =>
      JSON.parse((await ask(listener, test.as(user))).text);
    assert.deepEqual(await told(page, alice), { ...kerberos, ...rest });
    const ntlm = { ...kerberos, scheme: 'NTLM', package: 'NTLM', ...rest };
    assert.deepEqual(await told(page, { ...alice, package: 'NTLM' }), ntlm);

    const seen: (SecurityContextInfo | null | undefined)[] = [];
    const protect = test.node({ enrich: (user) => Promise.resolve({ ...user }) });
    await ask(
      protect(({ sspi }, response) => void response.end(String(seen.push(sspi)))),
      test.as(alice),
    );
    const koa = new Koa().use(test.koa()).use((context) => {
      context.body = String(seen.push((context.state as { sspi?: SecurityContextInfo }).sspi));
    });
    const handle = koa.callback();
    await ask((request, response) => {
      handle(request, response).catch(() => response.destroy());
    }, test.as(alice));
    const app = fastify();
    await app.register(test.fastify, {});
    app.get('/', ({ sspi }) => String(seen.push(sspi)));
    await app.inject({ url: '/', headers: test.as(alice) });
    await app.close();
    assert.equal(seen.length, 3);
    for (const sspi of seen) {
      assert.ok(sspi instanceof SecurityContextInfo);
      assert.deepEqual([sspi.package, sspi.expiry, sspi.delegatedCredentials], ['Kerberos', undefined, undefined]);
      assert.throws(() => sspi.impersonate(() => 1), { code: 'ERR_SSPI_AUTH_IMPERSONATION' });
    }
  });

  it('H12: starts in tests alone, or where it is told to', () => {
    for (const mode of ['production', 'development', '', undefined]) {
      if (mode === undefined) delete process.env['NODE_ENV'];
      else process.env['NODE_ENV'] = mode;
      assert.throws(() => testAuth(), /starts in tests alone.*allowOutsideTests/s, String(mode));
      assert.ok(testAuth({ allowOutsideTests: true }));
    }
    process.env['NODE_ENV'] = 'test';
    assert.ok(testAuth());
    assert.throws(() => testAuth({ secret: 'short' }), /secret/);
  });

  it('H12: a field of another key, altered, or with no signature gets no further than none', async () => {
    const test = testAuth();
    const app = fastify();
    await app.register(test.fastify, {});
    app.get('/', ({ user }) => user?.name);
    const right = test.as(alice).authorization;
    const [, text = '', signature = ''] = /^\S+ (.+)\.(.+)$/.exec(right) ?? [];
    const mallory = Buffer.from(JSON.stringify({ userName: 'mallory' })).toString('base64url');
    const forged = [
      testAuth().as(alice).authorization,
      testAuth({ secret: 'a secret of sixteen' }).as(alice).authorization,
      `SspiAuthTest ${mallory}.${signature}`,
      `SspiAuthTest ${text}.${'A'.repeat(43)}`,
      `SspiAuthTest ${text}.`,
      `SspiAuthTest ${text}`,
      'SspiAuthTest alice',
      `Bearer ${text}.${signature}`,
    ];
    for (const authorization of forged) {
      assert.equal((await app.inject({ url: '/', headers: { authorization } })).statusCode, 401, authorization);
    }
    assert.equal((await app.inject({ url: '/', headers: { authorization: right } })).statusCode, 200);
    await app.close();
  });

  it('H12: another machine is answered 500, whatever it sends', async () => {
    const test = testAuth({ secret: 'a secret of sixteen' });
    const app = fastify();
    await app.register(test.fastify, { anonymous: true, skip: () => true });
    app.get('/', () => 'inside');
    for (const remoteAddress of ['192.0.2.7', '::ffff:192.0.2.7', '2001:db8::1', '127.0.0.1.example']) {
      const answer = await app.inject({ url: '/', headers: test.as(alice), remoteAddress });
      assert.equal(answer.statusCode, 500, remoteAddress);
      assert.doesNotMatch(answer.payload, /inside/);
    }
    assert.equal((await app.inject({ url: '/', remoteAddress: '::1' })).payload, 'inside');
    await app.close();
  });

  it('H12: two processes with one secret understand each other', () => {
    const secret = 'a secret of sixteen';
    assert.deepEqual(testAuth({ secret }).as(alice), testAuth({ secret }).as(alice));
  });
});
