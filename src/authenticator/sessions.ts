/**
 * Option `session`: a sealed cookie in place of a sign-in, on other connections and in other processes. What a cookie is
 * worth is decided here; in which order proofs count, by src/authenticator/session-proof.ts.
 *
 * A cookie that was opened is remembered with its connection: the next request with the same Cookie field is answered
 * synchronously, and nothing waits for the store.
 */
import { systemClock } from '../foundation/clock.ts';
import type { HeaderField, StandingOutcome } from '../http/outcome.ts';
import { accountName } from '../identity/identity.ts';
import type { Identity } from '../identity/identity.ts';
import { SecurityContextInfo } from '../identity/security-context-info.ts';
import { MAX_COOKIE_BYTES, OwnCookie } from '../sessions/cookie-field.ts';
import { EndedSessions, userKeys } from '../sessions/ended-sessions.ts';
import type { SessionKeys } from '../sessions/ended-sessions.ts';
import { decodeContent, encodeContent, keptIdentity } from '../sessions/session-content.ts';
import type { SessionContent } from '../sessions/session-content.ts';
import type { SessionSettings } from '../sessions/session-options.ts';
import { SessionSeal } from '../sessions/session-seal.ts';
import { storedGroups, storeGroups } from '../sessions/stored-groups.ts';
import type { Audit } from './audit.ts';
import type { Connection } from './connection.ts';
import { currency } from './currency.ts';
import { inTime, tooLate } from './deadline.ts';
import { joinRound, NO_ROUND, ROUND_MILLISECONDS, rounds } from './examination-round.ts';
import type { OfferedScheme } from './offered-scheme.ts';
import type { Settings } from './options.ts';
import type { OpenSession, SignIn } from './session-memory.ts';
import { verifiedUser } from './verified-user.ts';

type UsedSettings = Pick<Settings<never>, 'clock' | 'random' | 'limits' | 'store' | 'enrich'>;

/** What a cookie turned out to be. */
export type OpenedCookie =
  | { readonly type: 'session'; readonly session: OpenSession; readonly headers: readonly HeaderField[] }
  /** Worth nothing: its client is to remove it. */
  | { readonly type: 'worthless' }
  /** Nobody can say: the store is away. */
  | { readonly type: 'unknown' }
  /** Function `enrich` failed. */
  | { readonly type: 'failed'; readonly error: unknown };

const ID_BYTES = 16;
/** How far the clocks of two processes may differ, in milliseconds: a cookie that is newer is not taken. */
const SKEW_MILLISECONDS = 60_000;
/** How many sessions are remembered as asked for. */
const MAX_CHECKED = 10_000;

const VARIES_BY_COOKIE: HeaderField = Object.freeze(['Vary', 'Cookie'] as const);
export const cookieFields: readonly HeaderField[] = Object.freeze([VARIES_BY_COOKIE]);

/** A field with cookies. */
export function setCookies(...values: readonly string[]): HeaderField {
  return ['Set-Cookie', values];
}

export class Sessions {
  readonly settings: SessionSettings;
  readonly cookie: OwnCookie;
  readonly mark: OwnCookie;
  readonly ended: EndedSessions;
  readonly #used: UsedSettings;
  readonly #audit: Audit;
  readonly #schemes: readonly OfferedScheme[];
  readonly #seal: SessionSeal;
  readonly #audience: string;
  readonly #lifetime: number;
  readonly #signIns = new WeakMap<SecurityContextInfo, SignIn>();
  /** When the store was asked for a session last (Clock.elapsed()), by its id. */
  readonly #checked = new Map<string, number>();
  readonly #warned = new Set<string>();

