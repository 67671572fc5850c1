/** The same application behind every adapter: what the scenarios of this folder are run against. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { serve } from '@hono/node-server';
import type { HttpBindings } from '@hono/node-server';
import connect from 'connect';
import express5 from 'express';
// @ts-expect-error -- an alias of express 4, which has no types of its own
import untypedExpress4 from 'express4';
import fastify from 'fastify';
import type { FastifyRequest } from 'fastify';
import { Hono } from 'hono';
import type { Context } from 'hono';
import Koa from 'koa';
// @ts-expect-error -- polka has no types
import untypedPolka from 'polka';
import { sspiAuth as expressSspiAuth } from '../../adapters/express.ts';
import type { FastifySspiAuthOptions } from '../../adapters/fastify.ts';
import { sspiAuth as fastifySspiAuth } from '../../adapters/fastify.ts';
import { sspiAuth as honoSspiAuth } from '../../adapters/hono.ts';
import type { HonoSspiAuthOptions } from '../../adapters/hono.ts';
import { sspiAuth as koaSspiAuth } from '../../adapters/koa.ts';
import type { KoaSspiAuthOptions, SspiAuthContext, SspiAuthState } from '../../adapters/koa.ts';
import { sspiAuth as nodeSspiAuth } from '../../adapters/node.ts';
import type { AuthenticatedListener } from '../../adapters/node.ts';
import type { Authenticator, Identity, SecurityContextInfo, SspiAuthOptions } from '../../src/index.ts';
import { liveHandles } from '../../src/sspi/index.ts';

/** What the application answers, as JSON. */
export interface Answer {
  readonly name: string | null;
  readonly user: Identity | null;
  readonly package: string | null;
  readonly scheme: string | null;
  readonly channelBound: boolean | null;
  /** Length and SHA-like check of the body that arrived: its bytes as sum and count. */
  readonly bodyBytes: number;
  readonly bodySum: number;
}

/** A running application. */
export interface RunningServer extends AsyncDisposable {
  readonly port: number;
  readonly server: Server;
  /** How often the handler ran: 0 where nobody may have got in. */
  readonly handled: () => number;
  readonly authenticator: Authenticator<never>;
  /** Security contexts that lived in the process when the server began: other test files may have left some. */
  readonly contextsBefore: number;
}

/** How an application answers refusals, in the terms of its framework: option `refuse`. */
export type Refusing =
  /** `refuse: 'error'`, with an error handler of the framework that answers 200. */
  | 'error'
  /** A page, with whatever else a function may do to a response. */
  | 'meddling'
  /** A page, later. */
  | 'later'
  | 'throwing'
  | 'rejecting'
  /** Answers long after its deadline. */
  | 'hanging';

/** Options that mean the same to every framework: their functions are given the raw request. */
export interface ScenarioOptions extends SspiAuthOptions<IncomingMessage> {
  readonly refusing?: Refusing;
  /** `requireGroup` for these, on `/group`. */
  readonly group?: string;
}

/** The page of the application for a refusal. */
export const refusalPage = 'a page of the application';

/** Options whose functions are given the framework's request. */
function optionsFor<R>(options: ScenarioOptions, rawOf: (request: R) => IncomingMessage): SspiAuthOptions<R> {
  const { skip, authorize, schemesFor, enrich, otherSchemes, ...others } = options;
  const rest = Object.fromEntries(Object.entries(others).filter(([name]) => name !== 'refusing' && name !== 'group'));
  return {
    ...(rest as SspiAuthOptions<R>),
    ...(skip && { skip: (request: R) => skip(rawOf(request)) }),
    ...(authorize && { authorize: (user: Identity, request: R) => authorize(user, rawOf(request)) }),
    ...(schemesFor && { schemesFor: (request: R) => schemesFor(rawOf(request)) }),
    ...(enrich && { enrich: (user: Identity, request: R) => enrich(user, rawOf(request)) }),
    ...(otherSchemes && {
      otherSchemes: Object.fromEntries(
        Object.entries(otherSchemes).map(([name, verify]) => [
          name,
          verify === 'pass' ? verify : (request: R) => verify(rawOf(request)),
        ]),
      ),
    }),
  };
}

/** Waits until well after the deadline of scenarios that have one. */
async function afterDeadline(): Promise<void> {
  await setTimeout(1200);
}

/** What an application does to a response of node:http that it may not do. */
function meddle(response: ServerResponse): void {
  response.statusCode = 200;
  response.removeHeader('WWW-Authenticate');
  response.setHeader('WWW-Authenticate', 'Basic realm="phish"');
  response.setHeader('Connection', 'close');
  response.setHeader('Cache-Control', 'public, max-age=3600');
}

