/** A guard on the groups of an identity, for `authorize`, for middleware and for a line in a handler. */
import { OptionError } from '../foundation/errors.ts';
import { uppercase } from '../formats/uppercase.ts';
import type { Group, Identity } from './identity.ts';

/** SE_GROUP_ENABLED of winnt.h: only then does the group count for access. */
const SE_GROUP_ENABLED = 0x00000004;

/**
 * Whether a user is in one of some groups.
 *
 * ```ts
 * const isEngineer = inGroup('S-1-5-21-…-1105', 'CORP\\Engineering');
 * app.use(sspiAuth({ keytab, authorize: isEngineer })); // 403 for everybody else
 * if (isEngineer(request.user)) request.user.name; // known to be there
 * ```
 *
 * Give SIDs where you can: a ticket's PAC has no names but those of well-known groups, and a name may be given anew.
 *
 * @param sidsOrNames `S-1-…`, or whole names as they stand in `Group.name` (`CORP\Engineering`); case does not count
 * @returns a guard that says no to undefined and null, and to groups that are disabled or may only be used to deny
 * @throws OptionError where no group is named, or something is not a name
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
  const counts = ({ sid, name, attributes, denyOnly }: Group): boolean =>
    !denyOnly &&
    (attributes & SE_GROUP_ENABLED) !== 0 &&
    ((sid !== undefined && wanted.has(uppercase(sid))) || (name !== undefined && wanted.has(uppercase(name))));
  return (user): user is Identity => user?.groups.some(counts) === true;
}