  constructor(settings: SessionSettings, used: UsedSettings, schemes: readonly OfferedScheme[], audit: Audit) {
    const { name, secure, audience } = settings.cookie;
    this.settings = settings;
    this.cookie = new OwnCookie(name, secure);
    this.mark = new OwnCookie(`${name}-out`, secure);
    this.#used = used;
    this.#schemes = schemes;
    this.#audit = audit;
    this.#seal = new SessionSeal(settings.secrets);
    this.#audience = audience ?? this.cookie.name;
    this.#lifetime = Math.min(settings.lifetimeMilliseconds, used.limits.identityMilliseconds);
    this.ended = new EndedSessions(used.store, used.clock, this.#lifetime);
    if (!secure) {
      audit.warn(
        'sspi-auth: session.cookie.secure is false: cookies of sessions go over plain HTTP, where everybody on the way can use them',
      );
    }
  }

  /** Whether a sign-in still counts, as far as this process knows. The store is asked meanwhile. */
  holds(signIn: SignIn): boolean {
    const { ended } = this;
    if (signIn.epoch !== ended.epoch) {
      signIn.epoch = ended.epoch;
      if (ended.has(signIn.keys)) signIn.ended = true;
    }
    if (signIn.ended) return false;
    if (this.#used.store !== undefined && !signIn.checking) {
      const age = this.#used.clock.elapsed() - signIn.checkedAt;
      if (age >= this.settings.revocationCheckMilliseconds / 2) this.#ask(signIn).catch(() => undefined);
    }
    return true;
  }

  /** Whether the identity of a connection still counts. */
  readonly holdsSignIn = (sspi: SecurityContextInfo): boolean => {
    const signIn = this.#signIns.get(sspi);
    return signIn === undefined || this.holds(signIn);
  };

  /** Whether a cookie that was opened before still counts, without asking anybody. */
  stands(session: OpenSession): boolean {
    const { signIn } = session;
    // A sign-out counts at once; all else is a matter of time.
    const isExamined = session.round === rounds.current && signIn.epoch === this.ended.epoch;
    return isExamined ? !signIn.ended : this.#examine(session);
  }

  #examine(session: OpenSession): boolean {
    const { clock, store } = this.#used;
    const { signIn } = session;
    const isInRounds = session.round !== NO_ROUND;
    session.round = NO_ROUND;
    if (!this.holds(signIn)) return false;
    const elapsed = clock.elapsed();
    const staleAt = store === undefined ? Infinity : signIn.checkedAt + this.settings.revocationCheckMilliseconds;
    const endsAt = Math.min(session.endsAt, session.refreshAt, staleAt);
    const left = Math.min(endsAt - elapsed, session.expiresAt - clock.now());
    if (!(left > 0)) return false;
    if (session.isCurrent !== undefined && (isInRounds || elapsed >= session.askAgainAt)) {
      if (!session.isCurrent()) signIn.ended = true;
      session.askAgainAt = elapsed + ROUND_MILLISECONDS;
    }
    // As for the identity of a connection.
    if (left > ROUND_MILLISECONDS && clock === systemClock) session.round = joinRound();
    return !signIn.ended;
  }

