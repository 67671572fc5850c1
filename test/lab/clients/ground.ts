/** The test ground of real clients: one KDC, one server for each offer, and what the servers saw of each run. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import express from 'express';
import fastify from 'fastify';
import { sspiAuth } from '../../../adapters/express.ts';
import fastifySspiAuth from '../../../adapters/fastify.ts';
import { memoryAccounts, recommendedServerOptions } from '../../../src/index.ts';
import type { Identity, SecurityContextInfo, SspiAuthOptions } from '../../../src/index.ts';
import { ntlmGssAccount } from '../gss-client.ts';
import { startKdc } from '../kdc.ts';
import type { Kdc } from '../kdc.ts';
import { listen } from '../ports.ts';
import { scratchFolder } from '../scratch.ts';
import { account, offers } from './offers.ts';
import type { Offer } from './offers.ts';
import { bodySizes } from './situations.ts';
import type { BodySize } from './situations.ts';

/** A request that was let in. */
export interface Admitted {
  readonly method: string;
  /** Without the cell. */
  readonly target: string;
  readonly user: string | undefined;
  readonly package: string | undefined;
  readonly scheme: string | undefined;
  /** Bytes of the body that arrived. */
  readonly bytes: number;
  /** SHA-256 of it, as hex. */
  readonly hash: string;
  /** What the answer's body is: nobody can print it who has not read it. */
  readonly answer: string;
}

/** What the servers saw of one cell. */
export interface Seen {
  /** Requests that came, those of the handshake included. */
  requests: number;
  readonly admitted: Admitted[];
}

/** Environments of clients. */
export interface ClientEnvironments {
  /** Has a ticket. */
  readonly ticket: Readonly<Record<string, string>>;
  /** Has none. */
  readonly noTicket: Readonly<Record<string, string>>;
  /** gss-ntlmssp has the account, with the right or a wrong password. */
  readonly ntlm: Readonly<Record<string, string>>;
  readonly wrongNtlm: Readonly<Record<string, string>>;
}

/** A framework that the servers run on. */
export type Framework = 'express' | 'fastify';

/** The ground. */
export interface ClientGround extends AsyncDisposable {
  readonly environments: ClientEnvironments;
  readonly kdc: Kdc;
  readonly bodies: Readonly<Record<BodySize, string>>;
  /** SHA-256 of the bodies. */
  readonly hashes: Readonly<Record<BodySize | 0, string>>;
  /** Port of the server with an offer; it is started the first time. */
  port(offer: Offer, framework: Framework): Promise<number>;
  /** What was seen of a cell, from its first request on. */
  seen(cell: string): Seen;
}

/** Lines of digits: text that every client can carry, and no two places of it alike. */
function bodyOf(bytes: number): string {
  let body = '';
  for (let line = 0; body.length < bytes; line++) body += `${String(line).padStart(9, '0')}\n`;
  return body.slice(0, bytes);
}

const sha256 = (body: string): string => createHash('sha256').update(body).digest('hex');

/** WebDAV clients want to know that the server is one. */
const propfind = (href: string): string => `<?xml version="1.0" encoding="utf-8"?>
<D:multistatus xmlns:D="DAV:"><D:response><D:href>${href}</D:href><D:propstat><D:prop><D:resourcetype><D:collection/>
</D:resourcetype></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>\n`;

/** The application: notes who came with what, and answers something new each time. */
class Application {
  readonly #cells = new Map<string, Seen>();
  #answers = 0;

  seen(cell: string): Seen {
    let seen = this.#cells.get(cell);
    if (seen === undefined) this.#cells.set(cell, (seen = { requests: 0, admitted: [] }));
    return seen;
  }

  /** The cell is the first part of the path. */
  #cellOf(target: string): [cell: string, rest: string] {
    const [, cell = '', rest = ''] = /^\/([^/?]*)(.*)$/.exec(target) ?? [];
    return [cell, rest];
  }

  count(request: IncomingMessage): void {
    this.seen(this.#cellOf(request.url ?? '')[0]).requests++;
  }

  async answer(
    request: IncomingMessage,
    response: ServerResponse,
    user: Identity | undefined,
    sspi: SecurityContextInfo | undefined,
  ): Promise<void> {
    const { method = '', url = '' } = request;
    const [cell, target] = this.#cellOf(url);
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.byteLength;
      hash.update(chunk);
    }
    if (target === '/redirect') return void response.writeHead(302, { location: `/${cell}/` }).end();
    const answer = `answer-${++this.#answers}-of-${cell}`;
    this.seen(cell).admitted.push({
      method,
      target,
      user: user?.name,
      package: sspi?.package,
      scheme: sspi?.scheme,
      bytes,
      hash: hash.digest('hex'),
      answer,
    });
    if (method === 'OPTIONS') return void response.writeHead(200, { dav: '1', allow: 'OPTIONS, GET, PUT' }).end();
    if (method === 'PROPFIND') {
      return void response.writeHead(207, { 'content-type': 'application/xml' }).end(propfind(url));
    }
    response.writeHead(method === 'PUT' ? 201 : 200, { 'content-type': 'text/plain' }).end(`${answer}\n`);
  }
}

