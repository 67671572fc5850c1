/**
 * sspi-auth for Hono 4 on @hono/node-server.
 *
 * ```ts
 * app.use(sspiAuth({ accounts }));
 * app.get('/', (c) => c.text(`Hello ${c.var.user?.name}`));
 * ```
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, MiddlewareHandler } from 'hono';
import {
  awaitResult,
  closing,
  createAuthenticator,
  endAndClose,
  holdContinue,
  holdFirstContinue,
  holdRefusal,
  inGroup,
  isStanding,
  mayProceed,
  OptionError,
  refusalOf,
  refusalResponse,
  refuseFramework,
  requirement,
  writeOutcome,
} from '../src/index.ts';
import type {
  Authenticator,
  Close,
  HeaderField,
  Identity,
  Outcome,
  Revoke,
  RefusalError,
  RefusalResponse,
  SecurityContextInfo,
  SspiAuthOptions,
} from '../src/index.ts';

declare module 'hono' {
  interface ContextVariableMap {
    /** Who sent the request; undefined if `anonymous` or `skip` let it through. */
    user: Identity | undefined;
    /** How the user was authenticated. */
    sspi: SecurityContextInfo | undefined;
  }
}

/** Options of the middleware. Its functions are given Hono's context; `refuse` gives a Response. */
export type HonoSspiAuthOptions = SspiAuthOptions<Context, readonly [context: Context]>;

/** The authenticator behind the middleware. */
export type HonoAuthenticator = Authenticator<Context, readonly [context: Context]>;

/** Hono middleware, with its authenticator and functions that belong to it. */
export interface SspiAuthMiddleware extends MiddlewareHandler {
  readonly authenticator: HonoAuthenticator;
  /**
   * Middleware for a route that needs a user although others get by without one. Without a user it answers 401 with
   * every challenge.
   */
  readonly requireUser: MiddlewareHandler;
  /** The same for a user who is in one of these groups; others get 403. See `inGroup`. */
  readonly requireGroup: (...sidsOrNames: readonly [string, ...string[]]) => MiddlewareHandler;
  /**
   * Makes a server hold back `100 Continue` until the result. For the server of the first request, this is done
   * automatically.
   */
  readonly attach: (server: object) => void;
  /**
   * Signs the user of a request out: its session ends on every connection, and a mark in a cookie keeps the browser from
   * signing in again by itself. Call it on a POST of your own origin, before the response is sent. Needs option `session`.
   * Gives whether the store knows it: false while it is away.
   */
  readonly signOut: (context: Context) => Promise<boolean>;
  /** Ends all sessions and standing sign-ins of a user. Gives whether the store knows it. Needs option `session`. */
  readonly revoke: Revoke;
  /** Abandons every handshake and frees the credentials; with `{ drain }` when those under way have ended. */
  readonly close: Close;
}

