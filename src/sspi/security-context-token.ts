/**
 * What QuerySecurityContextToken gives: the account of an established context, as a value.
 *
 * On Windows it is read from the access token, which is closed before the value is returned. Elsewhere it comes from
 * the account source or from the PAC of the ticket. It is deeply frozen: all requests of a connection may share it.
 */

/** One group of an account, MS-DTYP 2.4.2 and the SE_GROUP_* attributes of winnt.h. */
export interface Group {
  /** `S-1-…`, where known. */
  readonly sid?: string;
  /**
   * `DOMAIN\name` or a well-known name, where known. On Windows it may come after the sign-in, if a domain controller is
   * slow: until then it is undefined.
   */
  readonly name?: string;
  /** SE_GROUP_* bits; 7 (mandatory, enabled by default, enabled) if the source gives none. */
  readonly attributes: number;
  /** The group may only be used to deny: never grant anything for it. */
  readonly denyOnly: boolean;
}

/** The account behind an established security context. */
export interface SecurityContextToken {
  /** Account name as its authority spells it, without domain. */
  readonly userName: string;
  /** NetBIOS name of the account's domain or computer, where known. */
  readonly domain?: string;
  /** `user@realm` of Kerberos and UPNs, where known. */
  readonly userPrincipalName?: string;
  readonly displayName?: string;
  /** Security identifier of the user, where known. */
  readonly sid?: string;
  readonly groups: readonly Group[];
  /** A null session or ANONYMOUS LOGON. Never an identity. */
  readonly isAnonymous: boolean;
  /** The Guest account (RID 501) or, on Windows, a member of the group Guests. Never an identity. */
  readonly isGuest: boolean;
}
