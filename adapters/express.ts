/**
 * sspi-auth for Express 4 and 5.
 *
 * ```ts
 * app.use(sspiAuth({ accounts }));
 * app.get('/', (request, response) => response.send(`Hello ${request.user?.name}`));
 * ```
 */
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { awaitResult, createAuthenticator, holdContinue, holdFirstContinue, writeOutcome } from '../src/index.ts';
import type { Authenticator, Identity, Outcome, SecurityContextInfo, SspiAuthOptions } from '../src/index.ts';

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- the place Express gives for this
  namespace Express {
    // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- the type others (Passport) extend as well
    interface User extends Identity {}
    interface Request {
      /** Who sent the request; undefined where `anonymous` or `skip` let it through. */
      user?: User | undefined;
      /** How that is known. */
      sspi?: SecurityContextInfo | undefined;
    }
  }
}

/** Express middleware, with what may be done beside it. */
export interface SspiAuthHandler extends RequestHandler {
  readonly authenticator: Authenticator<Request>;
  /** Middleware for a route behind `anonymous: true` that wants a user all the same: 401 with every challenge. */
  readonly requireUser: RequestHandler;
  /** Makes a server hold back `100 Continue` until the result. Done by itself for the server of the first request. */
  attach(server: object): void;
  /** Gives up every handshake and frees the credentials. */
  close(): void;
}

/**
 * @param options see SspiAuthOptions
 * @throws OptionError, SspiAuthError at start, where the options cannot be used or nothing can verify a client
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
    outcome: Promise<Outcome>,
  ): void => {
    outcome.then((settled) => carry(request, response, next, settled)).catch(next);
  };

  // A function that makes a closure pays for it at its start: those stand apart from what runs for signed-in requests.
  const verify = (request: Request, response: Response, next: NextFunction): void => {
    awaitResult(request, response);
    serverIsKnown();
    const outcome = authenticator.authenticate(request, targetOf, request);
    if (outcome instanceof Promise) carryWhenSettled(request, response, next, outcome);
    else carry(request, response, next, outcome);
  };

  const handler = (request: Request, response: Response, next: NextFunction): void => {
    if (isOldV8) makeDictionaries(request, response);
    const outcome = authenticator.standing(request);
    if (outcome === undefined) {
      verify(request, response, next);
    } else {
      ({ user: request.user, sspi: request.sspi } = outcome);
      next();
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

function targetOf({ originalUrl }: Request): string {
  return originalUrl;
}

/** V8 before version 13, that of Node 20 and 22. */
const isOldV8 = Number.parseInt(process.versions.v8, 10) < 13;

/**
 * Makes dictionaries of a request and its response: what V8 calls an object that has lost a property.
 *
 * Express gives each of them another prototype. From then on an old V8 shares no hidden class between requests: every read
 * of a property, by Express and by Node, goes past V8's caches, and each property added costs microseconds. Dictionaries do
 * have a hidden class in common, and a small request takes a third less time. A newer V8 has no need of it and would lose.
 */
function makeDictionaries(request: Request, response: Response): void {
  const { res } = request;
  if (res !== undefined && Object.hasOwn(request, 'res') && Reflect.deleteProperty(request, 'res')) request.res = res;
  const { req } = response;
  if (Object.hasOwn(response, 'req') && Reflect.deleteProperty(response, 'req')) response.req = req;
}

export default sspiAuth;
