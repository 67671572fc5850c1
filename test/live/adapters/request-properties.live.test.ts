/** `request.user` and `request.sspi` as an application meets them: read, assigned to, deleted, inherited. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import express5 from 'express';
// @ts-expect-error -- an alias of express 4, which has no types of its own
import untypedExpress4 from 'express4';
import { fastify } from 'fastify';
import type { FastifyInstance } from 'fastify';
import { sspiAuth } from '../../../adapters/express.ts';
import fastifySspiAuth from '../../../adapters/fastify.ts';
import { curl } from '../../lab/curl.ts';
import { tier } from '../../lab/tier.ts';
import { accounts } from '../../adapters/scenarios.ts';

const ready = await tier('curl');
const alice = ['--ntlm', '-u', 'alice:Wonderland-7'];
const options = { accounts, domain: 'LAB' };
const someone = { name: 'someone', package: 'none' };

function define(request: object, ...names: readonly string[]): void {
  for (const name of names) {
    Object.defineProperty(request, name, { value: someone, configurable: true, enumerable: true, writable: true });
  }
}

/** The body that the application answers alice with. */
async function ask(listener: RequestListener, path = '/', credentials: readonly string[] = alice): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
    return (await curl([...credentials, url])).body;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

for (const [name, express] of Object.entries({
  'Express 5': express5,
  'Express 4': untypedExpress4 as typeof express5,
})) {
  describe(`${name}: properties of the request`, ready, () => {
    it('are there for every handler', async () => {
      const app = express().use(sspiAuth(options));
      app.get('/', ({ user, sspi }, response) => void response.send(`${user?.name} ${sspi?.package}`));
      assert.equal(await ask(app), 'LAB\\alice NTLM');
    });

    it('are there in an application that is mounted, and after one that signed in', async () => {
      const signing = express().use(sspiAuth(options));
      signing.get('/inside', ({ user }, response) => void response.send(`inside ${user?.name}`));
      const app = express().use('/mounted', signing);
      app.get('/mounted/outside', ({ user }, response) => void response.send(`outside ${user?.name}`));
      assert.equal(await ask(app, '/mounted/inside'), 'inside LAB\\alice');
      assert.equal(await ask(app, '/mounted/outside'), 'outside LAB\\alice');
    });

    it('may be assigned to, and stay with their request', async () => {
      const app = express().use(sspiAuth(options));
      app.get('/replaced', (request, _response, next) => {
        Object.assign(request, { user: someone });
        next();
      });
      app.get('/:rest', ({ user }, response) => void response.send(user?.name));
      assert.equal(await ask(app, '/replaced'), 'someone');
      assert.equal(await ask(app, '/other'), 'LAB\\alice');
    });

    for (const [what, set] of [
      ['by assignment', (request: object) => void Object.assign(request, { user: someone, sspi: someone })],
      ['as properties of the request itself', (request: object) => define(request, 'user', 'sspi')],
      ['as one property of the request itself, user', (request: object) => define(request, 'user')],
      ['as one property of the request itself, sspi', (request: object) => define(request, 'sspi')],
    ] as const) {
      it(`that somebody set before, ${what}, are replaced`, async () => {
        const app = express();
        app.use((request, _response, next) => {
          set(request);
          next();
        });
        app.use(sspiAuth(options));
        app.get('/', ({ user, sspi }, response) => void response.send(`${user?.name} ${sspi?.package}`));
        assert.equal(await ask(app), 'LAB\\alice NTLM');
      });
    }

    it('are inherited by an object made from the request', async () => {
      const app = express().use(sspiAuth(options));
      app.get('/', (request, response) => {
        const derived = Object.create(request) as typeof request;
        response.send(`${derived.user?.name} ${derived.sspi?.package}`);
      });
      assert.equal(await ask(app), 'LAB\\alice NTLM');
    });

    it('are undefined for who was not asked', async () => {
      const app = express().use(sspiAuth({ ...options, anonymous: true }));
      app.get('/', ({ user, sspi }, response) => void response.send(`${user?.name} ${sspi?.package}`));
      assert.equal(await ask(app, '/', []), 'undefined undefined');
    });

    it('are what requireUser goes by: a route behind `anonymous` or `skip` that lets nobody in without them', async () => {
      const auth = sspiAuth({ ...options, anonymous: true, skip: ({ url }) => url === '/skipped' });
      const app = express().use(auth);
      let handled = 0;
      app.get('/open', ({ user }, response) => void response.send(user?.name ?? 'nobody'));
      app.get(['/private', '/skipped'], auth.requireUser, ({ user }, response) => {
        handled++;
        response.send(user?.name);
      });
      assert.equal(await ask(app, '/open', []), 'nobody');
      assert.equal(await ask(app, '/private', []), '401 Unauthorized\n');
      assert.equal(await ask(app, '/skipped', alice), '401 Unauthorized\n');
      assert.equal(handled, 0);
      assert.equal(await ask(app, '/private'), 'LAB\\alice');
      assert.equal(handled, 1);
    });

    it('are not those of another application of the process that signs nobody in', async () => {
      const protectedApp = express().use(sspiAuth(options));
      protectedApp.get('/', ({ user }, response) => void response.send(user?.name));
      const open = express().get(
        '/',
        ({ user, sspi }, response) => void response.send(`${user?.name} ${sspi?.package}`),
      );
      assert.equal(await ask(protectedApp), 'LAB\\alice');
      assert.equal(await ask(open), 'undefined undefined');
    });

    it('are plain properties, which may be deleted', async () => {
      const app = express().use(sspiAuth(options));
      app.get('/', (request, response) => {
        const own = Object.keys(request).filter((key) => key === 'user' || key === 'sspi');
        delete request.user;
        response.send(`${own.join()} ${String(request.user)}`);
      });
      assert.equal(await ask(app), 'user,sspi undefined');
    });

    it('and those that Express and Node set are there as without sspi-auth', async () => {
      const seen: unknown[] = [];
      for (const middleware of [[], [sspiAuth({ ...options, anonymous: true })]]) {
        const app = express();
        for (const handler of middleware) app.use(handler);
        app.get('/', (request, response) => {
          const described = [request, response].map((object) =>
            Object.keys(object)
              .sort()
              .map((key) => ({ key, ...Object.getOwnPropertyDescriptor(object, key) }))
              .map(({ value, ...flags }) => [typeof value, flags]),
          );
          seen.push(described);
          response.send(String(request.res === response && response.req === request));
        });
        assert.equal(await ask(app, '/', []), 'true');
      }
      assert.deepEqual(seen[1], seen[0]);
    });

    it('are set on a request that Express has not seen', async () => {
      const handler = sspiAuth(options);
      const listener: RequestListener = (request, response) => {
        const given = request as Parameters<typeof handler>[0];
        void handler(given, response as Parameters<typeof handler>[1], () => {
          response.end(`${given.user?.name} ${Object.keys(given).includes('user')} ${'res' in given}`);
        });
      };
      assert.equal(await ask(listener), 'LAB\\alice true false');
    });
  });
}

