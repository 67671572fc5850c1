/**
 * Child process of a benchmark: one server of the kind named on the command line, on a free port of loopback. It loads what
 * that server needs and nothing else: what a process has run before changes what V8 makes of the rest.
 */
import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { RequestHandler } from 'express';
import type { FastifyInstance } from 'fastify';
import type { MiddlewareHandler } from 'hono';
import type { Middleware } from 'koa';
import type { SharedStore, SspiAuthOptions } from 'sspi-auth';

/** A server whose handler is given the same user for each request. */
type GivenUserKind =
  | 'express and middleware that sets a user'
  | 'fastify and a hook that sets a user'
  | 'node:http and a listener that sets a user'
  | 'koa and middleware that sets a user'
  | 'hono and middleware that sets a user';

/**
 * Every kind of server that can be measured. Where sspi-auth is loaded beside it and does nothing, the process is as large
 * as one that uses it: code that has been loaded costs each request, whoever uses it.
 */
export type ServerKind =
  | GivenUserKind
  | `${GivenUserKind}, sspi-auth loaded`
  | 'express'
  | 'express with sspi-auth'
  | 'express with express-ntlm'
  | 'fastify'
  | 'fastify with sspi-auth'
  | 'node:http'
  | 'node:http with sspi-auth'
  | 'koa'
  | 'koa with sspi-auth'
  | 'hono'
  | 'hono with sspi-auth'
  | 'node:http with Kerberos'
  | 'express with sessions'
  | 'fastify with sessions'
  | 'node:http with sessions'
  | 'node:http with sessions and a store'
  | 'node:http with Digest and a store'
  | 'express with every scheme'
  | 'fastify with every scheme'
  | 'node:http with every scheme';

/** What the parent may ask, and gets an answer of the same type to. */
export type ServerQuestion = 'cpu' | 'memory' | 'pending' | 'faults' | 'store';
/**
 * Microseconds of processor time since the start; bytes in use after collecting garbage; handshakes that wait for their
 * client; exceptions in the log and warnings of the process; operations of the store.
 */
export interface ServerAnswer {
  readonly question: ServerQuestion | 'listening';
  readonly value: number;
}

async function options(): Promise<SspiAuthOptions> {
  const { memoryAccounts } = await import('sspi-auth');
  return {
    accounts: memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]),
    schemes: ['NTLM'],
    domain: 'CORP',
    logger: false,
  };
}

/** With cookies over plain HTTP. */
async function sessionOptions(): Promise<SspiAuthOptions> {
  return { ...(await options()), session: { secrets: [Buffer.alloc(32, 's')], cookie: { secure: false } } };
}

let storeOperations = 0;

/** A store that counts what it is asked. */
async function countingStore(): Promise<SharedStore> {
  const { memoryStore } = await import('sspi-auth');
  const inner = memoryStore();
  const counted = <T>(answer: () => T | Promise<T>): Promise<T> => {
    storeOperations++;
    return Promise.resolve(answer());
  };
  return {
    claim: (key, ttl) => counted(() => inner.claim(key, ttl)),
    count: (key, ttl) => counted(() => inner.count(key, ttl)),
    set: (key, bytes, ttl) => counted(() => inner.set(key, bytes, ttl)),
    get: (key) => counted(() => inner.get(key)),
    take: (key) => counted(() => inner.take(key)),
    delete: (key) => counted(() => inner.delete(key)),
  };
}

/** The keytab is that of KRB5_KTNAME. */
function kerberosOptions(): SspiAuthOptions {
  return {
    schemes: ['Negotiate'],
    packages: ['Kerberos'],
    replayCache: process.env['SSPI_AUTH_BENCH_REPLAY_CACHE'] ?? true,
    authorize: (user) => user.name === 'alice@TEST.LOCAL',
    logger: false,
  };
}

let faults = 0;
process.on('warning', () => faults++);

/** Everything that a client can try. What goes wrong in the library is counted, what clients do wrong is not. */
async function everyScheme(): Promise<SspiAuthOptions> {
  const nothing = (): void => undefined;
  const logger = { info: nothing, warn: nothing, debug: nothing, error: (): number => faults++ };
  return { ...(await options()), schemes: ['Negotiate', 'NTLM', 'Digest'], packages: ['NTLM'], logger };
}

