/** The application on what calls `(request, response, next)`: Express, node:http, connect, polka, a plain listener. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import connect from 'connect';
import express5 from 'express';
// @ts-expect-error -- an alias of express 4, which has no types of its own
import untypedExpress4 from 'express4';
// @ts-expect-error -- polka has no types
import untypedPolka from 'polka';
import { sspiAuth as expressSspiAuth } from '../../adapters/express.ts';
import { sspiAuth as nodeSspiAuth } from '../../adapters/node.ts';
import type { AuthenticatedListener } from '../../adapters/node.ts';
import { answer, bodyOf, listening, meddle, optionsFor, refusalPage, requestCount, refuseOf } from './application.ts';
import type { StartServer } from './application.ts';

const startExpress =
  (express: typeof express5): StartServer =>
  async (options) => {
    const handled = requestCount();
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
      handled.add();
      response.json(answer(request.user, request.sspi, Buffer.alloc(0)));
    });
    app.all(/.*/, (request, response, next) => {
      handled.add();
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
      () => handled.total,
      () => auth.close(),
    );
  };

const startNode: StartServer = async (options) => {
  const handled = requestCount();
  const { refusing, group } = options;
  const protect = nodeSspiAuth({
    ...optionsFor<IncomingMessage>(options, (request) => request),
    ...refuseOf(refusing),
  });
  const handler: AuthenticatedListener = (request, response) => {
    handled.add();
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
    () => handled.total,
    () => protect.close(),
  );
};

/** The adapter for Express where something else calls `(request, response, next)`. */
const startOther =
  (
    callerOf: (...listeners: readonly Listener[]) => (request: IncomingMessage, response: ServerResponse) => void,
  ): StartServer =>
  async (options) => {
    const handled = requestCount();
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
      handled.add();
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
      () => handled.total,
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

/** Servers by name. */
export const listenerServers = {
  'Express 5': startExpress(express5),
  'Express 4': startExpress(untypedExpress4 as typeof express5),
  'node:http': startNode,
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
} satisfies Readonly<Record<string, StartServer>>;
