/**
 * sspi-auth for Express 4 and 5, and for what calls middleware in the same way (connect).
 *
 * ```ts
 * app.use(sspiAuth({ accounts }));
 * app.get('/', (request, response) => response.send(`Hello ${request.user?.name}`));
 * ```
 */
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import {
  awaitResult,
  createAuthenticator,
  holdContinue,
  holdFirstContinue,
  isStanding,
  writeOutcome,
} from '../src/index.ts';
import type { Authenticator, Identity, Outcome, SecurityContextInfo, SspiAuthOptions } from '../src/index.ts';

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- Express declares this namespace for extensions
  namespace Express {
    // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- others (Passport) extend this type as well
    interface User extends Identity {}
    interface Request {
      /** Who sent the request; undefined if `anonymous` or `skip` let it through. */
      user?: User | undefined;
      /** How the user was authenticated. */
      sspi?: SecurityContextInfo | undefined;
    }
  }
}

/** Express middleware, with its authenticator and functions that belong to it. */
export interface SspiAuthHandler extends RequestHandler {
  readonly authenticator: Authenticator<Request>;
  /**
   * Middleware for a route that needs a user although `anonymous` is true. Without a user it answers 401 with every
   * challenge.
   */
  readonly requireUser: RequestHandler;
  /**
   * Makes a server hold back `100 Continue` until the result. For the server of the first request, this is done
   * automatically.
   */
  attach(server: object): void;
  /** Abandons every handshake and frees the credentials. */
  close(): void;
}

/**
 * Makes middleware that authenticates every request.
 *
 * @param options see SspiAuthOptions
 * @throws OptionError, SspiAuthError at start, if the options cannot be used or nothing can verify a client
 */
export function sspiAuth(options?: SspiAuthOptions<Request>): SspiAuthHandler {
  const authenticator = createAuthenticator(options);
  const { limits } = authenticator.settings;

  const serverIsKnown = holdFirstContinue();

  const carry = (request: Request, response: Response, next: NextFunction, outcome: Outcome): void => {
    if (!writeOutcome(request, response, outcome, limits)) return;
    if (outcome.type === 'authenticated') ({ user: request.user, sspi: request.sspi } = outcome);
    next();
  };

  const carryWhenSettled = (
    request: Request,
    response: Response,
    next: NextFunction,
    outcome: Outcome | Promise<Outcome>,
  ): void => {
    awaitResult(request, response);
    serverIsKnown();
    if (outcome instanceof Promise) outcome.then((settled) => carry(request, response, next, settled)).catch(next);
    else carry(request, response, next, outcome);
  };

  const handler = (request: Request, response: Response, next: NextFunction): void => {
    const outcome = authenticator.authenticate(request, targetOf, request);
    if (isStanding(outcome)) {
      ({ user: request.user, sspi: request.sspi } = outcome);
      next();
    } else {
      carryWhenSettled(request, response, next, outcome);
    }
  };

  const requireUser: RequestHandler = (request, response, next) => {
    if (request.sspi !== undefined) next();
    else writeOutcome(request, response, authenticator.challenge(request), limits);
  };

  return Object.assign(handler, {
    authenticator,
    requireUser,
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

/** Express keeps the original; outside Express (connect, node:http, Socket.IO's `engine.use`) there may be `url` only. */
function targetOf({ originalUrl, url }: Partial<Request>): string {
  return originalUrl ?? url ?? '';
}

export default sspiAuth;