/** Handshakes that wait, of the server that runs. */
let pendingHandshakes = (): number => 0;
function watch(authenticator: { readonly pendingHandshakes: number }): void {
  pendingHandshakes = () => authenticator.pendingHandshakes;
}

/** What a request is given by whoever verifies nothing: the same two properties that sspi-auth sets. */
interface GivenUser {
  user?: object | null | undefined;
  sspi?: object | null | undefined;
}
const user = Object.freeze({ name: 'alice' });
const sspi = Object.freeze({ package: 'none' });

/**
 * Sets fields as a 401 has them, in every process alike: how many names and kinds of values `setHeader` has met decides how
 * V8 compiles it, by two microseconds for each field of each response.
 */
function meetFields(): void {
  for (let round = 0; round < 1000; round++) {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    response.setHeader('WWW-Authenticate', ['NTLM', 'Negotiate']);
    response.setHeader('Content-Type', 'text/plain; charset=utf-8');
    response.setHeader('Content-Length', '17');
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('Connection', 'keep-alive');
    response.setHeader('Set-Cookie', ['a=b']);
  }
}
meetFields();

/** By writeHead, for the same reason. */
const hello: RequestListener = (_request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': 5 }).end('hello');
};

async function expressServer(middleware?: () => RequestHandler | Promise<RequestHandler>): Promise<Server> {
  const { default: express } = await import('express');
  const app = express();
  if (middleware !== undefined) app.use(await middleware());
  app.get('/', (_request, response) => {
    response.type('text').send('hello');
  });
  return createServer(app);
}

async function fastifyServer(prepare?: (app: FastifyInstance) => unknown): Promise<Server> {
  const { fastify } = await import('fastify');
  const app = fastify();
  await prepare?.(app);
  app.get('/', () => 'hello');
  await app.ready();
  return app.server;
}

async function koaServer(middleware?: () => Middleware | Promise<Middleware>): Promise<Server> {
  const { default: Koa } = await import('koa');
  const app = new Koa();
  if (middleware !== undefined) app.use(await middleware());
  app.use((context) => {
    context.type = 'text';
    context.body = 'hello';
  });
  const handle = app.callback();
  return createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
}

async function honoServer(middleware?: () => MiddlewareHandler | Promise<MiddlewareHandler>): Promise<Server> {
  const { Hono } = await import('hono');
  const { createAdaptorServer } = await import('@hono/node-server');
  const app = new Hono();
  if (middleware !== undefined) app.use(await middleware());
  app.get('/', (c) => c.text('hello'));
  return createAdaptorServer({ fetch: app.fetch }) as Server;
}

/** What is loaded and not used. */
const kept: object[] = [];

/** The server of a kind without what is loaded beside it. */
function beside(kind: `${GivenUserKind}, sspi-auth loaded`, adapter: object): Promise<Server> {
  kept.push(adapter);
  return serverOf(kind.slice(0, -', sspi-auth loaded'.length) as GivenUserKind);
}

