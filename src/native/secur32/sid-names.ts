/** Looks up the names of security identifiers with LookupAccountSidW, off the event loop, and caches them. */
import { callAsynchronously, koffi } from '../koffi.ts';
import { systemClock } from '../../foundation/clock.ts';
import type { Clock } from '../../foundation/clock.ts';
import type { Secur32Library } from './library.ts';

/** Asks the system for the name of a SID. Undefined if it has none. */
export type SidLookup = (sid: Uint8Array) => Promise<string | undefined>;

interface CachedName {
  readonly name: Promise<string | undefined>;
  readonly expires: number;
}

/**
 * A bounded cache of names by SID. The oldest entry is dropped first. Concurrent requests for one SID share a look-up.
 */
export class SidNames {
  readonly #lookup: SidLookup;
  readonly #clock: Clock;
  readonly #maxNames: number;
  readonly #lifetimeMilliseconds: number;
  readonly #names = new Map<string, CachedName>();

  /**
   * @param maxNames how many names are kept
   * @param lifetimeMilliseconds how long a name is kept: accounts can be renamed. A failed look-up is kept for the same
   *   time, and then tried again
   */
  constructor(lookup: SidLookup, clock: Clock = systemClock, maxNames = 4096, lifetimeMilliseconds = 10 * 60_000) {
    this.#lookup = lookup;
    this.#clock = clock;
    this.#maxNames = maxNames;
    this.#lifetimeMilliseconds = lifetimeMilliseconds;
  }

  /** How many names are kept. */
  get size(): number {
    return this.#names.size;
  }

  /**
   * @param sid the SID in the form `S-1-…`
   * @param bytes the same SID in binary form. It is copied
   * @returns `DOMAIN\name`. Undefined if the SID has no name or the look-up failed
   */
  name(sid: string, bytes: Uint8Array): Promise<string | undefined> {
    const now = this.#clock.elapsed();
    const known = this.#names.get(sid);
    if (known !== undefined && known.expires > now) return known.name;
    this.#names.delete(sid);
    // A failed look-up is not an error: access is decided by the SID, and the group only lacks its name.
    const name = this.#lookup(Uint8Array.from(bytes)).catch(() => undefined);
    this.#names.set(sid, { name, expires: now + this.#lifetimeMilliseconds });
    if (this.#names.size > this.#maxNames) {
      const [oldest] = this.#names.keys();
      if (oldest !== undefined) this.#names.delete(oldest);
    }
    return name;
  }
}

/** Buffer for a name or a domain, in UTF-16 units with the terminating zero (lmcons.h: UNLEN is 256). */
const NAME_UNITS = 257;

/** A look-up with LookupAccountSidW of this machine. */
export function systemSidLookup(token: NonNullable<Secur32Library['token']>): SidLookup {
  return async (sid) => {
    const lengths = 4 + 4 + 4;
    const memory = Buffer.alloc(lengths + 2 * 2 * NAME_UNITS + sid.byteLength);
    const nameAt = lengths;
    const domainAt = nameAt + 2 * NAME_UNITS;
    const sidAt = domainAt + 2 * NAME_UNITS;
    memory.writeUInt32LE(NAME_UNITS, 0);
    memory.writeUInt32LE(NAME_UNITS, 4);
    memory.set(sid, sidAt);
    const address = koffi().address(memory);
    const found = await callAsynchronously(
      token.LookupAccountSidW,
      null,
      address + BigInt(sidAt),
      address + BigInt(nameAt),
      address,
      address + BigInt(domainAt),
      address + 4n,
      address + 8n,
    );
    if (found === 0) return undefined;
    // On success the lengths do not count the terminating zero.
    const nameUnits = memory.readUInt32LE(0);
    const domainUnits = memory.readUInt32LE(4);
    if (nameUnits === 0 || nameUnits >= NAME_UNITS || domainUnits >= NAME_UNITS) return undefined;
    const name = memory.toString('utf16le', nameAt, nameAt + 2 * nameUnits);
    const domain = memory.toString('utf16le', domainAt, domainAt + 2 * domainUnits);
    return domain === '' ? name : `${domain}\\${name}`;
  };
}
