/**
 * Accounts held in this process, and the rules that find the account a client means. Names are compared without case,
 * one UTF-16 unit at a time (formats/uppercase.ts). They are keys of a Map, so `__proto__` is a name like any other
 * (attack G05).
 */
import { uppercase } from '../formats/uppercase.ts';
import type { Account, ServerNames } from './account-source.ts';

/** One account and its secrets. */
export interface StoredAccount {
  /** Returned for a client that proved to be this account. Frozen. */
  readonly account: Account;
  /** NTOWFv1, 16 bytes; undefined: NTLM is refused. */
  readonly ntHash: Uint8Array | undefined;
  /** In Unicode form NFC. Undefined: Digest is refused. */
  readonly password: string | undefined;
}

/** The account that a client claims. */
export interface WantedAccount extends ServerNames {
  readonly userName: string;
  /** The domain the client named; may be empty or `.`. */
  readonly domain: string;
}

/** Who a client means, read from the names that it sent. */
interface Claim {
  /** Accounts of that user name. */
  readonly sameUser: readonly StoredAccount[];
  /** As AccountTable compares names; empty or `.`: the client named none. */
  readonly domain: string;
  /** The name was of the form `user@domain`. */
  readonly isAddress: boolean;
}

export class AccountTable {
  readonly #byUser = new Map<string, StoredAccount[]>();
  readonly #byPrincipal = new Map<string, StoredAccount[]>();
  readonly #fold: (name: string) => string;
  #size = 0;

  /** @param fold gives the same text for names that count as equal */
  constructor(fold: (name: string) => string = uppercase) {
    this.#fold = fold;
  }

  /** How many accounts there are. */
  get size(): number {
    return this.#size;
  }

