/** Counts the authenticators that use an account source: several may share one, and the last of them closes it. */
import type { AccountSource } from '../accounts/account-source.ts';

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
  const left = (uses.get(source) ?? 1) - 1;
  if (left > 0) uses.set(source, left);
  else uses.delete(source);
  return left <= 0;
}
