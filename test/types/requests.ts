/** What each adapter adds to its framework's request, checked by `npm run check:types`: nothing here runs. */
import type { Request, RequestHandler } from 'express';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import express from '../../adapters/express.ts';
import fastify from '../../adapters/fastify.ts';
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
  Expect<Equals<FastifyInstance['sspiAuth'], Authenticator<FastifyRequest>>>,
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
  // @ts-expect-error node:http's request has no path
  node({ skip: (request) => request.path === '/health' });
}