/** `refuse` for a response of node:http. */
function refuseOf(refusing: Refusing | undefined): { refuse?: 'error' | ((...given: unknown[]) => unknown) } {
  if (refusing === undefined) return {};
  if (refusing === 'error') return { refuse: 'error' };
  return {
    refuse: (_request, given) => {
      const response = given as ServerResponse;
      switch (refusing) {
        case 'meddling':
          meddle(response);
          response.writeHead(200, 'fine', { 'WWW-Authenticate': 'Basic', 'Content-Type': 'text/html' });
          return response.end(refusalPage);
        case 'later':
          return Promise.resolve().then(() => void response.end(refusalPage));
        case 'throwing':
          response.setHeader('X-Half', 'done');
          throw new Error('the page is broken');
        case 'rejecting':
          return Promise.reject(new Error('the page is broken'));
        case 'hanging':
          return afterDeadline().then(() => {
            response.setHeader('X-Late', 'yes');
            response.end(refusalPage);
          });
      }
    },
  };
}

/** Starts the application behind one adapter. */
export type StartServer = (options: ScenarioOptions) => Promise<RunningServer>;

function answer(user: Identity | null | undefined, sspi: SecurityContextInfo | null | undefined, body: Buffer): Answer {
  let bodySum = 0;
  for (const byte of body) bodySum = (bodySum * 31 + byte) >>> 0;
  return {
    name: user?.name ?? null,
    user: user ?? null,
    package: sspi?.package ?? null,
    scheme: sspi?.scheme ?? null,
    channelBound: sspi?.channelBound ?? null,
    bodyBytes: body.byteLength,
    bodySum,
  };
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function listening(
  server: Server,
  authenticator: unknown,
  handled: () => number,
  close: () => void | Promise<void>,
): Promise<RunningServer> {
  if (!server.listening) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  return {
    port: (server.address() as AddressInfo).port,
    server,
    handled,
    authenticator: authenticator as Authenticator<never>,
    contextsBefore: liveHandles().contexts,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await close();
      if (server.listening) {
        server.close();
        await once(server, 'close');
      }
    },
  };
}

const startExpress =
  (express: typeof express5): StartServer =>
  async (options) => {
    let handled = 0;
    const app = express();
    // Else Express prints each request whose client went away.
    app.set('env', 'test');
    const { refusing, group } = options;
    const auth = expressSspiAuth({
      ...optionsFor<express5.Request>(options, (request) => request),
      ...refuseOf(refusing),
    });
    app.use(auth);
    app.all('/user', auth.requireUser);
    if (group !== undefined) app.all('/group', auth.requireGroup(group));
    app.post('/sign-out', (request, response, next) => {
      auth.signOut(request, response).then((told) => response.json({ told }), next);
    });
    app.all('/at-once', (request, response) => {
      handled++;
      response.json(answer(request.user, request.sspi, Buffer.alloc(0)));
    });
    app.all(/.*/, (request, response, next) => {
      handled++;
      bodyOf(request).then((body) => response.json(answer(request.user, request.sspi, body)), next);
    });
    if (refusing === 'error') {
      app.use(
        (error: unknown, _request: express5.Request, response: express5.Response, next: express5.NextFunction) => {
          if ((error as { code?: unknown }).code !== 'ERR_SSPI_AUTH_REFUSED') return next(error);
          meddle(response);
          response.status(200).send(refusalPage);
        },
      );
    }
    const server = createServer(app);
    return listening(
      server,
      auth.authenticator,
      () => handled,
      () => auth.close(),
    );
  };

/** `refuse` for Fastify. */
function fastifyRefuse(refusing: Refusing | undefined): Pick<FastifySspiAuthOptions, 'refuse'> {
  if (refusing === undefined) return {};
  if (refusing === 'error') return { refuse: 'error' };
  return {
    refuse: (_request, reply) => {
      switch (refusing) {
        case 'meddling':
          void reply.code(200).removeHeader('www-authenticate').header('Connection', 'close');
          return reply.header('WWW-Authenticate', 'Basic').header('Cache-Control', 'public').send(refusalPage);
        case 'later':
          return Promise.resolve(refusalPage);
        case 'throwing':
          void reply.header('X-Half', 'done');
          throw new Error('the page is broken');
        case 'rejecting':
          return Promise.reject(new Error('the page is broken'));
        case 'hanging':
          return afterDeadline().then(() => reply.header('X-Late', 'yes').send(refusalPage));
      }
    },
  };
}