describe('Fastify 5: properties of the request', ready, () => {
  /** What Fastify answers alice with. */
  async function askFastify(app: FastifyInstance, path = '/', credentials = alice): Promise<string> {
    const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}${path}`;
    try {
      return (await curl([...credentials, url])).body;
    } finally {
      await app.close();
    }
  }

  it('are null for who was not asked', async () => {
    const app = fastify();
    await app.register(fastifySspiAuth, { ...options, anonymous: true });
    app.get('/', ({ user, sspi }) => String(user === null && sspi === null));
    assert.equal(await askFastify(app, '/', []), 'true');
  });

  it('may be assigned to', async () => {
    const app = fastify();
    await app.register(fastifySspiAuth, options);
    app.addHook('preHandler', (request, _reply, done) => {
      Object.assign(request, { user: { ...request.user, name: 'someone' } });
      done();
    });
    app.get('/', ({ user, sspi }) => `${user?.name} ${sspi?.package}`);
    assert.equal(await askFastify(app), 'someone NTLM');
  });

  it('that the application decorated for itself are assigned to', async () => {
    const app = fastify().decorateRequest('user', null);
    await app.register((child, _options, done) => {
      void child.register(fastifySspiAuth, options);
      child.get('/child', ({ user, sspi }) => `${user?.name} ${sspi?.package}`);
      done();
    });
    assert.equal(await askFastify(app, '/child'), 'LAB\\alice NTLM');
  });

  it('that the application made read-only are an error for the client, whenever the result comes', async () => {
    for (const authorize of [() => true, () => Promise.resolve(true)]) {
      const app = fastify().decorateRequest<unknown>('user', { getter: () => 'mine' });
      await app.register(fastifySspiAuth, { ...options, authorize });
      app.get('/', () => 'nobody may see this');
      assert.match(await askFastify(app), /^\{"statusCode":500,.*only a getter/);
    }
  });

  it('that the application decorated for itself keep its value for who was not asked', async () => {
    const app = fastify().decorateRequest<unknown>('user', 'a guest');
    await app.register(fastifySspiAuth, { ...options, anonymous: true });
    app.get('/', ({ user, sspi }) => JSON.stringify([user, sspi]));
    assert.equal(await askFastify(app, '/', []), '["a guest",null]');
  });

  it('that an earlier hook has assigned stay as they are for who was not asked', async () => {
    const app = fastify().decorateRequest<unknown>('user', null);
    app.addHook('onRequest', (request, _reply, done) => {
      Object.assign(request, { user: 'mine', sspi: 'other' });
      done();
    });
    await app.register(fastifySspiAuth, { ...options, anonymous: true });
    app.get('/', ({ user, sspi }) => JSON.stringify([user, sspi]));
    assert.equal(await askFastify(app, '/', []), '["mine","other"]');
  });

  it('and the fields of a sign-in reach the client of a handler that writes past Fastify', async () => {
    const app = fastify();
    await app.register(fastifySspiAuth, options);
    app.get('/', ({ user }, reply) => {
      reply.hijack();
      reply.raw.end(`${user?.name} ${String(reply.raw.getHeader('Persistent-Auth'))}`);
    });
    assert.equal(await askFastify(app), 'LAB\\alice true');
  });

  it('are decorated once, where a context and a child of it both sign in', async () => {
    const app = fastify();
    await app.register(fastifySspiAuth, { ...options, anonymous: true });
    app.get('/', ({ user }) => String(user === null));
    await app.register(async (child) => {
      await child.register(fastifySspiAuth, options);
      child.get('/child', () => 'nobody may see this');
    });
    assert.equal((await app.inject('/')).body, 'true');
    assert.equal((await app.inject('/child')).statusCode, 401);
    await app.close();
  });

  it('of a sibling context that signs nobody in are not there', async () => {
    const app = fastify();
    await app.register(async (child) => {
      await child.register(fastifySspiAuth, options);
      child.get('/in', ({ user }) => user?.name ?? 'nobody');
    });
    app.get('/out', (request) => String((request as { user?: unknown }).user));
    assert.equal(await askFastify(app, '/out'), 'undefined');
  });
});
