/** Whether the account of a standing identity is still there: what an account source says, and the log of it. */
import { OptionError } from '../foundation/errors.ts';
import { printable } from '../foundation/text.ts';
import { isThenable } from '../foundation/thenable.ts';
import { accountName } from '../identity/identity.ts';
import type { Identity } from '../identity/identity.ts';
import type { Audit } from './audit.ts';
import type { Connection } from './connection.ts';
import type { OfferedScheme } from './offered-scheme.ts';

/**
 * Makes the question that a connection asks about its identity. Only `true` keeps the identity: an account that is gone,
 * an exception and a promise end it. The reason is logged.
 *
 * @param scheme has `isCurrent`
 */
export function currency(
  audit: Audit,
  scheme: Pick<OfferedScheme, 'name' | 'isCurrent'>,
  user: Identity,
  connection: Pick<Connection, 'peer'>,
): () => boolean {
  return () => {
    try {
      const current: unknown = scheme.isCurrent?.(user);
      if (current === true) return true;
      if (isThenable(current)) {
        current.then(undefined, () => undefined);
        throw new OptionError('accounts.isCurrent', 'returned a promise', 'Give a function that returns at once.');
      }
    } catch (error) {
      audit.failed(error, 'asking whether an account is current');
      return false;
    }
    audit.refused({
      scheme: scheme.name,
      package: user.package,
      account: printable(accountName(user)),
      peer: connection.peer,
      reason: 'account-removed',
      durationMilliseconds: 0,
    });
    return false;
  };
}