const startFastify: StartServer = async (options) => {
  let handled = 0;
  const app = fastify();
  const { refusing, group } = options;
  await app.register(fastifySspiAuth, {
    ...optionsFor<FastifyRequest>(options, (request) => request.raw),
    ...fastifyRefuse(refusing),
  });
  if (refusing === 'error') {
    app.setErrorHandler((error, _request, reply) => {
      if ((error as { code?: unknown }).code !== 'ERR_SSPI_AUTH_REFUSED') throw error as Error;
      return reply.code(200).header('WWW-Authenticate', 'Basic').header('Connection', 'close').send(refusalPage);
    });
  }
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => {
    bodyOf(payload).then((body) => done(null, body), done);
  });
  const { requireUser, requireGroup } = app.sspiAuth;
  const handler = (request: FastifyRequest): Answer => {
    handled++;
    return answer(request.user, request.sspi, Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
  };
  app.all('/user', { preHandler: requireUser }, handler);
  if (group !== undefined) app.all('/group', { preHandler: requireGroup(group) }, handler);
  app.post('/sign-out', async (request, reply) => ({ told: await app.sspiAuth.signOut(request, reply) }));
  app.all('*', handler);
  await app.listen({ port: 0, host: '127.0.0.1' });
  return listening(
    app.server,
    app.sspiAuth.authenticator,
    () => handled,
    () => app.close(),
  );
};

const startNode: StartServer = async (options) => {
  let handled = 0;
  const { refusing, group } = options;
  const protect = nodeSspiAuth({
    ...optionsFor<IncomingMessage>(options, (request) => request),
    ...refuseOf(refusing),
  });
  const handler: AuthenticatedListener = (request, response) => {
    handled++;
    const { user, sspi } = request;
    if (request.url === '/at-once') {
      response.end(JSON.stringify(answer(user, sspi, Buffer.alloc(0))));
      return;
    }
    bodyOf(request).then(
      (body) => response.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer(user, sspi, body))),
      () => response.destroy(),
    );
  };
  const routes: Readonly<Record<string, AuthenticatedListener>> = {
    '/user': protect.requireUser(handler),
    '/sign-out': (request, response) => {
      protect.signOut(request, response).then(
        (told) => response.end(JSON.stringify({ told })),
        () => response.destroy(),
      );
    },
    ...(group === undefined ? {} : { '/group': protect.requireGroup(group)(handler) }),
  };
  const server = createServer(
    protect((request, response) => (routes[request.url ?? ''] ?? handler)(request, response)),
  );
  return listening(
    server,
    protect.authenticator,
    () => handled,
    () => protect.close(),
  );
};

/** The adapter for Express where something else calls `(request, response, next)`. */
const startOther =
  (
    callerOf: (...listeners: readonly Listener[]) => (request: IncomingMessage, response: ServerResponse) => void,
  ): StartServer =>
  async (options) => {
    let handled = 0;
    const { refusing, group } = options;
    const auth = expressSspiAuth({
      ...optionsFor<express5.Request>(options, (request) => request),
      ...refuseOf(refusing),
    });
    const on =
      (path: string, route: Listener): Listener =>
      (request, response, next) =>
        request.url === path ? route(request, response, next) : next();
    const handler: Listener = (request, response) => {
      const { user, sspi } = request as express5.Request;
      handled++;
      bodyOf(request).then(
        (body) => response.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer(user, sspi, body))),
        () => response.destroy(),
      );
    };
    const routes = [
      on('/user', auth.requireUser as unknown as Listener),
      on('/sign-out', (request, response, next) => {
        auth
          .signOut(request as express5.Request, response as express5.Response)
          .then((told) => response.end(JSON.stringify({ told })), next);
      }),
    ];
    if (group !== undefined) routes.push(on('/group', auth.requireGroup(group) as unknown as Listener));
    const server = createServer(callerOf(auth as unknown as Listener, ...routes, handler));
    return listening(
      server,
      auth.authenticator,
      () => handled,
      () => auth.close(),
    );
  };

type Listener = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;

const polka = untypedPolka as (options: {
  onError(error: unknown, request: IncomingMessage, response: ServerResponse): void;
}) => {
  use(listener: Listener): void;
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
};

/** An error handler that answers refusals with 200, of middleware without a framework. */
function answerError(error: unknown, response: ServerResponse): void {
  if ((error as { code?: unknown }).code !== 'ERR_SSPI_AUTH_REFUSED') throw error;
  meddle(response);
  response.end(refusalPage);
}

