/**
 * In which order the proofs of a request count, where there are sessions: the mark of a sign-out, which takes every user
 * away; credentials in Authorization; a session cookie; the identity of the connection.
 */
import { OptionError } from '../foundation/errors.ts';
import { authorizationField } from '../http/authorization.ts';
import { hasConnection } from '../http/exchange.ts';
import type { Exchange } from '../http/exchange.ts';
import { anonymousOutcome, challengeOutcome } from '../http/outcome.ts';
import type { AnonymousOutcome, AuthenticatedOutcome, HeaderField, Outcome } from '../http/outcome.ts';
import { reliesOnConnection } from '../http/proxy-fields.ts';
import { cameOverTls } from '../http/request-transport.ts';
import type { Identity } from '../identity/identity.ts';
import { cookieField, cookieValue } from '../sessions/cookie-field.ts';
import type { Connection } from './connection.ts';
import { hasSealedBody } from './sealed-bodies.ts';
import type { OpenSession, RememberedCookies, SignIn } from './session-memory.ts';
import { cookieFields, Sessions, setCookies } from './sessions.ts';
import { targetText } from './user-policy.ts';
import type { Target } from './user-policy.ts';

/** What `signOut` gives. */
export interface SignedOut {
  /** To set on the response, each value of Set-Cookie beside those that are there. */
  readonly headers: readonly HeaderField[];
  /** Whether the store knows it: false while it is away; it is then told later. */
  readonly told: Promise<boolean>;
}

/** Whose sessions `revoke` ends: an identity, or what of it names the account. */
export type RevokedUser = Pick<Identity, 'userName'> & Partial<Pick<Identity, 'domain' | 'userPrincipalName' | 'sid'>>;

/** Of a request that was signed out, where requests get by without a user. */
export const signedOutOutcome: AnonymousOutcome = Object.freeze({
  type: 'anonymous',
  headers: Object.freeze([...anonymousOutcome.headers, ...cookieFields]),
});

/** An outcome with further fields for its response. */
export function withMore(outcome: Outcome, headers: readonly HeaderField[]): Outcome {
  if (headers.length === 0) return outcome;
  const all = [...outcome.headers, ...headers];
  return outcome.type === 'authenticated'
    ? { ...outcome, headers: all, standing: false }
    : { ...outcome, headers: all };
}

/**
 * What the cookies of a request say. An outcome: it is that of its session. `signedOut`: it has no user, whatever else it
 * has. `signingIn`: it has the mark, at the path that is for signing in again. `unopened`: its cookie has to be opened first.
 */
export type Proof = AuthenticatedOutcome | 'signedOut' | 'signingIn' | 'unopened' | undefined;

/** Requests without a user because of the mark: they are not challenged. */
const signedOut = new WeakSet<object>();

/** The 401 that no browser answers by itself, for a request that was signed out: its page can show a form. */
export function signedOutChallenge(realm: string): Outcome {
  return challengeOutcome([`Session realm="${realm.replace(/["\\]/g, '\\$&')}"`]);
}

export function isSignedOut(exchange: object): boolean {
  return signedOut.has(exchange);
}

/** @throws OptionError where there are no sessions */
export function needed(proof: SessionProof | undefined, what: string): SessionProof {
  if (proof !== undefined) return proof;
  throw new OptionError('session', `is not given, and ${what} needs it`, 'Give session: { secrets: [ … ] }.');
}

export class SessionProof {
  readonly sessions: Sessions;

  constructor(sessions: Sessions) {
    this.sessions = sessions;
  }

