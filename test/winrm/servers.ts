/** An application that echoes SOAP messages, with winrmEncryption() before sspiAuth(), in each way of node:http. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import express from 'express';
import fastify from 'fastify';
import { sspiAuth as expressSspiAuth } from '../../adapters/express.ts';
import { sspiAuth as fastifySspiAuth } from '../../adapters/fastify.ts';
import { sspiAuth as nodeSspiAuth } from '../../adapters/node.ts';
import { winrmEncryption } from '../../adapters/winrm.ts';
import type { WinrmEncryptionOptions } from '../../adapters/winrm.ts';
import type { SspiAuthOptions } from '../../src/index.ts';
import type { AuditRecord, SecurityContextInfo } from '../../src/index.ts';
import { certificates } from '../vectors/certificates.ts';

/** What reached a handler. */
export interface Handled {
  readonly user: string | undefined;
  readonly sspi: SecurityContextInfo | undefined;
  readonly type: string | undefined;
  readonly encoding: string | undefined;
  readonly body: string;
}

export interface WinrmServer extends AsyncDisposable {
  readonly port: number;
  readonly handled: readonly Handled[];
  readonly refused: readonly AuditRecord[];
}

export interface ServerOptions extends SspiAuthOptions {
  /** Options of winrmEncryption; `false`: it is not mounted. */
  readonly encryption?: WinrmEncryptionOptions | false;
  readonly tls?: boolean;
  /** Answers in place of the echo. */
  readonly handler?: (response: ServerResponse, body: string) => void;
}

export type StartWinrm = (options: ServerOptions) => Promise<WinrmServer>;

/** What the echo answers. */
export const echoOf = (body: string): string => `<echo>${body}</echo>`;

const soap = 'application/soap+xml; charset=utf-8';

interface Seen {
  readonly user?: { readonly name: string } | null | undefined;
  readonly sspi?: SecurityContextInfo | null | undefined;
}

/** Options for sspiAuth, what is recorded, and what the handler does. */
function recorder(options: ServerOptions) {
  const handled: Handled[] = [];
  const refused: AuditRecord[] = [];
  const { encryption, tls, handler, ...auth } = options;
  const logger = {
    info: () => undefined,
    warn: (record: object) => {
      if ('durationMilliseconds' in record) refused.push(record as AuditRecord);
    },
    error: () => undefined,
  };
  const note = (request: IncomingMessage, { user, sspi }: Seen, body: string): void => {
    const { 'content-type': type, 'accept-encoding': encoding } = request.headers;
    handled.push({
      user: user?.name,
      sspi: sspi ?? undefined,
      type,
      encoding: encoding === undefined ? '' : [encoding].flat().join(),
      body,
    });
  };
  const answer = (response: ServerResponse, body: string): void => {
    if (handler !== undefined) handler(response, body);
    else response.setHeader('Content-Type', soap).end(echoOf(body));
  };
  return { handled, refused, auth: { logger, ...auth }, encryption, tls, note, answer };
}

async function listening(
  server: Server,
  { handled, refused }: Pick<WinrmServer, 'handled' | 'refused'>,
  close: () => unknown,
): Promise<WinrmServer> {
  if (!server.listening) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  return {
    port: (server.address() as AddressInfo).port,
    handled,
    refused,
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

const serverOf = (tls: boolean | undefined, listener: (q: IncomingMessage, s: ServerResponse) => void): Server =>
  tls === true
    ? createTlsServer({ cert: certificates.server.cert, key: certificates.server.key }, listener)
    : createServer(listener);

async function textOf(message: IncomingMessage): Promise<string> {
  return (await message.setEncoding('utf8').toArray()).join('');
}

const startExpress: StartWinrm = async (options) => {
  const { auth, encryption, tls, note, answer, ...records } = recorder(options);
  const app = express();
  app.set('env', 'test');
  if (encryption !== false) app.use(winrmEncryption(encryption));
  const handler = expressSspiAuth(auth);
  app.use(handler);
  app.use(express.text({ type: () => true, limit: '4mb' }));
  app.use((request, response) => {
    const body: unknown = request.body;
    const text = typeof body === 'string' ? body : '';
    note(request, request, text);
    answer(response, text);
  });
  return listening(serverOf(tls, app), records, () => handler.close());
};

const startNode: StartWinrm = async (options) => {
  const { auth, encryption, tls, note, answer, ...records } = recorder(options);
  const decrypt = encryption === false ? undefined : winrmEncryption(encryption);
  const protect = nodeSspiAuth(auth);
  const listener = protect((request, response) => {
    textOf(request).then(
      (text) => {
        note(request, request, text);
        answer(response, text);
      },
      () => response.destroy(),
    );
  });
  const server = serverOf(tls, (request, response) => {
    if (decrypt === undefined) listener(request, response);
    else decrypt(request, response, () => listener(request, response));
  });
  return listening(server, records, () => protect.close());
};

const startFastify: StartWinrm = async (options) => {
  const { auth, encryption, tls, note, answer, ...records } = recorder(options);
  const app = fastify(
    (tls === true ? { https: { cert: certificates.server.cert, key: certificates.server.key } } : {}) as object,
  );
  if (encryption !== false) {
    const decrypt = winrmEncryption(encryption);
    app.addHook('onRequest', (request, reply, done) => {
      decrypt(request.raw, reply.raw, done);
    });
  }
  await app.register(fastifySspiAuth, auth);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string', bodyLimit: 4 * 1024 * 1024 }, (_request, body, done) => {
    done(null, body);
  });
  app.all('*', (request, reply) => {
    const text = typeof request.body === 'string' ? request.body : '';
    note(request.raw, request, text);
    if (options.handler === undefined) return reply.type(soap).send(echoOf(text));
    reply.hijack();
    answer(reply.raw, text);
    return reply;
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return listening(app.server, records, () => app.close());
};

/** Every way by name. */
export const servers: Readonly<Record<string, StartWinrm>> = {
  'Express 5': startExpress,
  'node:http': startNode,
  'Fastify 5': startFastify,
};