const startKoa: StartServer = async (options) => {
  let handled = 0;
  const { refusing, group } = options;
  const app = new Koa();
  app.silent = true;
  if (refusing === 'error') {
    app.use(async (context, next) => {
      try {
        await next();
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'ERR_SSPI_AUTH_REFUSED') throw error;
        meddle(context.res);
        context.status = 200;
        context.body = refusalPage;
      }
    });
  }
  const auth = koaSspiAuth({ ...optionsFor<SspiAuthContext>(options, ({ req }) => req), ...koaRefuse(refusing) });
  app.use(auth);
  const requireGroup = group === undefined ? undefined : auth.requireGroup(group);
  app.use((context, next) =>
    context.path === '/user' ? (auth.requireUser(context as never, next) as Promise<unknown>) : next(),
  );
  app.use((context, next) =>
    context.path === '/group' && requireGroup !== undefined
      ? (requireGroup(context as never, next) as Promise<unknown>)
      : next(),
  );
  app.use(async (context, next) => {
    if (context.path !== '/sign-out') await next();
    else context.body = { told: await auth.signOut(context) };
  });
  app.use(async (context) => {
    handled++;
    const { user, sspi } = context.state as SspiAuthState;
    context.body = answer(user, sspi, await bodyOf(context.req));
  });
  const listener = app.callback();
  const server = createServer((request, response) => {
    listener(request, response).catch((error: unknown) => assert.ifError(error));
  });
  return listening(
    server,
    auth.authenticator,
    () => handled,
    () => auth.close(),
  );
};

/** `refuse` for Koa. */
function koaRefuse(refusing: Refusing | undefined): Pick<KoaSspiAuthOptions, 'refuse'> {
  if (refusing === undefined) return {};
  if (refusing === 'error') return { refuse: 'error' };
  return {
    refuse: (context) => {
      switch (refusing) {
        case 'meddling':
          meddle(context.res);
          context.status = 200;
          context.body = refusalPage;
          return undefined;
        case 'later':
          return Promise.resolve().then(() => void (context.body = refusalPage));
        case 'throwing':
          context.set('X-Half', 'done');
          throw new Error('the page is broken');
        case 'rejecting':
          return Promise.reject(new Error('the page is broken'));
        case 'hanging':
          return afterDeadline().then(() => void (context.body = refusalPage));
      }
    },
  };
}

const startHono: StartServer = async (options) => {
  let handled = 0;
  const { refusing, group } = options;
  const app = new Hono<{ Bindings: HttpBindings }>();
  const auth = honoSspiAuth({
    ...optionsFor<Context>(options, (c) => (c.env as HttpBindings).incoming),
    ...honoRefuse(refusing),
  });
  if (refusing === 'error') {
    app.onError((error, c) => {
      if ((error as { code?: unknown }).code !== 'ERR_SSPI_AUTH_REFUSED') throw error;
      return c.text(refusalPage, 200, { 'WWW-Authenticate': 'Basic', Connection: 'close' });
    });
  }
  app.use(auth);
  app.use('/user', auth.requireUser);
  if (group !== undefined) app.use('/group', auth.requireGroup(group));
  app.post('/sign-out', async (c) => c.json({ told: await auth.signOut(c) }));
  app.all('*', async (c) => {
    handled++;
    const body = Buffer.from(await c.req.arrayBuffer());
    return c.json(answer(c.var.user, c.var.sspi, body));
  });
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server;
  await once(server, 'listening');
  return listening(
    server,
    auth.authenticator,
    () => handled,
    () => auth.close(),
  );
};

/** `refuse` for Hono. */
function honoRefuse(refusing: Refusing | undefined): Pick<HonoSspiAuthOptions, 'refuse'> {
  if (refusing === undefined) return {};
  if (refusing === 'error') return { refuse: 'error' };
  return {
    refuse: (c) => {
      switch (refusing) {
        case 'meddling':
          meddle((c.env as HttpBindings).outgoing);
          return c.text(refusalPage, 200, { 'WWW-Authenticate': 'Basic', Connection: 'close' });
        case 'later':
          return Promise.resolve(c.text(refusalPage));
        case 'throwing':
          throw new Error('the page is broken');
        case 'rejecting':
          return Promise.reject(new Error('the page is broken'));
        case 'hanging':
          return afterDeadline().then(() => c.text(refusalPage));
      }
    },
  };
}

/** Every adapter by name. */
export const adapters: Readonly<Record<string, StartServer>> = {
  'Express 5': startExpress(express5),
  'Express 4': startExpress(untypedExpress4 as typeof express5),
  'Fastify 5': startFastify,
  'node:http': startNode,
  'Koa 3': startKoa,
  'Hono 4': startHono,
  connect: startOther((...listeners) => {
    const app = connect();
    for (const listener of listeners) app.use(listener);
    app.use((error: unknown, _request: unknown, response: ServerResponse, next: (error: unknown) => void) => {
      if (response.headersSent) next(error);
      else answerError(error, response);
    });
    return app;
  }),
  polka: startOther((...listeners) => {
    const app = polka({ onError: (error, _request, response) => answerError(error, response) });
    for (const listener of listeners) app.use(listener);
    return app.handler;
  }),
  'a plain listener': startOther((...listeners) => (request, response) => {
    const run = (index: number, error?: unknown): void => {
      if (error !== undefined) answerError(error, response);
      else listeners[index]?.(request, response, (failed) => run(index + 1, failed));
    };
    run(0);
  }),
};
