/**
 * sspi-auth for Express 4 and 5.
 *
 * ```ts
 * app.use(sspiAuth({ accounts }));
 * app.get('/', (request, response) => response.send(`Hello ${request.user?.name}`));
 * ```
 */
import { IncomingMessage } from 'node:http';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import {
  awaitVerdict,
  createAuthenticator,
  holdContinue,
  passesAtOnce,
  sendContinue,
  writeOutcome,
} from '../src/index.ts';
import type {
  AuthenticatedOutcome,
  Authenticator,
  Identity,
  Outcome,
  SecurityContextInfo,
  SspiAuthOptions,
} from '../src/index.ts';

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- the place Express gives for this
  namespace Express {
    // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- the type others (Passport) extend as well
    interface User extends Identity {}
    interface Request {
      /** Who sent the request; undefined where `anonymous` or `skip` let it through. */
      user?: User | undefined;
      /** How that is known. */
      sspi?: SecurityContextInfo;
    }
  }
}

/** Express middleware, with what may be done beside it. */
export interface SspiAuthHandler extends RequestHandler {
  readonly authenticator: Authenticator<Request>;
  /** Middleware for a route behind `anonymous: true` that wants a user all the same: 401 with every challenge. */
  readonly requireUser: RequestHandler;
  /** Makes a server hold back `100 Continue` from its first request on; otherwise from its second. */
  attach(server: object): void;
  /** Gives up every handshake and frees the credentials. */
  close(): void;
}

/**
 * @param options see SspiAuthOptions
 * @throws OptionError, SspiAuthError at start, where the options cannot be used or nothing can judge a client
 */
export function sspiAuth(options?: SspiAuthOptions<Request>): SspiAuthHandler {
  const authenticator = createAuthenticator(options);
  const { discardedBodyBytes } = authenticator.settings.limits;

  const carry = (request: Request, response: Response, next: NextFunction, outcome: Outcome): void => {
    if (!writeOutcome(request, response, outcome, discardedBodyBytes)) return;
    if (outcome.type === 'authenticated') identify(request, outcome);
    next();
  };

  const settle = (
    request: Request,
    response: Response,
    next: NextFunction,
    outcome: Outcome | Promise<Outcome>,
  ): void => {
    awaitVerdict(request, response);
    if (outcome instanceof Promise) outcome.then((settled) => carry(request, response, next, settled)).catch(next);
    else carry(request, response, next, outcome);
  };

  // What is not for the signed-in request stands apart: a closure here would be paid for by every request.
  const handler = (request: Request, response: Response, next: NextFunction): void => {
    const outcome = authenticator.authenticate(request, targetOf, request);
    if (passesAtOnce(outcome)) {
      sendContinue(response);
      identify(request, outcome);
      next();
    } else {
      settle(request, response, next, outcome);
    }
  };

  const requireUser: RequestHandler = (request, response, next) => {
    if (request.sspi !== undefined) next();
    else writeOutcome(request, response, authenticator.challenge(request), discardedBodyBytes);
  };

  return Object.assign(handler, {
    authenticator,
    requireUser,
    attach: holdContinue,
    close: () => authenticator.close(),
  });
}

function targetOf({ originalUrl }: Request): string {
  return originalUrl;
}

/** What the accessors below give of a request: who sent it, or what somebody assigned since. */
const admitted = new WeakMap<object, Pick<Request, 'user' | 'sspi'>>();
/** Prototypes of requests, and whether `user` and `sspi` of their requests are the accessors below. */
const prototypes = new WeakMap<object, boolean>();

/**
 * Sets `request.user` and `request.sspi`.
 *
 * Express gives each request another prototype. From then on V8 shares no hidden class between requests, and each property
 * added to one costs microseconds, several percent of a small request. Accessors on the prototype that all of them have in
 * common cost nothing of that.
 */
function identify(request: Request, outcome: AuthenticatedOutcome): void {
  const prototype = Object.getPrototypeOf(request) as object;
  if (prototypes.get(prototype) ?? addAccessors(prototype)) {
    admitted.set(request, outcome);
    // A property of its own, which would go before them, can be from a time when there were no accessors yet.
    if (!Object.hasOwn(request, 'user') && !Object.hasOwn(request, 'sspi')) return;
  }
  request.user = outcome.user;
  request.sspi = outcome.sspi;
}

/** @returns false where requests of this prototype are to have properties of their own */
function addAccessors(prototype: object): boolean {
  const shared = expressRequest(prototype);
  let added = shared !== undefined && prototypes.get(shared);
  if (shared !== undefined && added === undefined) {
    added = !('user' in shared) && !('sspi' in shared);
    if (added) Object.defineProperties(shared, { user: accessor('user'), sspi: accessor('sspi') });
    prototypes.set(shared, added);
  }
  prototypes.set(prototype, added === true);
  return added === true;
}

/** The object that Express exports as `request`, to which every application's own leads. */
function expressRequest(prototype: object): object | undefined {
  for (let at: object | null = prototype; at !== null;) {
    const next = Object.getPrototypeOf(at) as object | null;
    if (next === IncomingMessage.prototype) return at;
    at = next;
  }
  return undefined;
}

/** Also of an object that was made from a request with Object.create. */
function admittedAs(request: object | null): Pick<Request, 'user' | 'sspi'> | undefined {
  for (let at = request; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const values = admitted.get(at);
    if (values !== undefined) return values;
  }
  return undefined;
}

function accessor(name: 'user' | 'sspi'): PropertyDescriptor {
  return {
    configurable: true,
    enumerable: true,
    get(this: object) {
      return admittedAs(this)?.[name];
    },
    set(this: object, value: unknown) {
      admitted.set(this, { ...admittedAs(this), [name]: value });
    },
  };
}

export default sspiAuth;
