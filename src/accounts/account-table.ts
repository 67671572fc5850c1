/**
 * Accounts held in this process, and the rules that find the account a client means. Names are compared without case,
 * one UTF-16 unit at a time (formats/uppercase.ts). They are keys of a Map, so `__proto__` is a name like any other
 * (attack G05).
 */
import { uppercase } from '../formats/uppercase.ts';
import type { Account } from './account-source.ts';

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
export interface WantedAccount {
  readonly userName: string;
  /** The domain the client named; may be empty or `.`. */
  readonly domain: string;
  /** NetBIOS domain and computer name of the server. */
  readonly serverDomain: string;
  readonly serverName: string;
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
    this.#size -= this.#byUser.get(user)?.length ?? 0;
    this.#byUser.delete(user);
  }

  /**
   * Finds the account that a client means (attack C28). Only accounts of the claimed user name are considered. The
   * first of these rules that matches an account decides. If it matches more than one account, none is found.
   *
   * 1. The account's domain is the one that the client named.
   * 2. The client named no domain (empty or `.`): the account may have any domain.
   * 3. The client named the server's domain or computer name: the account has no domain, or its domain is one of these
   *    two names.
   * 4. The account has no domain. It is the server's own, and a client may not know the name of the server.
   *
   * A user name with an `@` is looked up as a userPrincipalName if it came without a domain and no account has it as
   * its user name.
   *
   * @returns undefined if no account is found
   */
  find({ userName, domain, serverDomain, serverName }: WantedAccount): StoredAccount | undefined {
    const user = this.#fold(userName);
    const isPrincipal = domain === '' && user.includes('@') && !this.#byUser.has(user);
    // An unknown name goes through the same steps, with an empty list: it takes as long as a known one (attack G01).
    const sameUser = (isPrincipal ? this.#byPrincipal : this.#byUser).get(user) ?? none;
    const wanted = this.#fold(domain);
    const exact = sameUser.filter((stored) => this.#domainOf(stored) === wanted);
    if (exact.length > 0) return only(exact);
    if (wanted === '' || wanted === '.') return only(sameUser);
    const own: readonly (string | undefined)[] = [undefined, this.#fold(serverDomain), this.#fold(serverName)];
    if (own.includes(wanted)) {
      const ours = sameUser.filter((stored) => own.includes(this.#domainOf(stored)));
      if (ours.length > 0) return only(ours);
    }
    return only(sameUser.filter(({ account }) => account.domain === undefined));
  }

  #domainOf({ account }: StoredAccount): string | undefined {
    return account.domain === undefined ? undefined : this.#fold(account.domain);
  }
}

const none: readonly StoredAccount[] = [];

function only(candidates: readonly StoredAccount[]): StoredAccount | undefined {
  return candidates.length === 1 ? candidates[0] : undefined;
}