  /** Opens a cookie. Never rejects. */
  async open(value: string, connection: Pick<Connection, 'peer'>, request: unknown): Promise<OpenedCookie> {
    const worthless: OpenedCookie = { type: 'worthless' };
    if (value.length > MAX_COOKIE_BYTES) return worthless;
    const opened = await this.#seal.open(value);
    const content = opened === undefined ? undefined : decodeContent(opened);
    const { clock, store } = this.#used;
    const now = clock.now();
    if (content === undefined || !this.#isInTime(content, now)) return worthless;
    const scheme = this.#schemeOf(content);
    if (scheme === undefined) return worthless;
    const keys: SessionKeys = { id: content.id, users: userKeys(content.user), signedInAt: content.signedInAt };
    const signIn = this.#signIn(keys, this.#checked.get(content.id) ?? -Infinity);
    if (this.ended.has(keys)) return worthless;
    if (store !== undefined && this.#isStale(signIn)) {
      await this.#ask(signIn);
      if (signIn.ended) return worthless;
      if (this.#isStale(signIn)) return { type: 'unknown' };
    }
    const complete = await this.#withGroups(content);
    if (complete === undefined || complete === 'away') return complete === undefined ? worthless : { type: 'unknown' };
    const user = Object.freeze(complete.user);
    let shown: Identity;
    try {
      shown = await this.#enriched(user, request);
    } catch (error) {
      return { type: 'failed', error };
    }
    const isCurrent = scheme.isCurrent === undefined ? undefined : currency(this.#audit, scheme, user, connection);
    if (isCurrent?.() === false) return worthless;
    const session = this.#session(complete, shown, signIn, isCurrent);
    const refreshes = now - content.sealedAt >= this.settings.idleMilliseconds / 2 || this.#seal.isOld(value);
    const sealed = refreshes ? await this.#sealed({ ...content, sealedAt: now }, value) : undefined;
    // Meanwhile it may have been ended.
    if (!this.holds(signIn)) return worthless;
    return { type: 'session', session, headers: sealed === undefined ? [] : [setCookies(this.cookie.set(sealed))] };
  }

  /**
   * Begins a session for a user who has just signed in. Never rejects.
   *
   * @param canSet whether the client keeps a cookie
   * @returns the value of the cookie; undefined if there is none
   */
  async begin(sspi: SecurityContextInfo, shown: Identity, canSet: boolean): Promise<string | undefined> {
    const { clock, random, store } = this.#used;
    const user = verifiedUser(sspi) ?? shown;
    const id = Buffer.from(random(ID_BYTES)).toString('base64url');
    const now = clock.now();
    this.#signIns.set(sspi, this.#signIn({ id, users: userKeys(user), signedInAt: now }, clock.elapsed()));
    if (!canSet) {
      this.warnOfPlainHttp();
      return undefined;
    }
    const { scheme, package: packageName, provider, attributes, expiry } = sspi;
    const content: SessionContent = {
      audience: this.#audience,
      id,
      signedInAt: now,
      sealedAt: now,
      endsAt: Math.min(now + this.#lifetime, expiry?.getTime() ?? Infinity),
      facts: { scheme, package: packageName, provider, attributes, expiry },
      user: keptIdentity(user, this.settings.fields),
    };
    if (!(content.endsAt > now)) return undefined;
    try {
      const sealed = await this.#sealed(content);
      if (sealed !== undefined) return sealed;
      if (store === undefined) return this.#tooLarge(user);
      const key = Buffer.from(random(ID_BYTES)).toString('base64url');
      const groups = await storeGroups(store, key, content.user.groups, Math.ceil(content.endsAt - now));
      return (
        (await this.#sealed({ ...content, user: { ...content.user, groups: [] }, groups })) ?? this.#tooLarge(user)
      );
    } catch (error) {
      // The user is signed in without a cookie, which costs no more than another sign-in.
      this.#audit.failedOnce(error, 'sealing a session');
      return undefined;
    }
  }

  /** The sign-in of a connection or of a cookie. */
  signInOf(sspi: SecurityContextInfo): SignIn | undefined {
    return this.#signIns.get(sspi);
  }

  /** Credentials of the request proved the user of its session once more. */
  continueAs(sspi: SecurityContextInfo, signIn: SignIn): void {
    this.#signIns.set(sspi, signIn);
  }

  /** Tells the operator, once, that no cookie is set. */
  warnOfPlainHttp(): void {
    this.#warnOnce(
      'no cookie of a session is set over plain HTTP: it is for TLS alone. Serve over TLS; or let the proxy before this ' +
        'server, if it has TLS, send X-Forwarded-Proto; or set session.cookie.secure to false, and everybody on the way can use cookies',
    );
  }

  #tooLarge(user: Identity): undefined {
    this.#warnOnce(
      `the cookie of a session would have more than ${MAX_COOKIE_BYTES} bytes for a user of ${user.groups.length} groups, and is not set. ` +
        'Give option "store", which then has the groups; or leave groups out of session.fields',
    );
  }

  #warnOnce(message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.#audit.warn(`sspi-auth: ${message}`);
  }

  #signIn(keys: SessionKeys, checkedAt: number): SignIn {
    return { keys, epoch: -1, checkedAt, checking: false, ended: false };
  }

