/**
 * sspi-auth for Fastify 5.
 *
 * ```ts
 * await app.register(sspiAuth, { accounts });
 * app.get('/', (request) => `Hello ${request.user?.name}`);
 * ```
 *
 * Protects the routes of the context it is registered in, and of that context's children; siblings stay open.
 */
import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import {
  awaitVerdict,
  createAuthenticator,
  discardBody,
  endAndClose,
  holdContinue,
  mayProceed,
  mustStayOpen,
  writeOutcome,
} from '../src/index.ts';
import type { Authenticator, Identity, Logger, Outcome, SecurityContextInfo, SspiAuthOptions } from '../src/index.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent the request; null where `anonymous` or `skip` let it through. */
    user: Identity | null;
    /** How that is known. */
    sspi: SecurityContextInfo | null;
  }
  interface FastifyInstance {
    /** The authenticator of this context. */
    sspiAuth: Authenticator<FastifyRequest>;
  }
}

/** Options of the plugin; the logger is Fastify's own unless another is given. */
export type FastifySspiAuthOptions = SspiAuthOptions<FastifyRequest>;

const plugin: FastifyPluginCallback<FastifySspiAuthOptions> = (instance, options, done) => {
  let authenticator: Authenticator<FastifyRequest>;
  try {
    authenticator = createAuthenticator<FastifyRequest>({ logger: loggerOf(instance), ...ownOptions(options) });
  } catch (error) {
    done(error instanceof Error ? error : new Error('sspi-auth could not start', { cause: error }));
    return;
  }
  const { discardedBodyBytes } = authenticator.settings.limits;
  if (!instance.hasRequestDecorator('user')) instance.decorateRequest('user', null);
  if (!instance.hasRequestDecorator('sspi')) instance.decorateRequest('sspi', null);
  if (!instance.hasDecorator('sspiAuth')) instance.decorate('sspiAuth', authenticator);
  holdContinue(instance.server);

  // onRequest comes before the body is parsed: nothing of an unknown sender's body is looked at.
  instance.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, proceed) => {
    const { raw: message } = request;
    const carry = (outcome: Outcome): void => {
      if (mayProceed(outcome)) {
        writeOutcome(message, reply.raw, outcome, discardedBodyBytes);
        if (outcome.type === 'authenticated') {
          request.user = outcome.user;
          request.sspi = outcome.sspi;
        }
        proceed();
      } else if (discardBody(message, discardedBodyBytes)) {
        // Through Fastify, so that its onSend hooks (CORS fields, metrics) see the response.
        void reply.code(outcome.status);
        for (const [name, value] of outcome.headers) void reply.header(name, value);
        if (mustStayOpen(reply.raw, outcome)) void reply.header('Connection', 'keep-alive');
        void reply.send(outcome.body);
      } else {
        // Only the raw response can stay open until the client has read it.
        reply.hijack();
        reply.raw.statusCode = outcome.status;
        for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value ?? '');
        for (const [name, value] of outcome.headers) reply.raw.setHeader(name, value);
        endAndClose(message, reply.raw, outcome.body);
      }
    };
    awaitVerdict(message, reply.raw);
    const outcome = authenticator.authenticate(message, request.originalUrl, request);
    if (outcome instanceof Promise) outcome.then(carry, proceed);
    else carry(outcome);
  });
  instance.addHook('onClose', (_instance, closed) => {
    authenticator.close();
    closed();
  });
  done();
};

/** Fastify's own logger, where one was configured. */
function loggerOf(instance: FastifyInstance): Logger {
  const { log } = instance;
  return {
    info: (record, message) => log.info(record, message),
    warn: (record, message) => log.warn(record, message),
    error: (record, message) => log.error(record, message),
    debug: (record, message) => log.debug(record, message),
  };
}

/** Without the options that Fastify itself takes of every plugin. */
function ownOptions(options: FastifySspiAuthOptions): FastifySspiAuthOptions {
  const own: FastifySspiAuthOptions = { ...options };
  for (const name of ['prefix', 'logLevel', 'logSerializers']) Reflect.deleteProperty(own, name);
  return own;
}

/** Register this: `app.register(sspiAuth, options)`. */
export const sspiAuth: FastifyPluginCallback<FastifySspiAuthOptions> = Object.assign(plugin, {
  // What fastify-plugin sets: hooks and decorators belong to the context that registers, not to one of our own.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'sspi-auth',
  [Symbol.for('plugin-meta')]: { fastify: '5.x', name: 'sspi-auth' },
});

export default sspiAuth;
