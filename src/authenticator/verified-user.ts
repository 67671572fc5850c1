/** The user as the package verified him, where the application has added to the one that it sees (option `enrich`). */
import type { Identity } from '../identity/identity.ts';
import type { SecurityContextInfo } from '../identity/security-context-info.ts';

const verified = new WeakMap<SecurityContextInfo, Identity>();

export function setVerifiedUser(sspi: SecurityContextInfo, user: Identity): void {
  verified.set(sspi, user);
}

/** Undefined if the application has added nothing. */
export function verifiedUser(sspi: SecurityContextInfo): Identity | undefined {
  return verified.get(sspi);
}
