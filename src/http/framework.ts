/** Tells an adapter that was given to another framework than its own, so that its error can say so. */
import { OptionError } from '../foundation/errors.ts';

/** The adapters, by their subpaths. */
export type Framework = 'express' | 'fastify' | 'node' | 'koa' | 'hono';

const imports: Readonly<Record<Framework, string>> = {
  express: "import { sspiAuth } from 'sspi-auth/express', and write app.use(sspiAuth({ … }))",
  fastify: "import sspiAuth from 'sspi-auth/fastify', and write await app.register(sspiAuth, { … })",
  node: "import { sspiAuth } from 'sspi-auth/node', and write createServer(sspiAuth({ … })(listener))",
  koa: "import { sspiAuth } from 'sspi-auth/koa', and write app.use(sspiAuth({ … }))",
  hono: "import { sspiAuth } from 'sspi-auth/hono', and write app.use(sspiAuth({ … }))",
};

/** What calls a function with this as its first argument; undefined if it is none of those. */
function callerOf(given: unknown): Framework | undefined {
  if ((typeof given !== 'object' && typeof given !== 'function') || given === null) return undefined;
  if (has(given, 'register') && has(given, 'addHook')) return 'fastify';
  if (has(given, 'raw') && has(given, 'routeOptions')) return 'fastify';
  if (has(given, 'req') && has(given, 'env') && has(given, 'newResponse')) return 'hono';
  if (has(given, 'req') && has(given, 'res') && has(given, 'originalUrl')) return 'koa';
  if (has(given, 'rawHeaders')) return has(given, 'originalUrl') ? 'express' : 'node';
  return undefined;
}

function has(given: object, name: string): boolean {
  return name in given;
}

/**
 * Throws where a function of an adapter was called by another framework than its own.
 *
 * @param own the adapter
 * @param given the first argument of the call
 * @throws OptionError that names the right import
 */
export function refuseFramework(own: Framework, given: unknown): void {
  const caller = callerOf(given);
  const isOwn = caller === own || (own === 'express' && caller === 'node') || (own === 'node' && caller === 'express');
  if (isOwn) return;
  const what = caller === undefined ? 'something that is no request' : callers[caller];
  const cure = imports[caller ?? own];
  throw new OptionError('sspiAuth', `of sspi-auth/${own} was called with ${what}`, `Instead ${cure}.`);
}

const callers: Readonly<Record<Framework, string>> = {
  express: 'a request of Express',
  fastify: 'an instance or a request of Fastify',
  node: 'a request of node:http',
  koa: 'a context of Koa',
  hono: 'a context of Hono',
};
