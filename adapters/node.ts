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
  createAuthenticator,
  holdContinue,
  holdFirstContinue,
  isStanding,
  OptionError,
  writeOutcome,
} from '../src/index.ts';
import type { Authenticator, Identity, Outcome, SecurityContextInfo, SspiAuthOptions } from '../src/index.ts';

/** A request that sspi-auth has let through. */
export interface AuthenticatedRequest extends IncomingMessage {
  /** Who sent it; undefined if `anonymous` or `skip` let it through. */
  user?: Identity | undefined;
  /** How the user was authenticated. */
  sspi?: SecurityContextInfo | undefined;
}

/** A request listener behind sspi-auth. */
export type AuthenticatedListener = (request: AuthenticatedRequest, response: ServerResponse) => void;

/** The result of `sspiAuth`: wraps a listener, so that it runs only for requests that may proceed. */
export interface Protect {
  (listener: AuthenticatedListener): (request: IncomingMessage, response: ServerResponse) => void;
  readonly authenticator: Authenticator<IncomingMessage>;
  /**
   * Makes a server hold back `100 Continue` until the result. For the server of the first request, this is done
   * automatically.
   */
  attach(server: object): void;
  /** Abandons every handshake and frees the credentials. */
  close(): void;
}

/**
 * Makes a function that protects request listeners.
 *
 * @param options see SspiAuthOptions
 * @throws OptionError, SspiAuthError at start, if the options cannot be used or nothing can verify a client
 */
export function sspiAuth(options?: SspiAuthOptions<IncomingMessage>): Protect {
  const authenticator = createAuthenticator(options);
  const { limits } = authenticator.settings;
  const serverIsKnown = holdFirstContinue();

  const carry = (
    request: AuthenticatedRequest,
    response: ServerResponse,
    listener: AuthenticatedListener,
    outcome: Outcome,
  ): void => {
    if (!writeOutcome(request, response, outcome, limits)) return;
    if (outcome.type === 'authenticated') ({ user: request.user, sspi: request.sspi } = outcome);
    listener(request, response);
  };
  const carryWhenSettled = (
    request: AuthenticatedRequest,
    response: ServerResponse,
    listener: AuthenticatedListener,
    outcome: Outcome | Promise<Outcome>,
  ): void => {
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
    close: () => {
      serverIsKnown();
      authenticator.close();
    },
  });
}

function targetOf({ originalUrl, url }: IncomingMessage & { readonly originalUrl?: string }): string {
  return originalUrl ?? url ?? '';
}

function rethrow(error: unknown): never {
  throw error;
}

export default sspiAuth;
