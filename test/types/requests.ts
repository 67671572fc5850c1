/** What each adapter adds to its framework's request, checked by `npm run check:types`: nothing here runs. */
import type { Request, RequestHandler } from 'express';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Context as HonoContext } from 'hono';
import express from '../../adapters/express.ts';
import fastify from '../../adapters/fastify.ts';
import type { FastifySspiAuth } from '../../adapters/fastify.ts';
import hono from '../../adapters/hono.ts';
import koa from '../../adapters/koa.ts';
import type { SspiAuthContext } from '../../adapters/koa.ts';
import node from '../../adapters/node.ts';
import type { AuthenticatedRequest } from '../../adapters/node.ts';
import type { Authenticator, Identity, SecurityContextInfo } from '../../src/index.ts';
import type { Equals, Expect } from './equals.ts';

export type ExpressTypes = [
  Expect<Equals<Request['user'], Express.User | undefined>>,
  Expect<Express.User extends Identity ? true : false>,
  Expect<Equals<Request['sspi'], SecurityContextInfo | undefined>>,
  Expect<ReturnType<typeof express> extends RequestHandler ? true : false>,
];

export type FastifyTypes = [
  Expect<Equals<FastifyRequest['user'], Identity | null>>,
  Expect<Equals<FastifyRequest['sspi'], SecurityContextInfo | null>>,
  Expect<Equals<FastifyInstance['sspiAuth'], FastifySspiAuth>>,
  Expect<
    Equals<FastifySspiAuth['authenticator'], Authenticator<FastifyRequest, readonly [FastifyRequest, FastifyReply]>>
  >,
];

export type KoaTypes = [Expect<Equals<SspiAuthContext['state']['sspi'], SecurityContextInfo | undefined>>];

export type HonoTypes = [
  Expect<Equals<HonoContext['var']['user'], Identity | undefined>>,
  Expect<Equals<HonoContext['var']['sspi'], SecurityContextInfo | undefined>>,
];

export type NodeTypes = [
  Expect<Equals<AuthenticatedRequest['user'], Identity | undefined>>,
  Expect<Equals<AuthenticatedRequest['sspi'], SecurityContextInfo | undefined>>,
];

/** Each adapter hands its own request to `skip` and `authorize`. */
export function adaptersKnowTheirRequest(instance: FastifyInstance): void {
  express({ skip: (request) => request.path === '/health' });
  void instance.register(fastify, { authorize: (user, request) => request.routeOptions.url !== user.name });
  node({ skip: ({ method }) => method === 'OPTIONS' });
  // What answers refusals is given what its framework gives a handler.
  express({ refuse: (_request, response, { status }) => response.status(status).json({ status }) });
  void instance.register(fastify, { refuse: async (_request, reply, { status }) => reply.send({ status }) });
  koa({ refuse: (context, { status }) => void (context.body = `refused: ${status}`) });
  hono({ refuse: (context, { status }) => context.text('refused', status), schemesFor: (c) => (c.req.path ? [] : []) });
  node({ refuse: (_request, response) => response.end('refused'), otherSchemes: { Bearer: 'pass' } });
  // @ts-expect-error node:http's request has no path
  node({ skip: (request) => request.path === '/health' });
}
