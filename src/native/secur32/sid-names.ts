/**
 * Names of security identifiers, cached. They are for people and for rules that name a group: who a user is, and in
 * which groups, the SIDs say. So no sign-in depends on a name.
 */
import { systemClock } from '../../foundation/clock.ts';
import type { Clock } from '../../foundation/clock.ts';

/** What the system says of a SID: its name `DOMAIN\name`, that it has none, or nothing, because it could not be asked. */
export type SidAnswer = { readonly name: string } | 'unmapped' | 'failed';

/**
 * Asks the system for the names of several SIDs in one call.
 *
 * @returns an answer for each SID, in their order. If it rejects, the look-up has failed for all of them
 */
export type SidLookup = (sids: readonly Uint8Array[]) => Promise<readonly SidAnswer[]>;

/** A SID in both forms. */
export interface Sid {
  /** `S-1-…`. */
  readonly sid: string;
  /** The same SID in binary form. It is copied. */
  readonly bytes: Uint8Array;
}

/** What is known of a SID. The name may come after the object was given out. */
export interface SidName {
  /** `DOMAIN\name`. Undefined if the SID has no name, or as long as it is not known. */
  readonly name: string | undefined;
}

/** How long answers are kept, in milliseconds. */
const LIFETIMES = {
  /** Accounts can be renamed. */
  name: 10 * 60_000,
  /** Windows says the same of a SID without a name and, after a network time-out, of one whose name it could not get. */
  unmapped: 60_000,
  /** A domain controller may be back at once. */
  failed: 5_000,
} as const;

/** How long a name that cannot be asked for again is still used, in milliseconds. */
const MAX_NAME_AGE = 60 * 60_000;

class CachedName implements SidName {
  name: string | undefined;
  /** Clock.elapsed() when the name was found. */
  foundAt = 0;
  /** Clock.elapsed() from which on the system is asked again. */
  expires = 0;
  /** The look-up that runs. */
  lookup: Promise<void> | undefined;

  take(answer: SidAnswer, now: number): void {
    if (typeof answer === 'object') {
      this.name = answer.name;
      this.foundAt = now;
      this.expires = now + LIFETIMES.name;
    } else {
      if (answer === 'unmapped' || now - this.foundAt > MAX_NAME_AGE) this.name = undefined;
      this.expires = now + LIFETIMES[answer];
    }
    this.lookup = undefined;
  }
}

/** A bounded cache of names by SID. The oldest entry is dropped first. Concurrent requests for a SID share a look-up. */
export class SidNames {
  readonly #lookup: SidLookup;
  readonly #clock: Clock;
  readonly #maxNames: number;
  readonly #names = new Map<string, CachedName>();

  /** @param maxNames how many names are kept */
  constructor(lookup: SidLookup, clock: Clock = systemClock, maxNames = 4096) {
    this.#lookup = lookup;
    this.#clock = clock;
    this.#maxNames = maxNames;
  }

  /** How many names are kept. */
  get size(): number {
    return this.#names.size;
  }

  /**
   * What is known of some SIDs. Those that are not known, or not any more, are looked up in one call, which does not
   * have to be waited for.
   *
   * @returns the names in the order of the SIDs, and a promise that is fulfilled when every SID without a name was looked
   *   up. It is undefined if nothing has to be waited for, and never rejects
   */
  find(sids: readonly Sid[]): { readonly names: readonly SidName[]; readonly lookedUp: Promise<void> | undefined } {
    const now = this.#clock.elapsed();
    const unknown = new Map<CachedName, Uint8Array>();
    const names = sids.map(({ sid, bytes }) => {
      const known = this.#names.get(sid);
      const cached = known ?? new CachedName();
      if (known === undefined || (known.expires <= now && known.lookup === undefined)) {
        unknown.set(cached, Uint8Array.from(bytes));
        this.#names.delete(sid);
        this.#names.set(sid, cached);
      }
      return cached;
    });
    if (unknown.size > 0) this.#lookUp(unknown);
    for (const [oldest] of this.#names) {
      if (this.#names.size <= this.#maxNames) break;
      this.#names.delete(oldest);
    }
    // Nobody waits for the renewal of a name that is there.
    const awaited = new Set(names.flatMap(({ name, lookup }) => (name === undefined && lookup ? [lookup] : [])));
    return { names, lookedUp: awaited.size === 0 ? undefined : Promise.all(awaited).then(() => undefined) };
  }

  #lookUp(sids: ReadonlyMap<CachedName, Uint8Array>): void {
    const all = [...sids.keys()];
    const answered = (answers: readonly SidAnswer[]): void => {
      const now = this.#clock.elapsed();
      all.forEach((cached, index) => cached.take(answers[index] ?? 'failed', now));
    };
    const lookup = this.#lookup([...sids.values()]).then(answered, () => answered([]));
    for (const cached of all) cached.lookup = lookup;
  }
}