  #isStale({ checkedAt }: SignIn): boolean {
    return this.#used.clock.elapsed() - checkedAt >= this.settings.revocationCheckMilliseconds;
  }

  /** Asks the store for a sign-in, and notes the answer. */
  async #ask(signIn: SignIn): Promise<void> {
    signIn.checking = true;
    const askedAt = this.#used.clock.elapsed();
    const ended = await this.ended.ask(signIn.keys);
    signIn.checking = false;
    if (ended === undefined) return;
    if (ended) {
      signIn.ended = true;
      return;
    }
    signIn.checkedAt = askedAt;
    const { id } = signIn.keys;
    this.#checked.delete(id);
    this.#checked.set(id, askedAt);
    for (const oldest of this.#checked.keys()) {
      if (this.#checked.size <= MAX_CHECKED) break;
      this.#checked.delete(oldest);
    }
  }

  #isInTime({ audience, signedInAt, sealedAt, endsAt, facts }: SessionContent, now: number): boolean {
    const latest = now + SKEW_MILLISECONDS;
    return (
      audience === this.#audience &&
      signedInAt <= latest &&
      sealedAt <= latest &&
      now < Math.min(endsAt, signedInAt + this.#lifetime, sealedAt + this.settings.idleMilliseconds) &&
      now < (facts.expiry?.getTime() ?? Infinity)
    );
  }

  /** The scheme of a session, if it is offered and would admit such a sign-in today. */
  #schemeOf({ facts }: SessionContent): OfferedScheme | undefined {
    const scheme = this.#schemes.find(({ name }) => name === facts.scheme);
    if (scheme === undefined || scheme.packages?.includes(facts.package) === false) return undefined;
    const required = scheme.requiredAttributes ?? 0;
    return (facts.attributes & required) >>> 0 === required >>> 0 ? scheme : undefined;
  }

  async #withGroups(content: SessionContent): Promise<SessionContent | undefined | 'away'> {
    const { store } = this.#used;
    if (content.groups === undefined) return content;
    if (store === undefined) return undefined;
    try {
      const groups = await storedGroups(store, content.groups);
      return groups === undefined ? undefined : { ...content, user: { ...content.user, groups } };
    } catch {
      return 'away';
    }
  }

  async #enriched(user: Identity, request: unknown): Promise<Identity> {
    const { enrich, limits } = this.#used;
    if (enrich === undefined) return user;
    const milliseconds = limits.handshakeMilliseconds;
    const given: unknown = await inTime(Promise.resolve(enrich(user, request as never)), milliseconds, () =>
      tooLate(milliseconds),
    );
    if (typeof given === 'object' && given !== null) return given as Identity;
    throw new TypeError('enrich gave no user');
  }

  #session(
    { facts, signedInAt, endsAt, sealedAt }: SessionContent,
    shown: Identity,
    signIn: SignIn,
    isCurrent: (() => boolean) | undefined,
  ): OpenSession {
    const { clock } = this.#used;
    const { idleMilliseconds } = this.settings;
    const now = clock.now();
    const elapsed = clock.elapsed();
    const sspi = new SecurityContextInfo({ ...facts, channelBound: false }, undefined, 'session');
    this.#signIns.set(sspi, signIn);
    const outcome: StandingOutcome = Object.freeze({
      type: 'authenticated',
      user: shown,
      sspi,
      headers: noFields,
      standing: true,
    });
    const expiresAt = Math.min(endsAt, signedInAt + this.#lifetime, sealedAt + idleMilliseconds);
    return {
      signIn,
      outcome,
      carried: Object.freeze({ ...outcome, headers: cookieFields, standing: false }),
      expiresAt,
      endsAt: elapsed + Math.min(expiresAt - now, idleMilliseconds),
      // Not at once, where the client does not keep what it is sent.
      refreshAt: elapsed + idleMilliseconds / 4,
      isCurrent,
      askAgainAt: elapsed + ROUND_MILLISECONDS,
      round: NO_ROUND,
    };
  }

  /** @returns undefined if the whole cookie is too long. @param before the value that it takes the place of */
  async #sealed(content: SessionContent, before?: string): Promise<string | undefined> {
    const sealed = await this.#seal.seal(encodeContent(content));
    if (before !== undefined && sealed === before) return undefined;
    return this.cookie.set(sealed).length > MAX_COOKIE_BYTES ? undefined : sealed;
  }

  /** Whether two identities are of one account. */
  static sameAccount(signIn: SignIn, user: Identity): boolean {
    const own = userKeys(user);
    return own[0] === signIn.keys.users[0] && accountName(user) !== '';
  }
}

const noFields: readonly [] = Object.freeze([]);