  /**
   * What the cookies of a request say, at once. Allocates nothing where they are those of the request before on its
   * connection.
   *
   * @param target gives the request target for `request`
   */
  of<R>(exchange: Exchange, connection: Connection, target: Target<R>, request: R): Proof {
    const field = cookieField(exchange.rawHeaders);
    if (field === undefined) return undefined;
    const cookies = this.#read(field, connection);
    if (cookies.signedOut) {
      const path = targetText(target, request).replace(/[?#].*$/s, '');
      if (path === this.sessions.settings.signInPath) return 'signingIn';
      signedOut.add(exchange);
      return 'signedOut';
    }
    const { session } = cookies;
    if (cookies.value === undefined || cookies.worthless || hasSealedBody(exchange)) return undefined;
    if (reliesOnConnection(exchange.rawHeaders)) {
      return session !== undefined && this.sessions.stands(session) ? session.outcome : 'unopened';
    }
    if (authorizationField(exchange.rawHeaders) !== undefined) return undefined;
    return session !== undefined && this.sessions.stands(session) ? session.carried : 'unopened';
  }

  /**
   * Opens the cookie of a request.
   *
   * @returns the outcome of its session, a failure of `enrich`, or the fields that remove a cookie which is worth nothing
   */
  async open(
    exchange: Exchange,
    connection: Connection,
    request: unknown,
  ): Promise<AuthenticatedOutcome | readonly HeaderField[] | { readonly error: unknown }> {
    const { sessions } = this;
    const cookies = this.#read(cookieField(exchange.rawHeaders) ?? '', connection);
    if (cookies.value === undefined) return [];
    const opened = await sessions.open(cookies.value, connection, request);
    switch (opened.type) {
      case 'session': {
        const { session, headers } = opened;
        cookies.session = session;
        const sets = headers.length > 0 && this.canSet(exchange);
        return sets ? { ...session.carried, headers: [...cookieFields, ...headers] } : session.carried;
      }
      case 'worthless':
        cookies.session = undefined;
        cookies.worthless = true;
        return this.canSet(exchange) ? [setCookies(sessions.cookie.clear())] : [];
      case 'unknown':
        return [];
      case 'failed':
        return opened;
    }
  }

  /**
   * Begins the session of a request whose credentials were right. Credentials of Digest come with each request: they go on
   * with the session that their cookie has, if it is of the same account.
   *
   * @param everyRequest the scheme proves each request for itself
   * @returns the outcome with the fields that set cookies
   */
  async begin(
    outcome: AuthenticatedOutcome,
    exchange: Exchange,
    connection: Connection,
    request: unknown,
    everyRequest: boolean,
  ): Promise<AuthenticatedOutcome> {
    const { sspi, user } = outcome;
    if (sspi === undefined) return outcome;
    const { sessions } = this;
    const field = cookieField(exchange.rawHeaders);
    const cookies = field === undefined ? undefined : this.#read(field, connection);
    const going =
      everyRequest && cookies?.signedOut !== true ? await this.#going(cookies, connection, request) : undefined;
    if (going !== undefined && Sessions.sameAccount(going, user)) {
      sessions.continueAs(sspi, going);
      return { ...outcome, headers: [...outcome.headers, ...cookieFields] };
    }
    const canSet = this.canSet(exchange);
    const sealed = await sessions.begin(sspi, user, canSet);
    const set: string[] = [];
    if (sealed !== undefined) set.push(sessions.cookie.set(sealed));
    // A cookie of somebody else, or one that is over, must not come back (attack H04).
    else if (cookies?.value !== undefined && canSet) set.push(sessions.cookie.clear());
    if (cookies?.signedOut === true && canSet) set.push(sessions.mark.clear());
    const headers = set.length === 0 ? cookieFields : [...cookieFields, setCookies(...set)];
    return { ...outcome, headers: [...outcome.headers, ...headers] };
  }

  /** Whether a request has a session cookie, whatever it is worth. */
  hasCookie(rawHeaders: readonly string[]): boolean {
    const field = cookieField(rawHeaders);
    return field !== undefined && cookieValue(field, this.sessions.cookie.name) !== undefined;
  }

  /** Whether a cookie that is set would be kept. */
  canSet(exchange: Exchange): boolean {
    return !this.sessions.settings.cookie.secure || (hasConnection(exchange) && cameOverTls(exchange));
  }

  /**
   * Ends the session of a request, and the sign-in of its connection.
   *
   * @param known what has signed the request in
   */
  signOut(exchange: Exchange, connection: Connection | undefined, known: AuthenticatedOutcome | undefined): SignedOut {
    const { sessions } = this;
    const { phase, cookies } = connection ?? {};
    // A proxy's connection carries the cookies of others as well.
    const own = cookies?.field === cookieField(exchange.rawHeaders) ? cookies?.session?.outcome : undefined;
    const ids = new Set<string>();
    for (const outcome of [known, own, phase?.type === 'authenticated' ? phase.outcome : undefined]) {
      const signIn = outcome?.sspi === undefined ? undefined : sessions.signInOf(outcome.sspi);
      if (signIn !== undefined) ids.add(signIn.keys.id);
    }
    const told = Promise.all([...ids].map((id) => sessions.ended.end(id))).then((all) => all.every(Boolean));
    if (!this.canSet(exchange)) {
      sessions.warnOfPlainHttp();
      return { headers: [], told };
    }
    return { headers: [setCookies(sessions.cookie.clear(), sessions.mark.set('1'))], told };
  }

  async #going(
    cookies: RememberedCookies | undefined,
    connection: Connection,
    request: unknown,
  ): Promise<SignIn | undefined> {
    if (cookies?.value === undefined || cookies.worthless) return undefined;
    let { session }: { session: OpenSession | undefined } = cookies;
    if (session === undefined || !this.sessions.stands(session)) {
      const opened = await this.sessions.open(cookies.value, connection, request);
      session = opened.type === 'session' && opened.headers.length === 0 ? opened.session : undefined;
      cookies.session = session;
    }
    return session?.signIn;
  }

  /** The cookies of a field; those that the connection remembers, if it is the same. */
  #read(field: string, connection: Connection): RememberedCookies {
    const before = connection.cookies;
    if (before?.field === field) return before;
    const value = cookieValue(field, this.sessions.cookie.name);
    const isSame = value !== undefined && before?.value === value;
    const cookies: RememberedCookies = {
      field,
      value,
      signedOut: hasMark(field, this.sessions.mark.name),
      session: isSame ? before.session : undefined,
      worthless: isSame && before.worthless,
    };
    connection.cookies = cookies;
    return cookies;
  }
}

/** Any value, and any number of them: the mark can only take a user away (attack H06). */
function hasMark(field: string, name: string): boolean {
  return field.split(';').some((cookie) => cookie.trimStart().startsWith(`${name}=`));
}
