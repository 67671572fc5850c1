/** The plugin of Fastify as a plugin: its options, its start and its end. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fastify from 'fastify';
import { sspiAuth } from '../../adapters/fastify.ts';
import { OptionError } from '../../src/index.ts';
import { liveHandles } from '../../src/sspi/index.ts';
import { accounts } from './scenarios.ts';

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