function expressServer(application: Application, options: SspiAuthOptions): { server: Server; close(): void } {
  const app = express();
  app.set('env', 'test');
  const auth = sspiAuth(options);
  app.use(auth);
  app.use((request, response, next) => {
    application.answer(request, response, request.user, request.sspi).catch(next);
  });
  return { server: createServer(recommendedServerOptions, app), close: () => auth.close() };
}

async function fastifyServer(
  application: Application,
  options: SspiAuthOptions,
): Promise<{ server: Server; close(): Promise<void> }> {
  const app = fastify({ http: recommendedServerOptions });
  app.addHttpMethod('PROPFIND', { hasBody: true });
  await app.register(fastifySspiAuth, options);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.all('*', async (request, reply) => {
    reply.hijack();
    await application.answer(request.raw, reply.raw, request.user ?? undefined, request.sspi ?? undefined);
  });
  await app.ready();
  return { server: app.server, close: () => app.close() };
}

/** Starts the ground. Its KDC's environment becomes that of this process, whose libkrb5 the servers use. */
export async function startClientGround(): Promise<ClientGround> {
  const resources: AsyncDisposable[] = [];
  const use = async <T extends AsyncDisposable>(made: Promise<T>): Promise<T> => {
    const resource = await made;
    resources.push(resource);
    return resource;
  };
  const dispose = async (): Promise<void> => {
    for (const resource of resources.splice(0).reverse()) await resource[Symbol.asyncDispose]();
  };
  try {
    return { ...(await furnish(use)), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** @param use takes what has to be disposed of, the last one first */
async function furnish(
  use: <T extends AsyncDisposable>(made: Promise<T>) => Promise<T>,
): Promise<Omit<ClientGround, typeof Symbol.asyncDispose>> {
  const { domain, userName, password } = account;
  const folder = await use(scratchFolder('clients'));
  const kdc = await use(startKdc({ services: ['HTTP/localhost'], users: { [userName]: password } }));
  Object.assign(process.env, kdc.env);
  const ntlm = await use(ntlmGssAccount(domain, userName, password));
  const wrongNtlm = await use(ntlmGssAccount(domain, userName, 'wrong'));

  const bodies = {} as Record<BodySize, string>;
  const hashes = { 0: sha256('') } as Record<BodySize | 0, string>;
  for (const size of bodySizes) {
    const body = bodyOf(size);
    bodies[size] = folder.file(`body-${size}`);
    hashes[size] = sha256(body);
    await writeFile(bodies[size], body);
  }

  const application = new Application();
  const accounts = memoryAccounts([account]);
  const start = async (offer: Offer, framework: Framework): Promise<number> => {
    const { options, tickets } = offers[offer];
    const settings: SspiAuthOptions = {
      ...options,
      domain,
      ...(offer.endsWith('kerberos') ? {} : { accounts }),
      ...(tickets ? { keytab: kdc.keytab } : {}),
    };
    const make = framework === 'express' ? expressServer : fastifyServer;
    const made = await make(application, settings);
    const { server } = made;
    await use(Promise.resolve({ [Symbol.asyncDispose]: async () => made.close() }));
    server.prependListener('request', (request) => application.count(request));
    return (await use(listen(server))).port;
  };
  const ports = new Map<string, Promise<number>>();
  return {
    environments: {
      ticket: await kdc.signIn(userName),
      noTicket: kdc.env,
      ntlm: ntlm.env,
      wrongNtlm: wrongNtlm.env,
    },
    kdc,
    bodies,
    hashes,
    port(offer, framework) {
      const key = `${offer} ${framework}`;
      let port = ports.get(key);
      if (port === undefined) ports.set(key, (port = start(offer, framework)));
      return port;
    },
    seen: (cell) => application.seen(cell),
  };
}
