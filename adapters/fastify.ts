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
  closing,
  createAuthenticator,
  endAndClose,
  holdContinue,
  holdRefusal,
  inGroup,
  isStanding,
  mayProceed,
  OptionError,
  refusalOf,
  refusalResponse,
  refuseFramework,
  requirement,
  signOut,
  writeOutcome,
} from '../src/index.ts';
import type {
  Authenticator,
  Close,
  HeaderField,
  Identity,
  Logger,
  Outcome,
  Revoke,
  Refusal,
  RefusalResponse,
  Refuser,
  RoutePolicy,
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
    /** The authenticator of this context, and functions that belong to it. */
    sspiAuth: FastifySspiAuth;
  }
  interface FastifyContextConfig {
    /**
     * For this route: `false` leaves its requests alone, as option `skip` does; `authorize` and `anonymous` stand in
     * place of the options of these names.
     */
    sspi?: false | RoutePolicy<FastifyRequest>;
  }
}

/** What Fastify gives a function that answers: option `refuse`. What it returns is sent, if it has sent nothing itself. */
export type FastifyContext = readonly [request: FastifyRequest, reply: FastifyReply];

/** Options of the plugin; the logger is Fastify's own unless another is given. */
export type FastifySspiAuthOptions = SspiAuthOptions<FastifyRequest, FastifyContext>;

/** A hook of a route, such as `preHandler`. */
export type FastifyRouteHook = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void;

/** `app.sspiAuth`. */
export interface FastifySspiAuth {
  readonly authenticator: Authenticator<FastifyRequest, FastifyContext>;
  /**
   * `preHandler` of a route that needs a user although others get by without one. Without a user it answers 401 with
   * every challenge.
   */
  readonly requireUser: FastifyRouteHook;
  /** The same for a user who is in one of these groups; others get 403. See `inGroup`. */
  readonly requireGroup: (...sidsOrNames: readonly [string, ...string[]]) => FastifyRouteHook;
  /** Makes a further server hold back `100 Continue` until the result. */
  readonly attach: (server: object) => void;
  /**
   * Signs the user of a request out: its session ends on every connection, and a mark in a cookie keeps the browser from
   * signing in again by itself. Call it on a POST of your own origin, before the response is sent. Needs option `session`.
   * Gives whether the store knows it: false while it is away.
   */
  readonly signOut: (request: FastifyRequest, reply: FastifyReply) => Promise<boolean>;
  /** Ends all sessions and standing sign-ins of a user. Gives whether the store knows it. Needs option `session`. */
  readonly revoke: Revoke;
  /**
   * Abandons every handshake and frees the credentials; with `{ drain }` when those under way have ended. `app.close()`
   * calls it.
   */
  readonly close: Close;
}

