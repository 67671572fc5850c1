/**
 * sspi-auth for an application's own tests: the real adapters, with users who are named instead of signed in.
 *
 * ```ts
 * const test = testAuth();
 * app.use(test.express({ authorize }));
 * await request(app).get('/').set(test.as({ userName: 'alice', groups: ['CORP\\Admins'] }));
 * ```
 *
 * Everything after the sign-in is real: 401, 403, `authorize`, `requireGroup`, `refuse`. It starts in tests alone and
 * answers this machine alone. The adapters load no framework; each needs the one that the application has.
 */
import type { IncomingMessage } from 'node:http';
import type { FastifyPluginCallback } from 'fastify';
import type { Context } from 'hono';
import { OptionError } from '../src/index.ts';
import { sspiAuth as express } from './express.ts';
import type { ExpressSspiAuthOptions, SspiAuthHandler } from './express.ts';
import { sspiAuth as fastify } from './fastify.ts';
import type { FastifySspiAuthOptions } from './fastify.ts';
import { sspiAuth as hono } from './hono.ts';
import type { HonoSspiAuthOptions, SspiAuthMiddleware as HonoMiddleware } from './hono.ts';
import { sspiAuth as koa } from './koa.ts';
import type { KoaSspiAuthOptions, SspiAuthMiddleware as KoaMiddleware } from './koa.ts';
import { sspiAuth as node } from './node.ts';
import type { NodeSspiAuthOptions, Protect } from './node.ts';
import { SignedUsers } from './testing/signed-users.ts';
import { testOptions } from './testing/test-options.ts';
import type { TestUser } from './testing/test-user.ts';

export type { TestUser } from './testing/test-user.ts';

/** Options of `testAuth`. */
export interface TestAuthOptions {
  /**
   * What the fields are signed with, at least 16 characters: where requests come from another process, as Playwright's
   * do. Left out: a random key of this instance.
   */
  readonly secret?: string | undefined;
  /** Starts although NODE_ENV is not `test`. */
  readonly allowOutsideTests?: boolean | undefined;
}

/** The adapters for tests, by the names of their subpaths. They take the options of the real ones. */
export interface TestAuth {
  readonly express: (options?: ExpressSspiAuthOptions) => SspiAuthHandler;
  /** The plugin: `app.register(test.fastify, options)`. */
  readonly fastify: FastifyPluginCallback<FastifySspiAuthOptions>;
  readonly node: (options?: NodeSspiAuthOptions) => Protect;
  readonly koa: (options?: KoaSspiAuthOptions) => KoaMiddleware;
  readonly hono: (options?: HonoSspiAuthOptions) => HonoMiddleware;
  /**
   * The field of a request from a user. A request without it is not signed in.
   *
   * @throws OptionError if the user has no name
   */
  readonly as: (user: TestUser) => { readonly authorization: string };
}

/**
 * Makes adapters for tests.
 *
 * @throws OptionError outside of tests, or if the secret is too short
 */
export function testAuth({ secret, allowOutsideTests }: TestAuthOptions = {}): TestAuth {
  if (process.env['NODE_ENV'] !== 'test' && allowOutsideTests !== true) {
    throw new OptionError(
      'testAuth',
      'starts in tests alone, and NODE_ENV is not "test"',
      'Set NODE_ENV=test for the tests, or give { allowOutsideTests: true }; never use it where others reach the server.',
    );
  }
  const users = new SignedUsers(secret);
  const itself = (request: IncomingMessage): IncomingMessage => request;
  const plugin: FastifyPluginCallback<FastifySspiAuthOptions> = (instance, options, done) =>
    fastify(
      instance,
      testOptions(options, users, ({ raw }) => raw),
      done,
    );
  return Object.freeze({
    express: (options?: ExpressSspiAuthOptions) => express(testOptions(options, users, itself)),
    fastify: asPlugin(plugin),
    node: (options?: NodeSspiAuthOptions) => node(testOptions(options, users, itself)),
    koa: (options?: KoaSspiAuthOptions) => koa(testOptions(options, users, ({ req }) => req)),
    hono: (options?: HonoSspiAuthOptions) => hono(testOptions(options, users, incomingOf)),
    as: (user: TestUser) => ({ authorization: users.sign(user) }),
  });
}

/** Gives a plugin what Fastify knows of the real one: that it belongs to the context which registers it. */
function asPlugin(
  plugin: FastifyPluginCallback<FastifySspiAuthOptions>,
): FastifyPluginCallback<FastifySspiAuthOptions> {
  for (const symbol of Object.getOwnPropertySymbols(fastify)) {
    Reflect.set(plugin, symbol, Reflect.get(fastify, symbol));
  }
  return plugin;
}

/** The request of node:http, as @hono/node-server gives it. */
function incomingOf({ env }: Context): IncomingMessage {
  return (env as { readonly incoming: IncomingMessage }).incoming;
}
