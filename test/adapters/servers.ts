/** The same application behind every adapter: what the scenarios of this folder are run against. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express5 from 'express';
// @ts-expect-error -- an alias of express 4, which has no types of its own
import untypedExpress4 from 'express4';
import fastify from 'fastify';
import { sspiAuth as expressSspiAuth } from '../../adapters/express.ts';
import { sspiAuth as fastifySspiAuth } from '../../adapters/fastify.ts';
import { sspiAuth as nodeSspiAuth } from '../../adapters/node.ts';
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

/** Options that mean the same to every framework: their functions are given the raw request. */
export type ScenarioOptions = SspiAuthOptions<IncomingMessage>;

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
    const auth = expressSspiAuth(options);
    app.use(auth);
    app.all('/at-once', (request, response) => {
      handled++;
      response.json(answer(request.user, request.sspi, Buffer.alloc(0)));
    });
    app.all(/.*/, (request, response, next) => {
      handled++;
      bodyOf(request).then((body) => response.json(answer(request.user, request.sspi, body)), next);
    });
    const server = createServer(app);
    return listening(
      server,
      auth.authenticator,
      () => handled,
      () => auth.close(),
    );
  };

const startFastify: StartServer = async (options) => {
  let handled = 0;
  const app = fastify();
  const { skip, authorize } = options;
  await app.register(fastifySspiAuth, {
    ...(options as SspiAuthOptions),
    ...(skip && { skip: (request) => skip(request.raw) }),
    ...(authorize && { authorize: (user, request) => authorize(user, request.raw) }),
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => {
    bodyOf(payload).then((body) => done(null, body), done);
  });
  app.all('*', (request) => {
    handled++;
    return answer(request.user, request.sspi, Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return listening(
    app.server,
    app.sspiAuth,
    () => handled,
    () => app.close(),
  );
};

const startNode: StartServer = async (options) => {
  let handled = 0;
  const protect = nodeSspiAuth(options);
  const server = createServer(
    protect((request, response) => {
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
    }),
  );
  return listening(
    server,
    protect.authenticator,
    () => handled,
    () => protect.close(),
  );
};

/** Every adapter by name. */
export const adapters: Readonly<Record<string, StartServer>> = {
  'Express 5': startExpress(express5),
  'Express 4': startExpress(untypedExpress4 as typeof express5),
  'Fastify 5': startFastify,
  'node:http': startNode,
};