async function serverOf(kind: ServerKind): Promise<Server> {
  switch (kind) {
    case 'express and middleware that sets a user, sspi-auth loaded':
      return beside(kind, await import('sspi-auth/express'));
    case 'fastify and a hook that sets a user, sspi-auth loaded':
      return beside(kind, await import('sspi-auth/fastify'));
    case 'node:http and a listener that sets a user, sspi-auth loaded':
      return beside(kind, await import('sspi-auth/node'));
    case 'koa and middleware that sets a user, sspi-auth loaded':
      return beside(kind, await import('sspi-auth/koa'));
    case 'hono and middleware that sets a user, sspi-auth loaded':
      return beside(kind, await import('sspi-auth/hono'));
    case 'express':
      return expressServer();
    case 'express and middleware that sets a user':
      return expressServer(() => (request: GivenUser, _response, next) => {
        request.user = user;
        request.sspi = sspi;
        next();
      });
    case 'express with sspi-auth':
      return expressServer(async () => (await import('sspi-auth/express')).sspiAuth(await options()));
    case 'express with express-ntlm':
      return expressServer(async () => (await import('express-ntlm')).default());
    case 'fastify':
      return fastifyServer();
    case 'fastify and a hook that sets a user':
      return fastifyServer(async (app) => {
        app.decorateRequest('user', null).decorateRequest('sspi', null);
        app.addHook('onRequest', (request: GivenUser, _reply, done) => {
          request.user = user;
          request.sspi = sspi;
          done();
        });
        return Promise.resolve();
      });
    case 'fastify with sspi-auth':
      return fastifyServer(async (app) => app.register((await import('sspi-auth/fastify')).sspiAuth, await options()));
    case 'node:http':
      return createServer(hello);
    case 'node:http and a listener that sets a user':
      return createServer((request: IncomingMessage & GivenUser, response) => {
        request.user = user;
        request.sspi = sspi;
        hello(request, response);
      });
    case 'node:http with sspi-auth':
      return createServer((await import('sspi-auth/node')).sspiAuth(await options())(hello));
    case 'koa':
      return koaServer();
    case 'koa and middleware that sets a user':
      return koaServer(() => (context, next) => {
        const state = context.state as GivenUser;
        state.user = user;
        state.sspi = sspi;
        return next();
      });
    case 'koa with sspi-auth':
      return koaServer(async () => (await import('sspi-auth/koa')).sspiAuth(await options()));
    case 'hono':
      return honoServer();
    case 'hono and middleware that sets a user':
      return honoServer(() => (c, next) => {
        c.set('user', user as never);
        c.set('sspi', sspi as never);
        return next();
      });
    case 'hono with sspi-auth':
      return honoServer(async () => (await import('sspi-auth/hono')).sspiAuth(await options()));
    case 'node:http with Kerberos':
      return createServer((await import('sspi-auth/node')).sspiAuth(kerberosOptions())(hello));
    case 'express with sessions':
      return expressServer(async () => (await import('sspi-auth/express')).sspiAuth(await sessionOptions()));
    case 'fastify with sessions':
      return fastifyServer(async (app) =>
        app.register((await import('sspi-auth/fastify')).sspiAuth, (await sessionOptions()) as object),
      );
    case 'node:http with sessions':
      return createServer((await import('sspi-auth/node')).sspiAuth(await sessionOptions())(hello));
    case 'node:http with sessions and a store': {
      const stored = { ...(await sessionOptions()), store: await countingStore() };
      return createServer((await import('sspi-auth/node')).sspiAuth(stored)(hello));
    }
    case 'node:http with Digest and a store': {
      const digest = {
        schemes: ['Digest'],
        digest: { secret: Buffer.alloc(32, 'd') },
        store: await countingStore(),
      } as const;
      return createServer((await import('sspi-auth/node')).sspiAuth({ ...(await options()), ...digest })(hello));
    }
    case 'express with every scheme':
      return expressServer(async () => {
        const auth = (await import('sspi-auth/express')).sspiAuth(await everyScheme());
        watch(auth.authenticator);
        return auth;
      });
    case 'fastify with every scheme':
      return fastifyServer(async (app) => {
        await app.register((await import('sspi-auth/fastify')).sspiAuth, (await everyScheme()) as object);
        watch(app.sspiAuth.authenticator);
      });
    case 'node:http with every scheme': {
      const protect = (await import('sspi-auth/node')).sspiAuth(await everyScheme());
      watch(protect.authenticator);
      return createServer(protect(hello));
    }
  }
}

function answer(question: ServerAnswer['question'], value: number): void {
  process.send?.({ question, value } satisfies ServerAnswer);
}

function measured(question: ServerQuestion): number {
  if (question === 'pending') return pendingHandshakes();
  if (question === 'faults') return faults;
  if (question === 'store') return storeOperations;
  if (question === 'cpu') {
    const { user, system } = process.cpuUsage();
    return user + system;
  }
  for (let pass = 0; pass < 5; pass++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

if (!import.meta.resolve('sspi-auth').includes('/dist/')) throw new Error('the built package is to be measured');
const server = await serverOf(process.argv[2] as ServerKind);
// Connections of a round stay open while the other sides are measured.
server.keepAliveTimeout = 0;
server.headersTimeout = 0;
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => answer('listening', (server.address() as AddressInfo).port));
process.on('message', (question: ServerQuestion) => answer(question, measured(question)));
process.on('disconnect', () => process.exit());
