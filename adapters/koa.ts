/**
 * sspi-auth for Koa 2 and 3.
 *
 * ```ts
 * app.use(sspiAuth({ accounts }));
 * app.use((context) => (context.body = `Hello ${context.state.user?.name}`));
 * ```
 */
import type { DefaultState, Middleware, ParameterizedContext } from 'koa';
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
  Identity,
  Outcome,
  Revoke,
  RefusalError,
  SecurityContextInfo,
  SspiAuthOptions,
} from '../src/index.ts';

/** The state of a context behind sspi-auth. */
export interface SspiAuthState extends DefaultState {
  /** Who sent the request; undefined if `anonymous` or `skip` let it through. */
  user?: Identity | undefined;
  /** How the user was authenticated. */
  sspi?: SecurityContextInfo | undefined;
}

/** A context behind sspi-auth. */
export type SspiAuthContext = ParameterizedContext<SspiAuthState>;

/** Options of the middleware. Its functions are given Koa's context; `refuse` sets its `body`. */
export type KoaSspiAuthOptions = SspiAuthOptions<SspiAuthContext, readonly [context: SspiAuthContext]>;

/** The authenticator behind the middleware. */
export type KoaAuthenticator = Authenticator<SspiAuthContext, readonly [context: SspiAuthContext]>;
type Next = () => Promise<unknown>;

/** Koa middleware, with its authenticator and functions that belong to it. */
export interface SspiAuthMiddleware extends Middleware<SspiAuthState> {
  readonly authenticator: KoaAuthenticator;
  /**
   * Middleware for a route that needs a user although others get by without one. Without a user it answers 401 with
   * every challenge.
   */
  readonly requireUser: Middleware<SspiAuthState>;
  /** The same for a user who is in one of these groups; others get 403. See `inGroup`. */
  readonly requireGroup: (...sidsOrNames: readonly [string, ...string[]]) => Middleware<SspiAuthState>;
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
  readonly signOut: (context: SspiAuthContext) => Promise<boolean>;
  /** Ends all sessions and standing sign-ins of a user. Gives whether the store knows it. Needs option `session`. */
  readonly revoke: Revoke;
  /** Abandons every handshake and frees the credentials; with `{ drain }` when those under way have ended. */
  readonly close: Close;
}

/**
 * Makes middleware that authenticates every request.
 *
 * @param options see SspiAuthOptions
 * @throws OptionError, SspiAuthError at start, if the options cannot be used or nothing can verify a client
 */
export function sspiAuth(options?: KoaSspiAuthOptions): SspiAuthMiddleware {
  const authenticator: KoaAuthenticator = createAuthenticator(options);
  const serverIsKnown = holdFirstContinue();

  const carryWhenSettled = async (
    context: SspiAuthContext,
    next: Next,
    outcome: Outcome | Promise<Outcome>,
  ): Promise<void> => {
    refuseFramework('koa', context);
    awaitResult(context.req, context.res);
    serverIsKnown();
    const settled = await outcome;
    if (!(await carry(authenticator, context, settled))) return;
    if (settled.type === 'authenticated') {
      context.state.user = settled.user;
      context.state.sspi = settled.sspi;
    }
    await next();
  };
  const middleware = (context: SspiAuthContext, next: Next): Promise<unknown> => {
    const outcome = authenticator.authenticate(context.req, targetOf, context);
    if (!isStanding(outcome)) return carryWhenSettled(context, next, outcome);
    const { state } = context;
    state.user = outcome.user;
    state.sspi = outcome.sspi;
    return next();
  };
  return Object.assign(middleware, {
    authenticator,
    requireUser: requiring(undefined, authenticator),
    requireGroup: (...sidsOrNames: readonly [string, ...string[]]) => requiring(inGroup(...sidsOrNames), authenticator),
    attach: (server: object) => {
      serverIsKnown();
      holdContinue(server);
    },
    signOut: (context: SspiAuthContext) => signOut(authenticator, context.req, context.res),
    revoke: (user: Parameters<Revoke>[0]) => authenticator.revoke(user),
    close: closing(authenticator, serverIsKnown),
  });
}

function targetOf({ originalUrl }: SspiAuthContext): string {
  return originalUrl;
}

/** Carries an outcome. True: the handler may run, and its fields are set. False: the response is set, or done. */
async function carry(authenticator: KoaAuthenticator, context: SspiAuthContext, outcome: Outcome): Promise<boolean> {
  const { req, res } = context;
  const { limits } = authenticator.settings;
  // Somebody has answered on the response of node:http, which Koa does not notice.
  if (res.headersSent || res.writableEnded) {
    context.respond = false;
    return false;
  }
  if (mayProceed(outcome)) {
    writeOutcome(req, res, outcome, limits);
    return true;
  }
  const response = refusalResponse(req, res, outcome, limits);
  const takeRaw = (): void => {
    context.respond = false;
  };
  const asked = refusalOf(outcome);
  let error: RefusalError | undefined;
  const refuser = authenticator.refuser([context], (given) => {
    error = given;
  });
  if (refuser !== undefined && asked !== undefined) {
    context.status = response.status;
    const { milliseconds, failed } = refuser;
    const held = holdRefusal(req, res, response, milliseconds, { take: takeRaw, failed });
    await held.run(() => refuser.answer(asked));
    if (error !== undefined) throw error;
    return false;
  }
  await response.ready;
  if (res.headersSent || res.destroyed) {
    takeRaw();
    return false;
  }
  if (response.closes) {
    // Only the response of node:http can end its connection, or its stream of HTTP/2, in the right way.
    takeRaw();
    res.statusCode = response.status;
    for (const [name, value] of response.headers) res.setHeader(name, value);
    endAndClose(req, res, response.body);
    return false;
  }
  // Through Koa, so that the middleware before this one sees the response.
  context.status = response.status;
  context.body = response.body;
  for (const [name, value] of response.headers) {
    if (name === 'Set-Cookie') context.append(name, typeof value === 'string' ? value : Array.from(value));
    else if (typeof value === 'string') context.set(name, value);
    else context.set(name, Array.from(value));
  }
  return false;
}

function requiring(
  admits: ((user: Identity) => boolean) | undefined,
  own?: KoaAuthenticator,
): Middleware<SspiAuthState> {
  return async (context: SspiAuthContext, next: Next) => {
    const lacking = requirement<SspiAuthContext, readonly [context: SspiAuthContext]>(
      context.req,
      targetOf,
      context,
      context.state.user,
      admits,
      own,
    );
    if (lacking === undefined) await next();
    else await carry(lacking.authenticator, context, lacking.outcome);
  };
}

/**
 * Middleware for routes that need a user, where requests without one get by: by `anonymous`, or by `'pass'` of
 * `otherSchemes`. The 401 is that of the sspiAuth() before it.
 */
export const requireUser: Middleware<SspiAuthState> = requiring(undefined);

/**
 * Middleware for routes that need a user in one of these groups: 401 without a user, 403 for others.
 *
 * @param sidsOrNames see `inGroup`
 */
export function requireGroup(...sidsOrNames: readonly [string, ...string[]]): Middleware<SspiAuthState> {
  return requiring(inGroup(...sidsOrNames));
}

export default sspiAuth;
