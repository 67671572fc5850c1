/** A type guard that tests the groups of an identity: for option `authorize`, for middleware and for handlers. */
import { OptionError } from '../foundation/errors.ts';
import { uppercase } from '../formats/uppercase.ts';
import type { Group, Identity } from './identity.ts';

/** SE_GROUP_ENABLED (winnt.h): a group grants access only if this bit is set. */
const SE_GROUP_ENABLED = 0x00000004;
/** SE_GROUP_USE_FOR_DENY_ONLY (winnt.h). */
const SE_GROUP_USE_FOR_DENY_ONLY = 0x00000010;

/**
 * Makes a guard that tells whether a user is in at least one of the given groups.
 *
 * ```ts
 * const isEngineer = inGroup('S-1-5-21-…-1105', 'CORP\\Engineering');
 * app.use(sspiAuth({ keytab, authorize: isEngineer })); // 403 for everybody else
 * if (isEngineer(request.user)) request.user.name; // known to be there
 * ```
 *
 * Prefer SIDs. The PAC of a Kerberos ticket has no names, so only well-known groups get one. And a name can be given to
 * another group later.
 *
 * @param sidsOrNames `S-1-…`, or full names as in `Group.name` (`CORP\Engineering`); case is ignored
 * @returns a guard that is false for undefined and null. It ignores groups that are disabled or deny-only
 * @throws OptionError `ERR_SSPI_AUTH_OPTION` if no group is given, or a value is not a non-empty string
 */
export function inGroup(
  ...sidsOrNames: readonly [string, ...string[]]
): (user: Identity | null | undefined) => user is Identity {
  if (sidsOrNames.length === 0) throw new OptionError('inGroup', 'names no group', 'Give a SID or a name.');
  const wanted = new Set(
    sidsOrNames.map((sidOrName: unknown, index) => {
      if (typeof sidOrName !== 'string' || sidOrName === '') {
        throw new OptionError(`inGroup[${index}]`, 'is not a SID or name', "Write 'S-1-…' or 'DOMAIN\\\\name'.");
      }
      return uppercase(sidOrName);
    }),
  );
  const matches = ({ sid, name, attributes, denyOnly }: Group): boolean =>
    !denyOnly &&
    (attributes & (SE_GROUP_ENABLED | SE_GROUP_USE_FOR_DENY_ONLY)) === SE_GROUP_ENABLED &&
    ((sid !== undefined && wanted.has(uppercase(sid))) || (name !== undefined && wanted.has(uppercase(name))));
  // A user of the application's own may have no groups, whatever the types say.
  return (user): user is Identity => {
    const groups: unknown = user?.groups;
    return Array.isArray(groups) && (groups as Group[]).some(matches);
  };
}
