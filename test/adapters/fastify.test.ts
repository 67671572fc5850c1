/** The plugin of Fastify as a plugin: its options, its start and its end. */
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import fastify from 'fastify';
import { sspiAuth } from '../../adapters/fastify.ts';
import { OptionError } from '../../src/index.ts';
import { liveHandles } from '../../src/sspi/index.ts';
import { RawConnection } from '../lab/raw-connection.ts';
import { accounts, forgedTokens, signIn } from './raw-clients.ts';

describe('the plugin of Fastify', () => {
  it('guards the context it is registered in, and leaves to Fastify the options that are Fastify’s', async () => {
    const app = fastify();
    await app.register(sspiAuth, { accounts, prefix: '/of-fastify', logLevel: 'warn', logSerializers: {} });
    let handled = 0;
    app.get('/', () => ++handled);
    assert.equal((await app.inject('/')).statusCode, 401);
    assert.equal(handled, 0);
    await app.close();
  });

  it('fails to start where its options cannot be used: nobody is served', async () => {
    const app = fastify();
    app.get('/', () => 'nobody may see this');
    await assert.rejects(async () => {
      await app.register(sspiAuth, { accounts, schemes: [] });
      await app.ready();
    }, OptionError);
    await app.close();
  });

  it('has what a route says in place of options: left alone, authorize, anonymous', async () => {
    const app = fastify();
    // A route that is there before the plugin is asked as well.
    app.get('/early', { config: { sspi: { authorize: () => false } } }, () => 'handled');
    await app.register(sspiAuth, { accounts, domain: 'LAB', schemes: ['NTLM'], authorize: () => true });
    app.get('/open', { config: { sspi: false } }, ({ user }) => ({ user }));
    app.get('/anonymous', { config: { sspi: { anonymous: true } } }, ({ user }) => ({ user }));
    app.get('/admin', { config: { sspi: { authorize: ({ userName }) => userName === 'bob' } } }, () => 'handled');
    app.get('/page', ({ user }) => ({ user: user?.userName }));
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    await using connection = await RawConnection.open(port);
    for (const [target, status] of [
      ['/open', 200],
      ['/anonymous', 200],
      ['/admin', 401],
      ['/page', 401],
      ['/early', 401],
    ] as const) {
      assert.equal((await connection.exchange({ target })).status, status, target);
    }
    assert.equal((await signIn(connection, forgedTokens({}), { target: '/page' })).status, 200);
    for (const [target, status] of [
      ['/admin', 403],
      ['/page', 200],
      ['/early', 403],
      ['/missing', 404],
    ] as const) {
      assert.equal((await connection.exchange({ target })).status, status, target);
    }
    assert.equal((await connection.exchange({ target: '/open' })).body, '{"user":null}');
    await app.close();
  });

  it('tells of a route whose config cannot be used', async () => {
    for (const sspi of [true, 'no', { authorize: true }, { anonymous: 'yes' }]) {
      const app = fastify();
      await app.register(sspiAuth, { accounts });
      assert.throws(
        () => app.get('/', { config: { sspi: sspi as false } }, () => ''),
        /"config.sspi" of route \/ cannot/,
      );
      await app.close();
    }
  });

  it('logs the id of a request, its method and its path', async () => {
    const lines: Record<string, unknown>[] = [];
    const app = fastify({
      genReqId: () => 'the-id',
      logger: {
        level: 'warn',
        stream: { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[0]) },
      },
    });
    await app.register(sspiAuth, { accounts });
    app.get('/page', () => '');
    await app.inject({ url: '/page?secret=1', headers: { authorization: 'NTLM AAAA' } });
    const { requestId, method, path, reason } = lines[0] ?? {};
    assert.deepEqual([requestId, method, path, reason], ['the-id', 'GET', '/page', 'SEC_E_INVALID_TOKEN']);
    await app.close();
  });

  it('frees its credentials when the application is closed', async () => {
    const before = liveHandles();
    const app = fastify();
    await app.register(sspiAuth, { accounts });
    await app.ready();
    assert.ok(liveHandles().credentials > before.credentials);
    assert.deepEqual(app.sspiAuth.authenticator.schemes, ['NTLM', 'Digest']);
    await app.close();
    assert.deepEqual(liveHandles(), before);
  });

  it('A23: adds to the Vary of hooks before and after it, and of the raw response', async () => {
    const app = fastify();
    app.addHook('onRequest', async (_request, reply) => {
      reply.raw.setHeader('Vary', 'Accept');
      await Promise.resolve();
    });
    app.addHook('onRequest', async ({ url }, reply) => {
      if (url === '/hook') void reply.header('Vary', 'Origin');
      await Promise.resolve();
    });
    await app.register(sspiAuth, { accounts, anonymous: true });
    app.get('/*', (_request, reply) => {
      void reply.header('Vary', `${String(reply.getHeader('vary'))}, Cookie`);
      return 'handled';
    });
    assert.equal((await app.inject('/hook')).headers['vary'], 'Origin, Authorization, Cookie');
    assert.equal((await app.inject('/raw')).headers['vary'], 'Accept, Authorization, Cookie');
    await app.close();
  });

  it('signs nobody in who was let through: user and sspi are null in every hook', async () => {
    const app = fastify();
    const seen: unknown[] = [];
    app.addHook('onSend', async ({ user, sspi }) => Promise.resolve(void seen.push(user, sspi)));
    await app.register(sspiAuth, { accounts, skip: ({ url }) => url === '/open' });
    app.get('/*', () => 'handled');
    assert.equal((await app.inject('/open')).body, 'handled');
    assert.equal((await app.inject('/other')).statusCode, 401);
    assert.deepEqual(seen, [null, null, null, null]);
    await app.close();
  });
});
