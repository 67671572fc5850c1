/**
 * HTTP/2: streams of one connection may be of several users, so that Negotiate and NTLM have no place there. Digest is
 * offered, tokens of the application are verified, and `refuse` answers the rest, in each framework that serves HTTP/2.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:http2';
import type { Http2Server, IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { createAdaptorServer } from '@hono/node-server';
import fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { sspiAuth as fastifySspiAuth } from '../../adapters/fastify.ts';
import { sspiAuth as honoSspiAuth } from '../../adapters/hono.ts';
import { sspiAuth as koaSspiAuth } from '../../adapters/koa.ts';
import { sspiAuth as nodeSspiAuth } from '../../adapters/node.ts';
import type { Identity, Refusal } from '../../src/index.ts';
import { accounts } from './scenarios.ts';

const service: Identity = { name: 'service', userName: 'service', groups: [], package: 'JWT' };
const page = ({ status }: Refusal): string => `own page ${status}`;
const options = (asked: number[]) => ({
  accounts,
  logger: false as const,
  schemes: ['NTLM', 'Digest'] as const,
  authorize: ({ userName }: Identity) => userName === 'service',
  note: (refusal: Refusal): string => {
    asked.push(refusal.status);
    return page(refusal);
  },
});

/** An application of each framework over HTTP/2: its server, with the statuses that `refuse` was asked for. */
const applications: Readonly<Record<string, (asked: number[]) => Promise<Http2Server>>> = {
  'node:http2': async (asked) => {
    const { note, ...shared } = options(asked);
    const protect = nodeSspiAuth({
      ...shared,
      otherSchemes: { Bearer: ({ headers }) => (headers.authorization === 'Bearer right' ? service : undefined) },
      refuse: (_request, response, refusal) => void response.end(note(refusal)),
    });
    const listener = protect((request, response) => void response.end(request.user?.name));
    return createServer((request, response) => listener(request as never, response as never));
  },
  Koa: async (asked) => {
    const { note, ...shared } = options(asked);
    const auth = koaSspiAuth({
      ...shared,
      otherSchemes: { Bearer: (context) => (context.get('authorization') === 'Bearer right' ? service : undefined) },
      refuse: (context, refusal) => void (context.body = note(refusal)),
    });
    const app = new Koa().use(auth).use((context) => {
      context.body = (context.state as { user?: Identity }).user?.name;
    });
    const handle = app.callback();
    return createServer((request, response) => {
      handle(request, response).catch(() => response.stream.close());
    });
  },
  Fastify: async (asked) => {
    const { note, ...shared } = options(asked);
    const app = fastify({ http2: true });
    await app.register(
      fastifySspiAuth as never,
      {
        ...shared,
        otherSchemes: {
          Bearer: ({ headers }: { headers: IncomingHttpHeaders }) =>
            headers.authorization === 'Bearer right' ? service : undefined,
        },
        refuse: (_request: unknown, reply: { send(text: string): unknown }, refusal: Refusal) =>
          reply.send(note(refusal)),
      } as never,
    );
    app.get('/', (request) => (request as unknown as { user?: Identity }).user?.name);
    await app.ready();
    return app.server;
  },
  Hono: async (asked) => {
    const { note, ...shared } = options(asked);
    const auth = honoSspiAuth({
      ...shared,
      otherSchemes: { Bearer: (c) => (c.req.header('authorization') === 'Bearer right' ? service : undefined) },
      refuse: (c, refusal) => c.text(note(refusal)),
    });
    const app = new Hono().use(auth).get('/', (c) => c.text(c.var.user?.name ?? ''));
    return createAdaptorServer({ fetch: app.fetch, createServer }) as unknown as Http2Server;
  },
};

interface Answer {
  readonly status: number | undefined;
  readonly challenges: readonly string[];
  readonly body: string;
}

/** Sends requests, one after the other, over one connection. */
async function ask(port: number, requests: readonly Readonly<Record<string, string>>[]): Promise<Answer[]> {
  const session = connect(`http://127.0.0.1:${port}`);
  const answers: Answer[] = [];
  try {
    for (const fields of requests) {
      const stream = session.request({ ':path': '/', ...fields });
      const [headers] = (await once(stream, 'response')) as [Record<string, string | number | undefined>];
      let body = '';
      for await (const chunk of stream) body += String(chunk);
      const challenges = String(headers['www-authenticate'] ?? '').match(/\b(?:NTLM|Negotiate|Digest)\b/g) ?? [];
      answers.push({ status: Number(headers[':status']), challenges, body });
    }
  } finally {
    session.close();
  }
  return answers;
}

describe('refuse over HTTP/2', () => {
  for (const [framework, start] of Object.entries(applications)) {
    it(`${framework}: the page of the application, Digest alone, and tokens are verified`, async () => {
      const asked: number[] = [];
      const server = await start(asked);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      try {
        const answers = await ask((server.address() as AddressInfo).port, [
          {},
          { authorization: 'NTLM TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw==' },
          { authorization: 'Bearer wrong' },
          { authorization: 'Bearer right' },
          {},
        ]);
        const refused = { status: 401, challenges: ['Digest', 'Digest'], body: 'own page 401' };
        assert.deepEqual(answers, [
          refused,
          refused,
          refused,
          { status: 200, challenges: [], body: 'service' },
          refused,
        ]);
        assert.deepEqual(asked, [401, 401, 401, 401]);
      } finally {
        server.close();
      }
    });
  }
});
