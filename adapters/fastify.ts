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
  awaitResult,
  createAuthenticator,
  endAndClose,
  holdContinue,
  isStanding,
  mayProceed,
  refusalResponse,
  writeOutcome,
} from '../src/index.ts';
import type {
  Authenticator,
  Identity,
  Logger,
  Outcome,
  RefusalResponse,
  SecurityContextInfo,
  SspiAuthOptions,
} from '../src/index.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent the request; null if `anonymous` or `skip` let it through. */
    user: Identity | null;
    /** How the user was authenticated. */
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
  const { limits } = authenticator.settings;
  for (const name of ['user', 'sspi']) {
    if (!instance.hasRequestDecorator(name)) instance.decorateRequest(name, null);
  }
  if (!instance.hasDecorator('sspiAuth')) instance.decorate('sspiAuth', authenticator);
  holdContinue(instance.server);

  const carry = (
    request: FastifyRequest,
    reply: FastifyReply,
    proceed: (error?: Error) => void,
    outcome: Outcome,
  ): void => {
    // The application has answered without waiting for the result (after a timeout, for example).
    if (reply.sent) return;
    if (!mayProceed(outcome)) {
      // It may also have begun to answer on the raw response, which Fastify does not notice.
      if (reply.raw.headersSent) return;
      const refusal = refusalResponse(request.raw, reply.raw, outcome, limits);
      const send = (): void => refuse(request, reply, refusal);
      if (refusal.ready === undefined) send();
      else refusal.ready.then(send).catch(proceed);
      return;
    }
    // The fields are set on the raw response, because a handler may write to it without Fastify. A Vary that another
    // hook has set on the reply would replace the one there.
    const vary = reply.getHeader('vary');
    if (vary !== undefined && !reply.raw.headersSent) {
      void reply.removeHeader('vary');
      reply.raw.setHeader('Vary', [vary].flat().join(', '));
    }
    writeOutcome(request.raw, reply.raw, outcome, limits);
    if (outcome.type === 'authenticated') {
      request.user = outcome.user;
      request.sspi = outcome.sspi ?? null;
    }
    proceed();
  };
  const carryWhenSettled = (
    request: FastifyRequest,
    reply: FastifyReply,
    proceed: (error?: Error) => void,
    outcome: Outcome | Promise<Outcome>,
  ): void => {
    awaitResult(request.raw, reply.raw);
    if (outcome instanceof Promise) outcome.then((settled) => carry(request, reply, proceed, settled)).catch(proceed);
    else carry(request, reply, proceed, outcome);
  };
  // onRequest runs before the body is parsed, so the body of an unknown sender is never parsed.
  instance.addHook('onRequest', (request, reply, proceed) => {
    const outcome = authenticator.authenticate(request.raw, targetOf, request);
    if (isStanding(outcome)) {
      ({ user: request.user, sspi: request.sspi } = outcome);
      proceed();
    } else {
      carryWhenSettled(request, reply, proceed, outcome);
    }
  });
  instance.addHook('onClose', (_instance, closed) => {
    authenticator.close();
    closed();
  });
  done();
};

function targetOf({ originalUrl }: FastifyRequest): string {
  return originalUrl;
}

/** Sends the response for a request whose handler may not run. */
function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, headers, body, closes }: RefusalResponse,
): void {
  // The client has gone, or the application has answered, while its body was waited for.
  if (reply.sent || reply.raw.headersSent || reply.raw.destroyed) return;
  if (!closes) {
    // Through Fastify, so that its onSend hooks (CORS fields, metrics) see the response.
    void reply.code(status);
    for (const [name, value] of headers) void reply.header(name, value);
    void reply.send(body);
    return;
  }
  // Only the raw response can end its connection, or its stream of HTTP/2, in the right way.
  reply.hijack();
  reply.raw.statusCode = status;
  for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value ?? '');
  for (const [name, value] of headers) reply.raw.setHeader(name, value);
  endAndClose(request.raw, reply.raw, body);
}

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

/** The options without those that Fastify itself takes of every plugin. */
function ownOptions(options: FastifySspiAuthOptions): FastifySspiAuthOptions {
  const own: FastifySspiAuthOptions = { ...options };
  for (const name of ['prefix', 'logLevel', 'logSerializers']) Reflect.deleteProperty(own, name);
  return own;
}

/** Register this: `app.register(sspiAuth, options)`. */
export const sspiAuth: FastifyPluginCallback<FastifySspiAuthOptions> = Object.assign(plugin, {
  // The same properties as fastify-plugin sets: hooks and decorators belong to the context that registers the plugin,
  // not to a new one.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'sspi-auth',
  [Symbol.for('plugin-meta')]: { fastify: '5.x', name: 'sspi-auth' },
});

export default sspiAuth;
