/**
 * sspi-auth as a strategy of Passport, named `sspi`, on Express.
 *
 * ```ts
 * passport.use(new Strategy({ accounts }));
 * app.get('/login', passport.authenticate('sspi'), (request, response) => response.redirect('/'));
 * ```
 *
 * With sessions, for a login route. On every request only with `session: false`: Passport would begin a session for each.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request } from 'express';
import {
  awaitResult,
  closing,
  createAuthenticator,
  holdContinue,
  holdFirstContinue,
  isStanding,
  OptionError,
  RefusalError,
  setFields,
  signOut,
  writeOutcome,
} from '../src/index.ts';
import type {
  AuthenticatedOutcome,
  Authenticator,
  ChallengeOutcome,
  Close,
  Outcome,
  RefusedOutcome,
  Revoke,
  SspiAuthOptions,
} from '../src/index.ts';

export { requireGroup, requireUser } from './express.ts';

/** Options of the strategy. Refusals are Passport's to answer, so there is no `refuse`. */
export type PassportSspiAuthOptions = Omit<SspiAuthOptions<Request>, 'refuse'>;

/** What Passport adds to a strategy for one request. */
interface Actions {
  success(user: object, info?: object): void;
  fail(challenge: string | number, status?: number): void;
  pass(): void;
  error(error: unknown): void;
}

/** The strategy `sspi`. */
export class Strategy {
  readonly name = 'sspi';
  readonly authenticator: Authenticator<Request>;
  /** Abandons every handshake and frees the credentials; with `{ drain }` when those under way have ended. */
  readonly close: Close;
  /** Called by Passport. */
  readonly authenticate: (request: Request, options?: unknown) => void;
  readonly #serverIsKnown: () => void;

  /**
   * @param options see SspiAuthOptions
   * @throws OptionError, SspiAuthError at start, if the options cannot be used or nothing can verify a client
   */
  constructor(options?: PassportSspiAuthOptions) {
    if (options !== undefined && 'refuse' in options) {
      const cure = 'Leave it out: with Passport the application answers, by failureRedirect or its own callback.';
      throw new OptionError('refuse', 'is not an option of sspi-auth/passport', cure);
    }
    this.authenticator = createAuthenticator(options);
    this.#serverIsKnown = holdFirstContinue();
    this.close = closing(this.authenticator, this.#serverIsKnown);
    // Passport derives an object from this one for each request, and private fields are not inherited.
    const verify = (actions: Actions, request: Request): void => this.#verify(actions, request);
    this.authenticate = function (this: unknown, request) {
      verify(this as Actions, request);
    };
  }

  /** Makes a server hold back `100 Continue` until the result. */
  attach(server: object): void {
    this.#serverIsKnown();
    holdContinue(server);
  }

  /** Signs the user of a request out; see `signOut` of sspi-auth/express. Needs option `session`. */
  signOut(request: Request, response: ServerResponse): Promise<boolean> {
    return signOut(this.authenticator, request, response);
  }

  /** Ends all sessions and standing sign-ins of a user. Gives whether the store knows it. Needs option `session`. */
  revoke(user: Parameters<Revoke>[0]): Promise<boolean> {
    return this.authenticator.revoke(user);
  }

  #verify(actions: Actions, request: Request): void {
    const outcome = this.authenticator.authenticate(request, targetOf, request);
    if (isStanding(outcome)) {
      succeed(actions, request, outcome);
      return;
    }
    const { res } = request as { readonly res?: ServerResponse };
    if (res === undefined) {
      const cure = 'Use it with Express, which sets request.res.';
      actions.error(new OptionError('passport', 'has no response for the strategy sspi', cure));
      return;
    }
    awaitResult(request, res);
    this.#serverIsKnown();
    const carry = (settled: Outcome): void => this.#carry(actions, request, res, settled);
    if (outcome instanceof Promise) outcome.then(carry).catch((error: unknown) => actions.error(error));
    else carry(outcome);
  }

  #carry(actions: Actions, request: Request, response: ServerResponse, outcome: Outcome): void {
    if (response.writableEnded) return;
    const { limits } = this.authenticator.settings;
    switch (outcome.type) {
      case 'authenticated':
        writeOutcome(request, response, outcome, limits);
        succeed(actions, request, outcome);
        return;
      case 'anonymous':
        writeOutcome(request, response, outcome, limits);
        actions.pass();
        return;
      case 'signedIn':
        writeOutcome(request, response, outcome, limits);
        return;
      case 'challenge':
        // A leg: Passport does not learn of it.
        if (outcome.continuesHandshake) writeOutcome(request, response, outcome, limits);
        else fail(actions, response, outcome);
        return;
      case 'refused':
        fail(actions, response, outcome);
    }
  }
}

/** `request.sspi` as with the adapter for Express; `request.user` is Passport's to set. */
function succeed(actions: Actions, request: Request, { user, sspi }: AuthenticatedOutcome): void {
  request.sspi = sspi;
  actions.success(user, sspi);
}

/** Tells Passport that a request is refused. It answers when every strategy has failed, or does something else. */
function fail(actions: Actions, response: ServerResponse, outcome: ChallengeOutcome | RefusedOutcome): void {
  const { status } = outcome;
  setFields(
    response,
    outcome.headers.filter(([name]) => name === 'Set-Cookie'),
  );
  if (status === 500 || status === 503) {
    if (outcome.type === 'refused' && outcome.retryAfter !== undefined) {
      response.setHeader('Retry-After', String(outcome.retryAfter));
    }
    actions.error(new RefusalError({ status }));
    return;
  }
  const challenges = outcome.headers.flatMap(([name, value]) => (name === 'WWW-Authenticate' ? value : []));
  const [first, ...others] = challenges;
  if (status !== 401 || first === undefined) {
    actions.fail(status);
    return;
  }
  addChallenges(response, first, others);
  actions.fail(first, status);
}

/**
 * Adds the challenges that Passport is not given, where its answer has the first one: it sets the field itself, and
 * another strategy may still let the request in.
 */
function addChallenges(response: ServerResponse, first: string, others: readonly string[]): void {
  const writeHead = response.writeHead.bind(response) as (...given: unknown[]) => ServerResponse;
  response.writeHead = (...given: unknown[]) => {
    const field = [response.getHeader('WWW-Authenticate') ?? []].flat().map(String);
    if (given[0] === 401 && field.includes(first)) {
      response.setHeader('WWW-Authenticate', [...field, ...others.filter((text) => !field.includes(text))]);
      if (!response.hasHeader('Cache-Control')) response.setHeader('Cache-Control', 'no-store');
    }
    return writeHead(...given);
  };
}

function targetOf({ originalUrl, url }: IncomingMessage & { readonly originalUrl?: string }): string {
  return originalUrl ?? url ?? '';
}

export default Strategy;
