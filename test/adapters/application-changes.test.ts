/**
 * Adapters in applications that change a request before it is verified, verify it twice, or are not made of what the
 * adapter is named after.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import connect from 'connect';
import express5 from 'express';
// @ts-expect-error -- an alias of express 4, which has no types of its own
import untypedExpress4 from 'express4';
import fastify from 'fastify';
import methodOverride from 'method-override';
import { sspiAuth } from '../../adapters/express.ts';
import fastifySspiAuth from '../../adapters/fastify.ts';
import { sspiAuth as nodeSspiAuth } from '../../adapters/node.ts';
import { RawConnection } from '../lab/raw-connection.ts';
import { answerChallenge } from '../packages/digest/digest-client.ts';
import { accounts, begin, digestField, domain, forgedTokens, ntlmField, users } from './raw-clients.ts';

const options = { accounts, domain, schemes: ['Digest'] as const };

interface Listening extends AsyncDisposable {
  readonly port: number;
}

async function listen(server: Server | RequestListener): Promise<Listening> {
  const listening = typeof server === 'function' ? createServer(server) : server;
  if (!listening.listening) {
    listening.listen(0, '127.0.0.1');
    await once(listening, 'listening');
  }
  return {
    port: (listening.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      listening.closeAllConnections();
      listening.close();
      await once(listening, 'close');
    },
  };
}

/** What the application answers: the user, and the request as it has it. */
function answer(request: { method?: string | undefined; url?: string | undefined; user?: unknown }): string {
  const { name } = (request.user ?? {}) as { readonly name?: string };
  return `${name} ${request.method} ${request.url}`;
}

/** Statuses of a Digest sign-in whose response is over `method` and `uri`, and the body of the last answer. */
async function signIn(
  { port }: Listening,
  request: { readonly method: string; readonly target: string },
  { method, uri }: { readonly method: string; readonly uri: string },
): Promise<{ readonly statuses: readonly number[]; readonly body: string }> {
  await using connection = await RawConnection.open(port);
  const fields = ['Content-Type: application/x-www-form-urlencoded'];
  const sent = request.method === 'POST' ? { ...request, body: '_method=DELETE', fields } : { ...request, fields };
  const asked = await connection.exchange(sent);
  const response = await connection.exchange({ ...sent, fields: [...fields, digestField(asked, { method, uri })] });
  return { statuses: [asked.status, response.status], body: response.body };
}

/** Applications that change POST into DELETE before the request is verified, each in another way. */
const overriding: Readonly<Record<string, () => Promise<Listening>>> = {
  'Express 5 with method-override': () => expressWith(express5, methodOverride('_method')),
  'Express 4 with method-override': () => expressWith(untypedExpress4 as typeof express5, methodOverride('_method')),
  'Express with a form field and method-override': () =>
    expressWith(
      express5,
      express5.urlencoded({ extended: false }),
      methodOverride(({ body }) => (body as { _method?: string } | undefined)?._method ?? ''),
    ),
  'Express with an override that does not keep the method': () =>
    expressWith(express5, (request, _response, next) => {
      if (request.method === 'POST') request.method = 'DELETE';
      next();
    }),
  'connect with method-override': async () => {
    const app = connect();
    app.use(methodOverride('_method') as unknown as connect.NextHandleFunction);
    app.use(sspiAuth(options) as unknown as connect.NextHandleFunction);
    app.use((request: IncomingMessage, response) => response.end(answer(request)));
    return listen(app);
  },
  Fastify: async () => {
    const app = fastify();
    app.addHook('onRequest', (request, _reply, done) => {
      if (request.raw.method === 'POST') request.raw.method = 'DELETE';
      done();
    });
    await app.register(fastifySspiAuth, options);
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, payload, done) => void payload.resume().once('end', () => done(null)));
    app.all('*', ({ raw, user }) => answer({ method: raw.method, url: raw.url, user }));
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    return { port, [Symbol.asyncDispose]: async () => app.close() };
  },
  'node:http': () => {
    const protectedListener = nodeSspiAuth(options)((request, response) => response.end(answer(request)));
    return listen((request, response) => {
      if (request.method === 'POST') request.method = 'DELETE';
      protectedListener(request, response);
    });
  },
};

function expressWith(express: typeof express5, ...before: readonly express5.RequestHandler[]): Promise<Listening> {
  const app = express();
  for (const middleware of before) app.use(middleware);
  app.use(sspiAuth(options));
  app.all(/.*/, (request, response) => void response.send(answer(request)));
  return listen(app);
}