const plugin: FastifyPluginCallback<FastifySspiAuthOptions> = (instance, options, done) => {
  let authenticator: Authenticator<FastifyRequest, FastifyContext>;
  try {
    refuseFramework('fastify', instance);
    authenticator = createAuthenticator<FastifyRequest, FastifyContext>({
      logger: loggerOf(instance),
      ...ownOptions(options),
    });
  } catch (error) {
    done(error instanceof Error ? error : new Error('sspi-auth could not start', { cause: error }));
    return;
  }
  for (const name of ['user', 'sspi']) {
    if (!instance.hasRequestDecorator(name)) instance.decorateRequest(name, null);
  }
  const own: FastifySspiAuth = {
    authenticator,
    requireUser: requiring(undefined, authenticator),
    requireGroup: (...sidsOrNames) => requiring(inGroup(...sidsOrNames), authenticator),
    attach: (server) => holdContinue(server),
    signOut: (request, reply) => signOutOf(authenticator, request, reply),
    revoke: (user) => authenticator.revoke(user),
    close: closing(authenticator),
  };
  if (!instance.hasDecorator('sspiAuth')) instance.decorate('sspiAuth', own);
  holdContinue(instance.server);
  const policyOf = routePolicies(instance);

  const carry = (request: FastifyRequest, reply: FastifyReply, proceed: Proceed, outcome: Outcome): void => {
    if (!carryRefusal(authenticator, request, reply, proceed, outcome)) return;
    if (outcome.type === 'authenticated') {
      request.user = outcome.user;
      request.sspi = outcome.sspi ?? null;
    }
    proceed();
  };
  const carryWhenSettled = (
    request: FastifyRequest,
    reply: FastifyReply,
    proceed: Proceed,
    outcome: Outcome | Promise<Outcome>,
  ): void => {
    awaitResult(request.raw, reply.raw);
    if (outcome instanceof Promise) outcome.then((settled) => carry(request, reply, proceed, settled)).catch(proceed);
    else carry(request, reply, proceed, outcome);
  };
  // onRequest runs before the body is parsed, so the body of an unknown sender is never parsed.
  instance.addHook('onRequest', (request, reply, proceed) => {
    const policy = policyOf(request);
    if (policy === false) {
      proceed();
      return;
    }
    const outcome = authenticator.authenticate(request.raw, targetOf, request, policy);
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

type Proceed = (error?: Error) => void;

/**
 * What routes say for themselves (`config.sspi`). As long as no route does, requests are not asked for it: Fastify makes
 * an object for each answer.
 */
function routePolicies(
  instance: FastifyInstance,
): (request: FastifyRequest) => false | RoutePolicy<FastifyRequest> | undefined {
  // Routes that were there before the plugin have not been seen.
  let asks = instance.printRoutes().trim() !== '(empty tree)';
  instance.addHook('onRoute', ({ config, url }) => {
    const sspi: unknown = config?.sspi;
    if (sspi === undefined) return;
    asks = true;
    const isPolicy = typeof sspi === 'object' && sspi !== null;
    const { authorize, anonymous } = (isPolicy ? sspi : {}) as Record<keyof RoutePolicy<never>, unknown>;
    const isRight =
      (authorize === undefined || typeof authorize === 'function') &&
      (anonymous === undefined || typeof anonymous === 'boolean');
    if (sspi === false || (isPolicy && isRight)) return;
    const cure = 'Give false, or an object with authorize (a function) or anonymous (true or false), or both.';
    throw new OptionError('config.sspi', `of route ${url} cannot be used`, cure);
  });
  return (request) => (asks ? (request.routeOptions.config as { sspi?: false } | undefined)?.sspi : undefined);
}

/** Carries an outcome. True: the handler may run, and its fields are set. False: the response is done. */
function carryRefusal(
  authenticator: Authenticator<FastifyRequest, FastifyContext>,
  request: FastifyRequest,
  reply: FastifyReply,
  proceed: Proceed,
  outcome: Outcome,
): boolean {
  const { limits } = authenticator.settings;
  // The application has answered without waiting for the result (after a timeout, for example).
  if (reply.sent) return false;
  if (!mayProceed(outcome)) {
    // It may also have begun to answer on the raw response, which Fastify does not notice.
    if (reply.raw.headersSent) return false;
    const response = refusalResponse(request.raw, reply.raw, outcome, limits);
    const asked = refusalOf(outcome);
    const refuser = authenticator.refuser([request, reply], proceed);
    if (refuser !== undefined && asked !== undefined) {
      letAnswer(request, reply, response, refuser, asked);
      return false;
    }
    const send = (): void => sendRefusal(request, reply, response);
    if (response.ready === undefined) send();
    else response.ready.then(send).catch(proceed);
    return false;
  }
  // The fields are set on the raw response, because a handler may write to it without Fastify. A Vary that another
  // hook has set on the reply would replace the one there.
  const vary = reply.getHeader('vary');
  if (vary !== undefined && !reply.raw.headersSent) {
    void reply.removeHeader('vary');
    reply.raw.setHeader('Vary', [vary].flat().join(', '));
  }
  writeOutcome(request.raw, reply.raw, outcome, limits);
  addCookies(reply, outcome.headers);
  return true;
}

/** Sets cookies with Fastify as well: those of a handler would take the place of what the raw response has. */
function addCookies(reply: FastifyReply, headers: readonly HeaderField[]): void {
  for (const [name, values] of headers) {
    if (name === 'Set-Cookie') for (const value of [values].flat()) void reply.header(name, value);
  }
}

function signOutOf(
  authenticator: FastifySspiAuth['authenticator'],
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<boolean> {
  const told = signOut(authenticator, request.raw, reply.raw);
  const set = reply.raw.getHeader('Set-Cookie');
  addCookies(reply, set === undefined ? [] : [['Set-Cookie', [set].flat().map(String)]]);
  return told;
}

/** Lets the application answer a refusal. */
function letAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  response: RefusalResponse,
  refuser: Refuser,
  refusal: Refusal,
): void {
  const take = (): void => void reply.hijack();
  const { milliseconds, failed } = refuser;
  const held = holdRefusal(request.raw, reply.raw, response, milliseconds, { take, failed });
  void reply.code(response.status);
  for (const [name, value] of response.headers) {
    if (!/^content-/i.test(name)) void reply.header(name, value);
  }
  const sendGiven = (given: unknown): void => {
    if (given !== undefined && given !== reply && !held.isOver && !reply.sent) void reply.send(given);
  };
  const given = held.run(() => refuser.answer(refusal));
  if (given instanceof Promise) given.then(sendGiven).catch(failed);
  else sendGiven(given);
}

function requiring(
  admits: ((user: Identity) => boolean) | undefined,
  own?: Authenticator<FastifyRequest, FastifyContext>,
): FastifyRouteHook {
  return (request, reply, done) => {
    const lacking = requirement<FastifyRequest, FastifyContext>(
      request.raw,
      targetOf,
      request,
      request.user,
      admits,
      own,
    );
    if (lacking === undefined) done();
    else carryRefusal(lacking.authenticator, request, reply, done, lacking.outcome);
  };
}

/**
 * `preHandler` of routes that need a user, where requests without one get by: by `anonymous`, or by `'pass'` of
 * `otherSchemes`. The 401 is that of the plugin that the request has come through.
 */
export const requireUser: FastifyRouteHook = requiring(undefined);

/**
 * `preHandler` of routes that need a user in one of these groups: 401 without a user, 403 for others.
 *
 * @param sidsOrNames see `inGroup`
 */
export function requireGroup(...sidsOrNames: readonly [string, ...string[]]): FastifyRouteHook {
  return requiring(inGroup(...sidsOrNames));
}

function targetOf({ originalUrl }: FastifyRequest): string {
  return originalUrl;
}

/** Sends the response for a request whose handler may not run. */
function sendRefusal(
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
