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
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import {
  awaitResult,
  bodyOf,
  createAuthenticator,
  discardBodyFor,
  endAndClose,
  holdContinue,
  mayProceed,
  mustStayOpen,
  writeOutcome,
} from '../src/index.ts';
import type {
  AuthenticatedOutcome,
  Authenticator,
  BodyLimits,
  ChallengeOutcome,
  Identity,
  Logger,
  Outcome,
  RefusedOutcome,
  SecurityContextInfo,
  SspiAuthOptions,
} from '../src/index.ts';

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
  const { limits } = authenticator.settings;
  const assigned = decorateRequests(instance);
  if (!instance.hasDecorator('sspiAuth')) instance.decorate('sspiAuth', authenticator);
  holdContinue(instance.server);

  const carry = (request: AdmittedRequest, reply: FastifyReply, proceed: () => void, outcome: Outcome): void => {
    // Somebody who did not wait for the result has answered (a timeout of the application).
    if (reply.sent) return;
    if (!mayProceed(outcome)) {
      // Or has begun to, on the raw response, of which Fastify knows nothing.
      if (!reply.raw.headersSent) refuse(request.raw, reply, outcome, limits);
      return;
    }
    // Fields on the raw response, which a handler may write to past Fastify.
    writeOutcome(request.raw, reply.raw, outcome, limits);
    if (outcome.type === 'authenticated') {
      request[admitted] = outcome;
      if (assigned.length > 0) assign(request, outcome, assigned);
    }
    proceed();
  };
  const carryWhenSettled = (
    request: FastifyRequest,
    reply: FastifyReply,
    proceed: (error?: Error) => void,
    outcome: Promise<Outcome>,
  ): void => {
    outcome.then((settled) => carry(request, reply, proceed, settled)).catch(proceed);
  };
  // A function that makes a closure pays for it at its start: those stand apart from what runs for signed-in requests.
  const verify = (request: AdmittedRequest, reply: FastifyReply, proceed: (error?: Error) => void): void => {
    request[admitted] ??= notYetKnown;
    awaitResult(request.raw, reply.raw);
    const outcome = authenticator.authenticate(request.raw, targetOf, request);
    if (outcome instanceof Promise) carryWhenSettled(request, reply, proceed, outcome);
    else carry(request, reply, proceed, outcome);
  };
  // onRequest comes before the body is parsed: nothing of an unknown sender's body is looked at.
  instance.addHook('onRequest', (request: AdmittedRequest, reply: FastifyReply, proceed) => {
    const outcome = authenticator.standing(request.raw);
    if (outcome === undefined) {
      verify(request, reply, proceed);
    } else {
      request[admitted] = outcome;
      if (assigned.length > 0) assign(request, outcome, assigned);
      proceed();
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

/** Writes a response of our own. */
function refuse(
  message: IncomingMessage,
  reply: FastifyReply,
  outcome: ChallengeOutcome | RefusedOutcome,
  limits: BodyLimits,
): void {
  if (discardBodyFor(message, outcome, limits)) {
    // Through Fastify, so that its onSend hooks (CORS fields, metrics) see the response.
    void reply.code(outcome.status);
    for (const [name, value] of outcome.headers) void reply.header(name, value);
    if (mustStayOpen(reply.raw, outcome)) void reply.header('Connection', 'keep-alive');
    void reply.send(bodyOf(outcome));
  } else {
    // Only the raw response can stay open until the client has read it.
    reply.hijack();
    reply.raw.statusCode = outcome.status;
    for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value ?? '');
    for (const [name, value] of outcome.headers) reply.raw.setHeader(name, value);
    endAndClose(message, reply.raw, bodyOf(outcome));
  }
}

/** Where a request keeps who sent it. */
const admitted = Symbol('sspi-auth admitted');
/**
 * What stands there until the result: V8 sizes the objects of a constructor by the first few of them, which are requests
 * without credentials. A property that only the later ones have would be kept in a second object, made for each request.
 */
const notYetKnown: Admitted = Object.freeze({ user: null, sspi: null });
/** Decorator of a context: which of the two names its application has decorated for itself. */
const taken = Symbol('sspi-auth taken');
const names = ['user', 'sspi'] as const;

type RequestName = (typeof names)[number];
type Admitted = Readonly<Pick<FastifyRequest, RequestName>>;
interface AdmittedRequest extends FastifyRequest {
  [admitted]?: Admitted;
}

/**
 * Decorates the requests of a context with `user` and `sspi`, as accessors to one property: a decorator with a value would
 * be written into each request that Fastify makes, and then a second time.
 *
 * @returns the names that the application has decorated for itself, which have to be assigned to
 */
function decorateRequests(instance: FastifyInstance): readonly RequestName[] {
  // Not by getDecorator, which the first versions of Fastify 5 do not have.
  if (instance.hasDecorator(taken)) return Reflect.get(instance, taken) as readonly RequestName[];
  const others = names.filter((name) => instance.hasRequestDecorator(name));
  if (!others.includes('user')) instance.decorateRequest('user', accessor('user'));
  if (!others.includes('sspi')) instance.decorateRequest('sspi', accessor('sspi'));
  instance.decorate(taken, others);
  return others;
}

function accessor<N extends RequestName>(
  name: N,
): {
  getter(this: AdmittedRequest): FastifyRequest[N] | null;
  setter(this: AdmittedRequest, value: FastifyRequest[N]): void;
} {
  return {
    getter() {
      return this[admitted]?.[name] ?? null;
    },
    setter(value) {
      this[admitted] = { user: null, sspi: null, ...this[admitted], [name]: value };
    },
  };
}

function assign(request: FastifyRequest, outcome: AuthenticatedOutcome, assigned: readonly RequestName[]): void {
  for (const name of assigned) Object.assign(request, { [name]: outcome[name] });
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