describe('E08: a request whose method was changed before it was verified', () => {
  const target = '/form?_method=DELETE';
  for (const [name, start] of Object.entries(overriding)) {
    it(`is verified over the method of the wire: ${name}`, async () => {
      await using server = await start();
      const right = await signIn(server, { method: 'POST', target }, { method: 'POST', uri: target });
      assert.deepEqual(right, { statuses: [401, 200], body: `LAB\\alice DELETE ${target}` });
      const other = await signIn(server, { method: 'POST', target }, { method: 'DELETE', uri: target });
      assert.deepEqual(other.statuses, [401, 401]);
      const get = await signIn(server, { method: 'GET', target: '/' }, { method: 'GET', uri: '/' });
      assert.deepEqual(get.statuses, [401, 200]);
    });
  }

  it('over HTTP/2 as well', async () => {
    const protectedListener = nodeSspiAuth(options)((request, response) => response.end(answer(request)));
    const server = createHttp2Server((request, response) => {
      if (request.method === 'POST') Object.assign(request, { method: 'DELETE' });
      protectedListener(request as unknown as IncomingMessage, response as never);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const post = async (authorization?: string): Promise<IncomingHttpHeaders> => {
      const stream = session.request({ ':path': '/', ':method': 'POST', ...(authorization && { authorization }) });
      stream.end();
      const [headers] = (await once(stream.resume(), 'response')) as [IncomingHttpHeaders];
      return headers;
    };
    for (const [method, status] of [
      ['POST', 200],
      ['DELETE', 401],
    ] as const) {
      const challenge =
        /Digest (.*?algorithm=SHA-256[^,]*)/.exec(String((await post())['www-authenticate']))?.[1] ?? '';
      const fields = answerChallenge(challenge, { password: users['alice']!, method, uri: '/' });
      assert.equal((await post(`Digest ${fields}`))[':status'], status);
    }
    session.destroy();
    server.close();
  });
});

describe('E07: a request whose url was changed before it was verified', () => {
  const rewriting = nodeSspiAuth(options)((request, response) => response.end(answer(request)));
  for (const [name, start] of Object.entries({
    'node:http': () =>
      listen((request, response) => {
        request.url = `/rewritten${request.url}`;
        rewriting(request, response);
      }),
    'Express, where the adapter is mounted': () => {
      const app = express5();
      app.use('/app', sspiAuth(options), (request, response) => void response.send(answer(request)));
      return listen(app);
    },
    'Fastify with rewriteUrl': async (): Promise<Listening> => {
      const app = fastify({ rewriteUrl: ({ url }) => `/rewritten${url}` });
      await app.register(fastifySspiAuth, options);
      app.all('*', ({ raw, user }) => answer({ method: raw.method, url: raw.url, user }));
      await app.listen({ port: 0, host: '127.0.0.1' });
      return {
        port: (app.server.address() as AddressInfo).port,
        [Symbol.asyncDispose]: async () => app.close(),
      };
    },
  })) {
    it(`is verified over the target of the wire: ${name}`, async () => {
      await using server = await start();
      const request = { method: 'GET', target: '/app/page' };
      const right = await signIn(server, request, { method: 'GET', uri: '/app/page' });
      assert.deepEqual(right.statuses, [401, 200], right.body);
      for (const uri of ['/rewritten/app/page', '/page']) {
        assert.deepEqual((await signIn(server, request, { method: 'GET', uri })).statuses, [401, 400]);
      }
    });
  }
});

describe('the adapter for Express outside Express', () => {
  for (const [name, start] of Object.entries({
    'node:http': () => {
      const auth = sspiAuth(options);
      return listen(
        (request, response) => void auth(request as never, response as never, () => response.end(answer(request))),
      );
    },
    'connect, mounted': () => {
      const app = connect();
      app.use('/sub', sspiAuth(options) as unknown as connect.NextHandleFunction);
      app.use((request: IncomingMessage, response) => response.end(answer(request)));
      return listen(app);
    },
  })) {
    it(`signs in by Digest, for the target of the wire: ${name}`, async () => {
      await using server = await start();
      const request = { method: 'GET', target: '/sub/page?a=1' };
      const { statuses, body } = await signIn(server, request, { method: 'GET', uri: '/sub/page?a=1' });
      assert.deepEqual(statuses, [401, 200]);
      assert.match(body, /^LAB\\alice GET /);
    });
  }
});

describe('an adapter that a request passes twice', () => {
  it('gives it one user, though another one signs in on the same connection meanwhile (A12)', async () => {
    const names: (string | undefined)[] = [];
    for (const application of ['Express', 'node:http'] as const) {
      let proceed: () => void = () => undefined;
      const gate = new Promise<void>((resolve) => (proceed = resolve));
      const seen: (string | undefined)[] = [];
      const ntlm = { ...options, schemes: ['NTLM'] as const };
      let server: Listening;
      if (application === 'Express') {
        const auth = sspiAuth(ntlm);
        const app = express5();
        app.use(auth);
        app.use('/slow', (request, _response, next) => {
          seen.push(request.user?.name);
          gate.then(() => next(), next);
        });
        app.use(auth);
        app.use((request, response) => {
          seen.push(request.user?.name);
          response.send(request.user?.name);
        });
        server = await listen(app);
      } else {
        const protect = nodeSspiAuth(ntlm);
        const inner = protect((request, response) => {
          seen.push(request.user?.name);
          response.end(request.user?.name);
        });
        server = await listen(
          protect((request, response) => {
            if (request.url !== '/slow') return inner(request, response);
            seen.push(request.user?.name);
            gate.then(() => inner(request, response)).catch(assert.ifError);
          }),
        );
      }
      await using running = server;
      await using connection = await RawConnection.open(running.port);
      const alice = forgedTokens({});
      const bob = forgedTokens({ userName: 'bob', password: users['bob']! });
      const challenge = await begin(connection, alice);
      assert.equal((await connection.exchange({ fields: [ntlmField(alice.last(challenge))] })).body, 'LAB\\alice');
      // Bob's challenge is the answer to a request behind the slow one: his last token needs it, so it comes first.
      connection.send({ target: '/slow' }, { fields: [ntlmField(bob.first())] });
      while (!seen.includes('LAB\\alice') || seen.length < 2) await new Promise(setImmediate);
      proceed();
      assert.equal((await connection.response()).body, 'LAB\\alice');
      assert.equal((await connection.response()).status, 401, 'the identity of the connection has ended meanwhile');
      names.push(...seen);
    }
    assert.deepEqual(new Set(names), new Set(['LAB\\alice']));
  });
});
