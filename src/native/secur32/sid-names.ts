/** Names of security identifiers through LookupAccountSidW, off the event loop, remembered for a while. */
import { callOffLoop, koffi } from '../koffi.ts';
import { systemClock } from '../../foundation/clock.ts';
import type { Clock } from '../../foundation/clock.ts';
import type { Secur32Library } from './library.ts';

/** Asks the system for one name; undefined where there is none. */
export type SidLookup = (sid: Uint8Array) => Promise<string | undefined>;

interface Remembered {
  readonly name: Promise<string | undefined>;
  readonly expires: number;
}

/** Names by SID: bounded, oldest out first; one question at a time for one SID. */
export class SidNames {
  readonly #lookup: SidLookup;
  readonly #clock: Clock;
  readonly #most: number;
  readonly #milliseconds: number;
  readonly #names = new Map<string, Remembered>();

  /**
   * @param most how many names are remembered
   * @param milliseconds for how long: accounts are renamed, domain controllers come back
   */
  constructor(lookup: SidLookup, clock: Clock = systemClock, most = 4096, milliseconds = 10 * 60_000) {
    this.#lookup = lookup;
    this.#clock = clock;
    this.#most = most;
    this.#milliseconds = milliseconds;
  }

  /** How many names are remembered. */
  get size(): number {
    return this.#names.size;
  }

  /**
   * @param sid in the form `S-1-…`
   * @param bytes the same SID as bytes; copied
   * @returns `DOMAIN\name`, or undefined where it has no name or nobody could be asked
   */
  name(sid: string, bytes: Uint8Array): Promise<string | undefined> {
    const now = this.#clock.elapsed();
    const known = this.#names.get(sid);
    if (known !== undefined && known.expires > now) return known.name;
    this.#names.delete(sid);
    // A failed look-up leaves the group without its name; the SID is what decides.
    const name = this.#lookup(Uint8Array.from(bytes)).catch(() => undefined);
    this.#names.set(sid, { name, expires: now + this.#milliseconds });
    if (this.#names.size > this.#most) {
      const [oldest] = this.#names.keys();
      if (oldest !== undefined) this.#names.delete(oldest);
    }
    return name;
  }
}

/** Room for a name and for a domain, in UTF-16 units: both end at 256 (lmcons.h UNLEN and DNLEN). */
const NAME_UNITS = 257;

/** LookupAccountSidW of this machine. */
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
    const found = await callOffLoop(
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