/** What @hono/node-server gives: the request and response of node:http. */
interface Bindings {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

type Next = () => Promise<void>;

/** Tells @hono/node-server that the response was written without it. */
function alreadySent(): Response {
  const response = new Response(null, { headers: { 'x-hono-already-sent': 'true' } });
  // @hono/node-server has a Response of its own, whose fields it looks at only once its body has been asked for.
  Reflect.get(response, 'body');
  return response;
}

/**
 * Makes middleware that authenticates every request.
 *
 * @param options see SspiAuthOptions
 * @throws OptionError, SspiAuthError at start, if the options cannot be used or nothing can verify a client
 */
export function sspiAuth(options?: HonoSspiAuthOptions): SspiAuthMiddleware {
  const authenticator: HonoAuthenticator = createAuthenticator(options);
  const serverIsKnown = holdFirstContinue();

  const carryWhenSettled = async (
    context: Context,
    next: Next,
    bindings: Bindings,
    outcome: Outcome | Promise<Outcome>,
  ): Promise<Response | undefined> => {
    awaitResult(bindings.incoming, bindings.outgoing);
    serverIsKnown();
    const settled = await outcome;
    const answer = await carry(authenticator, context, bindings, settled);
    if (answer !== undefined) return answer;
    if (settled.type === 'authenticated') {
      context.set('user', settled.user);
      context.set('sspi', settled.sspi);
    }
    await next();
    return undefined;
  };
  const middleware = (context: Context, next: Next): Promise<Response | undefined> => {
    const bindings = bindingsOf(context);
    const outcome = authenticator.authenticate(bindings.incoming, targetOf, context);
    if (!isStanding(outcome)) return carryWhenSettled(context, next, bindings, outcome);
    context.set('user', outcome.user);
    context.set('sspi', outcome.sspi);
    return next() as Promise<undefined>;
  };
  return Object.assign(middleware as MiddlewareHandler, {
    authenticator,
    requireUser: requiring(undefined, authenticator),
    requireGroup: (...sidsOrNames: readonly [string, ...string[]]) => requiring(inGroup(...sidsOrNames), authenticator),
    attach: (server: object) => {
      serverIsKnown();
      holdContinue(server);
    },
    signOut: (context: Context) => signOutOf(authenticator, context),
    revoke: (user: Parameters<Revoke>[0]) => authenticator.revoke(user),
    close: closing(authenticator, serverIsKnown),
  });
}

/** Sets cookies with Hono as well: those of a handler would take the place of what node:http has. */
function addCookies(context: Context, headers: readonly HeaderField[]): void {
  for (const [name, values] of headers) {
    if (name === 'Set-Cookie') for (const value of [values].flat()) context.header(name, value, { append: true });
  }
}

function signOutOf(authenticator: HonoAuthenticator, context: Context): Promise<boolean> {
  const { headers, told } = authenticator.signOut(bindingsOf(context).incoming);
  addCookies(context, headers);
  return told;
}

/** @throws OptionError if the request does not come from @hono/node-server, or not from Hono at all */
function bindingsOf(context: Context): Bindings {
  const env = context.env as Partial<Bindings> | undefined;
  if (env?.incoming !== undefined && env.outgoing !== undefined) return env as Bindings;
  refuseFramework('hono', context);
  const cure = 'Serve the application with @hono/node-server; its test client, app.request(), has no connections.';
  throw new OptionError('sspiAuth', 'got a request without its connection', cure);
}

function targetOf(context: Context): string {
  return bindingsOf(context).incoming.url ?? '';
}

/** Carries an outcome. Undefined: the handler may run, and its fields are set. */
async function carry(
  authenticator: HonoAuthenticator,
  context: Context,
  { incoming, outgoing }: Bindings,
  outcome: Outcome,
): Promise<Response | undefined> {
  const { limits } = authenticator.settings;
  if (outgoing.headersSent || outgoing.writableEnded) return alreadySent();
  if (mayProceed(outcome)) {
    writeOutcome(incoming, outgoing, outcome, limits);
    addCookies(context, outcome.headers);
    return undefined;
  }
  const response = refusalResponse(incoming, outgoing, outcome, limits);
  const asked = refusalOf(outcome);
  const thrown: RefusalError[] = [];
  const refuser = authenticator.refuser([context], (error) => void thrown.push(error));
  if (refuser !== undefined && asked !== undefined) {
    const { milliseconds, failed } = refuser;
    const held = holdRefusal(incoming, outgoing, response, milliseconds, { failed });
    const given = await held.run(() => checked(refuser.answer(asked), thrown.length > 0));
    const [error] = thrown;
    // Hono's own error handler asks for a response.
    if (error !== undefined) throw Object.assign(error, { getResponse: () => bare(context, response) });
    return given instanceof Response && !held.isOver ? given : alreadySent();
  }
  await response.ready;
  if (outgoing.headersSent || outgoing.destroyed) return alreadySent();
  if (response.closes) {
    // Only the response of node:http can end its connection, or its stream of HTTP/2, in the right way.
    outgoing.statusCode = response.status;
    for (const [name, value] of response.headers) outgoing.setHeader(name, value);
    endAndClose(incoming, outgoing, response.body);
    return alreadySent();
  }
  // A Response would make one field with commas of several challenges, so those are set on the response of node:http.
  for (const [name, value] of response.headers) if (typeof value !== 'string') outgoing.setHeader(name, value);
  return bare(context, response);
}

/** @throws OptionError if option `refuse` gives no Response: Hono would answer with 404 */
function checked(given: unknown, hasError: boolean): unknown {
  if (given instanceof Promise) return given.then((settled: unknown) => checked(settled, hasError));
  if (hasError || given instanceof Response) return given;
  throw new OptionError('refuse', 'gave no Response', 'Give one: (c, { status }) => c.html(page, status).');
}

/** The answer of this library as a Response, without fields of several values. */
function bare(context: Context, { status, headers, body }: RefusalResponse): Response {
  const response = context.body(typeof body === 'string' ? body : new Uint8Array(body), status);
  for (const [name, value] of headers) if (typeof value === 'string') response.headers.set(name, value);
  return response;
}

function requiring(admits: ((user: Identity) => boolean) | undefined, own?: HonoAuthenticator): MiddlewareHandler {
  return async (context, next) => {
    const bindings = bindingsOf(context);
    const lacking = requirement<Context, readonly [context: Context]>(
      bindings.incoming,
      targetOf,
      context,
      context.get('user'),
      admits,
      own,
    );
    if (lacking !== undefined) return carry(lacking.authenticator, context, bindings, lacking.outcome);
    await next();
    return undefined;
  };
}

/**
 * Middleware for routes that need a user, where requests without one get by: by `anonymous`, or by `'pass'` of
 * `otherSchemes`. The 401 is that of the sspiAuth() before it.
 */
export const requireUser: MiddlewareHandler = requiring(undefined);

/**
 * Middleware for routes that need a user in one of these groups: 401 without a user, 403 for others.
 *
 * @param sidsOrNames see `inGroup`
 */
export function requireGroup(...sidsOrNames: readonly [string, ...string[]]): MiddlewareHandler {
  return requiring(inGroup(...sidsOrNames));
}

export default sspiAuth;
