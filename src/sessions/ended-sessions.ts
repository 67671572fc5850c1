/**
 * Sessions that were ended before their time: by a sign-out, or because all sessions of a user were. This process knows its
 * own at once; what the store has is asked for.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../foundation/clock.ts';
import { accountName } from '../identity/identity.ts';
import type { Identity } from '../identity/identity.ts';
import type { SharedStore } from '../stores/shared-store.ts';

/** What a session is known by. */
export interface SessionKeys {
  readonly id: string;
  /** Of its user: see `userKeys`. */
  readonly users: readonly string[];
  /** Milliseconds since 1970-01-01 UTC. */
  readonly signedInAt: number;
}

/** The keys of a user: of the account's name, and of its SID where that is known. Any of them ends a session. */
export function userKeys(user: Pick<Identity, 'userName' | 'domain' | 'userPrincipalName' | 'sid'>): readonly string[] {
  const name = hashed(`name:${accountName(user).toLowerCase()}`);
  return user.sid === undefined ? [name] : [name, hashed(`sid:${user.sid}`)];
}

function hashed(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

const ENDED = Uint8Array.of(1);
/** How long a failed write waits until it is tried again, in milliseconds. */
const RETRY_MILLISECONDS = 1000;
/** How many writes wait for a store that is away. */
const MAX_WAITING = 10_000;

export class EndedSessions {
  /** Changes whenever a session was ended here: who has seen this number need not ask again. */
  epoch = 0;
  readonly #store: SharedStore | undefined;
  readonly #clock: Clock;
  readonly #lifetime: number;
  /** When each can be forgotten (Clock.elapsed()). */
  readonly #ids = new Map<string, number>();
  /** Up to which sign-in the sessions of a user are ended, and when that can be forgotten. */
  readonly #users = new Map<string, { readonly at: number; readonly until: number }>();
  /** Writes that the store has not taken, by key. */
  readonly #unwritten = new Map<string, { readonly bytes: Uint8Array; readonly until: number }>();
  #timer: NodeJS.Timeout | undefined;

  /** @param lifetime longest time that a session lasts, in milliseconds */
  constructor(store: SharedStore | undefined, clock: Clock, lifetime: number) {
    this.#store = store;
    this.#clock = clock;
    this.#lifetime = lifetime;
  }

  /** Whether this process has ended a session. */
  has({ id, users, signedInAt }: SessionKeys): boolean {
    return this.#ids.has(id) || users.some((key) => signedInAt <= (this.#users.get(key)?.at ?? -1));
  }

  /** Ends a session. @returns whether the store knows it: false while it is away; it is then told later */
  end(id: string): Promise<boolean> {
    this.#forget();
    this.#ids.set(id, this.#clock.elapsed() + this.#lifetime);
    this.epoch++;
    return this.#tell([idKey(id)], ENDED);
  }

  /** Ends all sessions of a user that have begun. */
  endAll(user: Parameters<typeof userKeys>[0]): Promise<boolean> {
    this.#forget();
    const at = this.#clock.now();
    const keys = userKeys(user);
    for (const key of keys) this.#users.set(key, { at, until: this.#clock.elapsed() + this.#lifetime });
    this.epoch++;
    return this.#tell(keys.map(userKey), Buffer.from(String(at)));
  }

  /**
   * Asks the store whether a session has ended, and remembers it.
   *
   * @returns undefined: the store is away
   */
  async ask(session: SessionKeys): Promise<boolean | undefined> {
    const store = this.#store;
    if (store === undefined) return false;
    try {
      // What goes with its process does not know what was ended before.
      if (store.age !== undefined && session.signedInAt < this.#clock.now() - store.age()) return true;
      const [ended, ...users] = await Promise.all([
        store.get(idKey(session.id)),
        ...session.users.map((key) => store.get(userKey(key))),
      ]);
      if (ended !== undefined) {
        this.#ids.set(session.id, this.#clock.elapsed() + this.#lifetime);
        return true;
      }
      return users.some((bytes) => bytes !== undefined && !(session.signedInAt > timeOf(bytes)));
    } catch {
      return undefined;
    }
  }

  async #tell(keys: readonly string[], bytes: Uint8Array): Promise<boolean> {
    const store = this.#store;
    if (store === undefined) return true;
    const told = await Promise.all(
      keys.map(async (key) => {
        try {
          await store.set(key, bytes, this.#lifetime);
          return true;
        } catch {
          if (this.#unwritten.size < MAX_WAITING) {
            this.#unwritten.set(key, { bytes, until: this.#clock.elapsed() + this.#lifetime });
          }
          return false;
        }
      }),
    );
    const all = told.every(Boolean);
    if (!all) this.#later();
    return all;
  }

  #later(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#retry().catch(() => undefined);
    }, RETRY_MILLISECONDS).unref();
  }

  /** Tells the store what it has missed. The first failure ends the attempt: the store is still away. */
  async #retry(): Promise<void> {
    for (const [key, { bytes, until }] of this.#unwritten) {
      const left = Math.ceil(until - this.#clock.elapsed());
      if (left > 0) {
        try {
          await this.#store?.set(key, bytes, left);
        } catch {
          this.#later();
          return;
        }
      }
      this.#unwritten.delete(key);
    }
  }

  /** Entries come in the order in which they end. */
  #forget(): void {
    const now = this.#clock.elapsed();
    for (const [id, until] of this.#ids) {
      if (until > now) break;
      this.#ids.delete(id);
    }
    for (const [key, { until }] of this.#users) {
      if (until > now) break;
      this.#users.delete(key);
    }
  }
}

/** What is no time of ours was written by somebody else: then every session of that user has ended. */
function timeOf(bytes: Uint8Array): number {
  const text = Buffer.from(bytes).toString('latin1');
  return /^\d{1,16}$/.test(text) ? Number(text) : Infinity;
}

function idKey(id: string): string {
  return `session-ended:${hashed(id)}`;
}

function userKey(hash: string): string {
  return `session-user-ended:${hash}`;
}
