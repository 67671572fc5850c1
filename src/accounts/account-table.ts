/**
 * Accounts held in this process, and which of them a client means. Names compare without case, one UTF-16 unit at a time
 * (formats/uppercase.ts), and are looked up in a Map, so `__proto__` is a name like any other (attack G05).
 */
import { uppercase } from '../formats/uppercase.ts';
import type { Account } from './account-source.ts';

/** One account and its secrets. */
export interface StoredAccount {
  /** What a client that proves it is this account becomes. Frozen. */
  readonly account: Account;
  /** NTOWFv1, 16 bytes; undefined: NTLM is refused. */
  readonly ntHash: Uint8Array | undefined;
  /** In Unicode form NFC. Undefined: Digest is refused. */
  readonly password: string | undefined;
}

/** Which account a client asks for. */
export interface WantedAccount {
  readonly userName: string;
  /** The domain the client named; may be empty or `.`. */
  readonly domain: string;
  /** The server's own names, NetBIOS. */
  readonly serverDomain: string;
  readonly serverName: string;
}

export class AccountTable {
  readonly #byUser = new Map<string, StoredAccount[]>();
  readonly #byPrincipal = new Map<string, StoredAccount[]>();
  readonly #fold: (name: string) => string;
  #size = 0;

  /** @param fold makes the same text of names that are to be taken for the same */
  constructor(fold: (name: string) => string = uppercase) {
    this.#fold = fold;
  }

  /** How many accounts there are. */
  get size(): number {
    return this.#size;
  }

  /** @returns false where an account of that name and domain is there already: it is not added */
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

  /** Whether an account has that userPrincipalName. */
  hasPrincipal(userPrincipalName: string): boolean {
    return this.#byPrincipal.has(this.#fold(userPrincipalName));
  }

  /** Takes every account of a name out. */
  remove(userName: string): void {
    const user = this.#fold(userName);
    this.#size -= this.#byUser.get(user)?.length ?? 0;
    this.#byUser.delete(user);
  }

  /**
   * The one account a client means (attack C28). The first of these rules that matches any account decides, and where it
   * matches two, none is meant:
   *
   * 1. the account's domain is the one the client named;
   * 2. the client named no domain (empty or `.`): accounts of that name whatever their domain;
   * 3. the client named the server's own domain or computer: accounts without a domain, or whose domain is one of the two;
   * 4. accounts without a domain: they are the server's own, and a client may not know what the server is called.
   *
   * A name with an `@` and no domain, that is nobody's, is a userPrincipalName.
   */
  find({ userName, domain, serverDomain, serverName }: WantedAccount): StoredAccount | undefined {
    const user = this.#fold(userName);
    const isPrincipal = domain === '' && user.includes('@') && !this.#byUser.has(user);
    // Nobody is looked for among nobody: that takes as long as somebody (attack G01).
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
