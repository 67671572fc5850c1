/** The users that a test signs in as. */
import { OptionError } from '../../src/index.ts';
import type { Group, Identity, NameFormat } from '../../src/index.ts';

/** A user of a test. What is left out has a plain value. */
export interface TestUser extends Partial<Omit<Identity, 'name' | 'groups'>> {
  readonly userName: string;
  /** Groups: a SID (`S-1-…`), a name (`CORP\\Admins`), or a whole group. */
  readonly groups?: readonly (string | Partial<Group>)[];
}

/** SE_GROUP_MANDATORY, SE_GROUP_ENABLED_BY_DEFAULT and SE_GROUP_ENABLED (winnt.h). */
const ENABLED = 7;

/**
 * Reads a user.
 *
 * @throws OptionError if it has no user name
 */
export function testUser(given: unknown): TestUser {
  const { userName } = (given ?? {}) as Partial<TestUser>;
  if (typeof userName === 'string' && userName !== '') return given as TestUser;
  throw new OptionError('userName', 'is not a name', "Write test.as({ userName: 'alice' }).");
}

/** The identity of a user, frozen as that of a sign-in. */
export function identityOfTest(user: TestUser, format: NameFormat | undefined): Identity {
  const { groups = [], package: packageName = 'Kerberos', ...facts } = user;
  return Object.freeze({
    ...facts,
    name: nameIn(format, user),
    groups: Object.freeze(groups.map(groupOf)),
    package: packageName,
  });
}

function groupOf(given: string | Partial<Group>): Group {
  const named = typeof given !== 'string' ? given : /^S-1-/i.test(given) ? { sid: given } : { name: given };
  return Object.freeze({ attributes: ENABLED, denyOnly: false, ...named });
}

/** Option `nameFormat` holds for users of tests as well. */
function nameIn(format: NameFormat | undefined, { userName, domain, userPrincipalName }: TestUser): string {
  if (format === 'user') return userName;
  if (format === 'user@REALM') return userPrincipalName ?? (domain ? `${userName}@${domain}` : userName);
  return domain ? `${domain}\\${userName}` : (userPrincipalName ?? userName);
}
