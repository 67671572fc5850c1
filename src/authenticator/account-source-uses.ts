/** Counts the authenticators that use an account source: several may share one, and the last of them closes it. */
import type { AccountSource } from '../accounts/account-source.ts';
import { isThenable } from '../foundation/thenable.ts';
import type { Audit } from './audit.ts';

const uses = new WeakMap<AccountSource, number>();

/** One more authenticator uses the source. */
export function beginUse(source: AccountSource): void {
  uses.set(source, (uses.get(source) ?? 0) + 1);
}

/**
 * An authenticator does not use the source any more.
 *
 * @returns whether it was the last one, which has to close the source
 */
export function endUse(source: AccountSource): boolean {
  const users = uses.get(source);
  if (users !== undefined && users > 1) {
    uses.set(source, users - 1);
    return false;
  }
  uses.delete(source);
  return true;
}

/** Ends a use of a source, and closes the source if there is no other. */
export function closeSource(accounts: AccountSource | undefined, audit: Audit): void {
  if (accounts === undefined || !endUse(accounts)) return;
  const failed = (error: unknown): void => audit.failedAside(error, 'closing the account source');
  try {
    const closing: unknown = accounts.close?.();
    if (isThenable(closing)) closing.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}
