/**
 * sspi-auth for node:http and node:https.
 *
 * ```ts
 * const protect = sspiAuth({ accounts });
 * createServer(protect((request, response) => response.end(`Hello ${request.user?.name}`))).listen(8080);
 * ```
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  awaitResult,
  closing,
  createAuthenticator,
  holdContinue,
  holdFirstContinue,
  inGroup,
  isStanding,
  OptionError,
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
  SecurityContextInfo,
  SspiAuthOptions,
} from '../src/index.ts';

/** A request that sspi-auth has let through. */
export interface AuthenticatedRequest extends IncomingMessage {
  /** Who sent it; undefined if `anonymous` or `skip` let it through. */
  user?: Identity | undefined;
  /** How the user was authenticated. */
  sspi?: SecurityContextInfo | undefined;
}

/** A request listener behind sspi-auth. */
export type AuthenticatedListener = (request: AuthenticatedRequest, response: ServerResponse) => void;

/** What node:http gives a function that answers: option `refuse`. */
export type NodeContext = readonly [request: AuthenticatedRequest, response: ServerResponse];

/** Options of `sspiAuth`. */
export type NodeSspiAuthOptions = SspiAuthOptions<IncomingMessage, NodeContext>;

/** The result of `sspiAuth`: wraps a listener, so that it runs only for requests that may proceed. */
export interface Protect {
  (listener: AuthenticatedListener): (request: IncomingMessage, response: ServerResponse) => void;
  readonly authenticator: Authenticator<IncomingMessage, NodeContext>;
  /** Wraps a listener that needs a user although others get by without one: inside, around what it protects. */
  readonly requireUser: (listener: AuthenticatedListener) => AuthenticatedListener;
  /** The same for a user who is in one of these groups; others get 403. See `inGroup`. */
  readonly requireGroup: (
    ...sidsOrNames: readonly [string, ...string[]]
  ) => (listener: AuthenticatedListener) => AuthenticatedListener;
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
  readonly signOut: (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;
  /** Ends all sessions and standing sign-ins of a user. Gives whether the store knows it. Needs option `session`. */
  readonly revoke: Revoke;
  /** Abandons every handshake and frees the credentials; with `{ drain }` when those under way have ended. */
  readonly close: Close;
}

/**
 * Makes a function that protects request listeners.
 *
 * @param options see SspiAuthOptions
 * @throws OptionError, SspiAuthError at start, if the options cannot be used or nothing can verify a client
 */
export function sspiAuth(options?: NodeSspiAuthOptions): Protect {
  const authenticator = createAuthenticator(options);
  const { limits } = authenticator.settings;
  const serverIsKnown = holdFirstContinue();

  const carry = (
    request: AuthenticatedRequest,
    response: ServerResponse,
    listener: AuthenticatedListener,
    outcome: Outcome,
  ): void => {
    const refuser = authenticator.refuser([request, response], noErrorHandler);
    if (!writeOutcome(request, response, outcome, limits, refuser)) return;
    if (outcome.type === 'authenticated') ({ user: request.user, sspi: request.sspi } = outcome);
    listener(request, response);
  };
  const carryWhenSettled = (
    request: AuthenticatedRequest,
    response: ServerResponse,
    listener: AuthenticatedListener,
    outcome: Outcome | Promise<Outcome>,
  ): void => {
    refuseFramework('node', request);
    awaitResult(request, response);
    serverIsKnown();
    if (outcome instanceof Promise) {
      // An exception of the listener belongs to the application, so it is thrown as it would be without this library.
      outcome
        .then((settled) => carry(request, response, listener, settled))
        .catch((error: unknown) => process.nextTick(rethrow, error));
    } else {
      carry(request, response, listener, outcome);
    }
  };
  const protect = (listener: AuthenticatedListener) => {
    if (typeof listener !== 'function') {
      if (typeof listener === 'object') refuseFramework('node', listener);
      const cure = 'Give a request listener: createServer(protect((request, response) => { … })).';
      throw new OptionError('listener', 'is not a function', cure);
    }
    return (request: AuthenticatedRequest, response: ServerResponse): void => {
      const outcome = authenticator.authenticate(request, targetOf, request);
      if (isStanding(outcome)) {
        ({ user: request.user, sspi: request.sspi } = outcome);
        listener(request, response);
      } else {
        carryWhenSettled(request, response, listener, outcome);
      }
    };
  };
  return Object.assign(protect, {
    authenticator,
    attach: (server: object) => {
      serverIsKnown();
      holdContinue(server);
    },
    requireUser: requiring(undefined, authenticator),
    requireGroup: (...sidsOrNames: readonly [string, ...string[]]) => requiring(inGroup(...sidsOrNames), authenticator),
    signOut: (request: IncomingMessage, response: ServerResponse) => signOut(authenticator, request, response),
    revoke: (user: Parameters<Revoke>[0]) => authenticator.revoke(user),
    close: closing(authenticator, serverIsKnown),
  });
}

function requiring(
  admits: ((user: Identity) => boolean) | undefined,
  own?: Authenticator<IncomingMessage, NodeContext>,
): (listener: AuthenticatedListener) => AuthenticatedListener {
  return (listener) => (request, response) => {
    const lacking = requirement<IncomingMessage, NodeContext>(request, targetOf, request, request.user, admits, own);
    if (lacking === undefined) {
      listener(request, response);
      return;
    }
    const { authenticator, outcome } = lacking;
    const refuser = authenticator.refuser([request, response], noErrorHandler);
    writeOutcome(request, response, outcome, authenticator.settings.limits, refuser);
  };
}

/** node:http has no error handlers, so that `refuse: 'error'` gives the bare answer. */
function noErrorHandler(): never {
  throw new OptionError('refuse', "is 'error', but node:http has no error handlers", 'Give a function.');
}

/**
 * Wraps a listener that needs a user, where requests without one get by: by `anonymous`, or by `'pass'` of
 * `otherSchemes`. The 401 is that of the `protect` around it.
 */
export const requireUser: (listener: AuthenticatedListener) => AuthenticatedListener = requiring(undefined);

/**
 * Wraps a listener that needs a user in one of these groups: 401 without a user, 403 for others.
 *
 * @param sidsOrNames see `inGroup`
 */
export function requireGroup(
  ...sidsOrNames: readonly [string, ...string[]]
): (listener: AuthenticatedListener) => AuthenticatedListener {
  return requiring(inGroup(...sidsOrNames));
}

function targetOf({ originalUrl, url }: IncomingMessage & { readonly originalUrl?: string }): string {
  return originalUrl ?? url ?? '';
}

function rethrow(error: unknown): never {
  throw error;
}

export default sspiAuth;