  /** @returns false if the table has an account of that name and domain already; then nothing is added */
  add(stored: StoredAccount): boolean {
    const user = this.#fold(stored.account.userName);
    const sameUser = this.#byUser.get(user) ?? [];
    const domain = this.#domainOf(stored);
    if (sameUser.some((other) => this.#domainOf(other) === domain)) return false;
    this.#byUser.set(user, [...sameUser, stored]);
    this.#size++;
    const { userPrincipalName } = stored.account;
    if (userPrincipalName !== undefined) {
      const principal = this.#fold(userPrincipalName);
      this.#byPrincipal.set(principal, [...(this.#byPrincipal.get(principal) ?? []), stored]);
    }
    return true;
  }

  /** Whether an account has this userPrincipalName. */
  hasPrincipal(userPrincipalName: string): boolean {
    return this.#byPrincipal.has(this.#fold(userPrincipalName));
  }

  /** Removes all accounts of a user name, whatever their domain. */
  remove(userName: string): void {
    const user = this.#fold(userName);
    const removed = this.#byUser.get(user) ?? none;
    this.#byUser.delete(user);
    this.#size -= removed.length;
    for (const { account } of removed) {
      if (account.userPrincipalName === undefined) continue;
      const principal = this.#fold(account.userPrincipalName);
      const others = this.#byPrincipal.get(principal)?.filter((other) => !removed.includes(other)) ?? [];
      if (others.length === 0) this.#byPrincipal.delete(principal);
      else this.#byPrincipal.set(principal, others);
    }
  }

  /**
   * Two accounts that are one at a server of these names: one has no domain, the other has the server's.
   *
   * @returns both, in the order in which they were added; undefined if there are none
   */
  sameAt(names: ServerNames): readonly [StoredAccount, StoredAccount] | undefined {
    const { own, domainOf } = this.#namesOf(names);
    for (const sameUser of this.#byUser.values()) {
      const [first, second] = sameUser.filter((stored) => domainOf(stored) === own);
      if (first !== undefined && second !== undefined) return [first, second];
    }
    return undefined;
  }

  /**
   * Finds the account that a client means (attack C28). Only accounts of the claimed user name are considered. An
   * account without a domain is one of the server's domain, whose DNS name means the same. The first of these rules that
   * matches an account decides. If it matches more than one account, none is found.
   *
   * 1. The account's domain is the one that the client named.
   * 2. The client named no domain (empty or `.`): the account may have any domain.
   * 3. The client named the server's domain or computer name: the account's domain is one of these two.
   * 4. The client named a DNS name: the account has a userPrincipalName that ends with it.
   * 5. The account has no domain. It is the server's own, and a client may not know the name of the server.
   *
   * A client that named no domain may have put it into the user name. A user name that an account has is never taken
   * apart. Otherwise `DOMAIN\user` has the domain before its first backslash. A name with an `@` is first looked up as a
   * userPrincipalName; if no account has it, its domain is behind the last `@`, and rule 5 does not apply.
   *
   * @returns undefined if no account is found
   */
  find(wanted: WantedAccount): StoredAccount | undefined {
    // An unknown name goes through the same steps, with an empty list: it takes as long as a known one (attack G01).
    const { sameUser, domain: claimed, isAddress } = this.#claimOf(wanted);
    const { own, netBiosNameOf, domainOf } = this.#namesOf(wanted);
    const domain = netBiosNameOf(claimed);
    const exact = sameUser.filter((stored) => domainOf(stored) === domain);
    if (exact.length > 0) return only(exact);
    if (domain === '' || domain === '.') return only(sameUser);
    const names = [own, this.#fold(wanted.serverName)];
    const ours = names.includes(domain) ? sameUser.filter((stored) => names.includes(domainOf(stored))) : none;
    if (ours.length > 0) return only(ours);
    const suffixed = sameUser.filter((stored) => this.#suffixOf(stored) === claimed);
    if (suffixed.length > 0) return only(suffixed);
    return isAddress ? undefined : only(sameUser.filter(({ account }) => account.domain === undefined));
  }

  #claimOf({ userName, domain }: WantedAccount): Claim {
    const user = this.#fold(userName);
    const known = this.#byUser.get(user);
    const named = { sameUser: known ?? none, domain: this.#fold(domain), isAddress: false };
    if (domain !== '' || known !== undefined) return named;
    const backslash = user.indexOf('\\');
    if (backslash >= 0) {
      const sameUser = this.#byUser.get(user.slice(backslash + 1)) ?? none;
      return { sameUser, domain: user.slice(0, backslash), isAddress: false };
    }
    const principal = user.includes('@') ? this.#byPrincipal.get(user) : undefined;
    if (principal !== undefined) return { ...named, sameUser: principal };
    const at = user.lastIndexOf('@');
    // `alice@` names no domain, but is not `alice`.
    if (at < 0 || at === user.length - 1) return named;
    return { sameUser: this.#byUser.get(user.slice(0, at)) ?? none, domain: user.slice(at + 1), isAddress: true };
  }

  /** The names of a server as this table compares names. */
  #namesOf({ serverDomain, serverDnsDomain }: ServerNames): {
    /** The server's domain. */
    readonly own: string;
    /** The server's domain for its DNS name, any other name unchanged. */
    readonly netBiosNameOf: (domain: string) => string;
    /** The domain of an account. */
    readonly domainOf: (stored: StoredAccount) => string;
  } {
    const own = this.#fold(serverDomain);
    const dnsDomain = serverDnsDomain === undefined ? undefined : this.#fold(serverDnsDomain);
    const netBiosNameOf = (domain: string): string => (domain === dnsDomain ? own : domain);
    return { own, netBiosNameOf, domainOf: (stored) => netBiosNameOf(this.#domainOf(stored) ?? own) };
  }

  #domainOf({ account }: StoredAccount): string | undefined {
    return account.domain === undefined ? undefined : this.#fold(account.domain);
  }

  /** What is behind the last `@` of the userPrincipalName. */
  #suffixOf({ account: { userPrincipalName = '' } }: StoredAccount): string | undefined {
    const at = userPrincipalName.lastIndexOf('@');
    return at < 0 ? undefined : this.#fold(userPrincipalName.slice(at + 1));
  }
}

const none: readonly StoredAccount[] = [];

function only(candidates: readonly StoredAccount[]): StoredAccount | undefined {
  return candidates.length === 1 ? candidates[0] : undefined;
}
