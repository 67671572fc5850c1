/**
 * The account of the client of an established context. It is read from the access token of the context, without
 * impersonation, and from the names that the package gives. If it cannot be found out, the client is refused (attacks
 * C20, C22, A21).
 */
import { SECPKG_ATTR_NAMES, SECPKG_ATTR_NATIVE_NAMES } from '../../sspi/attributes.ts';
import { ASC_RET_NULL_SESSION } from '../../sspi/requirements.ts';
import type { Group, SecurityContextToken } from '../../sspi/security-context-token.ts';
import type { Answer } from '../../sspi/security-package.ts';
import { SEC_E_INTERNAL_ERROR, SEC_E_OK, SEC_E_UNSUPPORTED_FUNCTION } from '../../sspi/status.ts';
import { koffi } from '../koffi.ts';
import { readAccessToken } from './access-token.ts';
import type { AccessTokenContent, SidAndAttributes } from './access-token.ts';
import { queryContextAttribute, winprAuthIdentity } from './context-attributes.ts';
import { pointerBytes, SE_GROUP_INTEGRITY, SE_GROUP_LOGON_ID, SE_GROUP_USE_FOR_DENY_ONLY } from './declarations.ts';
import type { Secur32Library } from './library.ts';
import { readPointer, withAccessToken } from './native-handles.ts';
import type { SidName, SidNames } from './sid-names.ts';

const ANONYMOUS_LOGON = 'S-1-5-7';
const BUILTIN_GUESTS = 'S-1-5-32-546';
const GUEST_ACCOUNT = /^S-1-5-21-.*-501$/;

/** Names of an account. */
interface AccountName {
  readonly userName: string;
  readonly domain?: string | undefined;
  readonly userPrincipalName?: string | undefined;
}

/** How long a client who is verified waits for the names of its groups, in milliseconds. */
const NAMES_MILLISECONDS = 500;

/** The cache of names, and how long a sign-in waits for it. */
export interface NameLookup {
  readonly sids: SidNames;
  /** Resolves after a time. @param milliseconds of NAMES_MILLISECONDS; tests have their own clock */
  readonly delay: (milliseconds: number) => Promise<void>;
}

/**
 * Reads the account of an established context.
 *
 * Names of groups are looked up off the event loop, because Windows may have to ask a domain controller. A client waits
 * for them for a short time only: then its groups have their SIDs, and get their names when they come. If the package
 * does not give the name of the user, that is looked up too, and waited for.
 *
 * @param names undefined if the library has no access tokens
 * @param context address of the CtxtHandle
 * @param attributes ASC_RET_* bits of the last leg
 * @returns SEC_E_OK with the account. If the token or the name cannot be read: the status of the library, or
 *   SEC_E_INTERNAL_ERROR
 */
export async function contextIdentity(
  library: Secur32Library,
  names: NameLookup | undefined,
  context: bigint,
  attributes: number,
): Promise<Answer<SecurityContextToken>> {
  const token = tokenContent(library, context);
  // If the library has access tokens, a name without a token is not enough: only the SID tells whether the user is
  // Guest.
  if (token.value === undefined && library.token !== undefined) return { status: failureStatus(token.status) };
  const content = token.value;

  const real = (content?.groups ?? []).filter((group) => (group.attributes & SE_GROUP_INTEGRITY) === 0);
  const packageName = nameFromPackage(library, context);
  const found = names === undefined || content === undefined ? undefined : findNames(names, content, real, packageName);
  if (found !== undefined) await found.known;
  const account = packageName ?? splitName(found?.user?.name);
  if (account === undefined) return { status: token.status === SEC_E_OK ? SEC_E_INTERNAL_ERROR : token.status };
  if (!isName(account.userName) || !isName(account.domain ?? '') || !isName(account.userPrincipalName ?? '')) {
    return { status: SEC_E_INTERNAL_ERROR };
  }
  const groups = real.map((group, index) => groupOf(group, found?.groups[index]));
  return { status: SEC_E_OK, value: tokenValue(account, content, groups, attributes) };
}

/**
 * Makes the value of querySecurityContextToken, and finds out whether the client is anonymous or Guest.
 *
 * @param content content of the access token; undefined if the library has no access tokens
 * @param attributes ASC_RET_* bits of the last leg
 */
export function tokenValue(
  account: AccountName,
  content: AccessTokenContent | undefined,
  groups: readonly Group[],
  attributes: number,
): SecurityContextToken {
  const { userName, domain, userPrincipalName } = account;
  const sid = content?.user.sid;
  const isGuest =
    sid === undefined
      ? userName.toLowerCase() === 'guest'
      : GUEST_ACCOUNT.test(sid) || content?.groups.some((group) => group.sid === BUILTIN_GUESTS) === true;
  return Object.freeze({
    userName,
    ...(domain ? { domain } : undefined),
    ...(userPrincipalName ? { userPrincipalName } : undefined),
    ...(sid === undefined ? undefined : { sid }),
    groups: Object.freeze(groups),
    isAnonymous:
      (attributes & ASC_RET_NULL_SESSION) !== 0 ||
      userName === '' ||
      (sid === undefined ? userName.toUpperCase() === 'ANONYMOUS LOGON' : sid === ANONYMOUS_LOGON),
    isGuest,
  });
}

/** Reads the access token of the context. SEC_E_UNSUPPORTED_FUNCTION if the library has no access tokens. */
function tokenContent(library: Secur32Library, context: bigint): Answer<AccessTokenContent> {
  const functions = library.token;
  if (functions === undefined) return { status: SEC_E_UNSUPPORTED_FUNCTION };
  const memory = Buffer.alloc(pointerBytes);
  const status = library.security.QuerySecurityContextToken(context, koffi().address(memory)) >>> 0;
  if (status !== SEC_E_OK) return { status };
  const handle = readPointer(memory, 0);
  // Negative values are pseudo handles of the tokens of this process. With one, the client would become the service
  // account.
  if (BigInt.asIntN(8 * pointerBytes, handle) <= 0n) return { status: SEC_E_INTERNAL_ERROR };
  const content = withAccessToken(functions, handle, (held) => readAccessToken(functions, held));
  return content === undefined ? { status: SEC_E_INTERNAL_ERROR } : { status: SEC_E_OK, value: content };
}

/** The status to return for a failure. Never a code of success, even if the library returned one. */
function failureStatus(status: number): number {
  return status < 0x80000000 ? SEC_E_INTERNAL_ERROR : status;
}

/** Longest name in UTF-16 units: 1024, the rangeUpper of the attribute userPrincipalName in Active Directory. */
const MAX_NAME_UNITS = 1024;

/** Whether a text can be part of an account name: not too long, no control characters, well-formed UTF-16. */
function isName(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.length <= MAX_NAME_UNITS && !/[\u0000-\u001f\u007f\ufffd]|\p{Surrogate}/u.test(text);
}

/** The name of the client that the package gives. */
function nameFromPackage(library: Secur32Library, context: bigint): AccountName | undefined {
  const name = splitName(queryContextAttribute(library, context, SECPKG_ATTR_NAMES).value);
  if (name === undefined) return winprAuthIdentity(library, context);
  if (name.userPrincipalName !== undefined) return name;
  const native = queryContextAttribute(library, context, SECPKG_ATTR_NATIVE_NAMES).value?.client;
  return native?.includes('@') === true ? { ...name, userPrincipalName: native } : name;
}

/** Splits `DOMAIN\user` or `user@realm` into its parts. */
function splitName(name: string | undefined): AccountName | undefined {
  if (name === undefined) return undefined;
  const backslash = name.indexOf('\\');
  if (backslash >= 0) return { domain: name.slice(0, backslash), userName: name.slice(backslash + 1) };
  const at = name.lastIndexOf('@');
  // A realm without a user: there is no user name.
  if (at === 0) return { userName: '' };
  return at > 0 ? { userName: name.slice(0, at), userPrincipalName: name } : { userName: name };
}

/** The names of a token, as far as they are known when `known` is fulfilled. */
interface FoundNames {
  readonly known: Promise<unknown> | undefined;
  /** The user, if the package gives no name. */
  readonly user: SidName | undefined;
  readonly groups: readonly (SidName | undefined)[];
}

function findNames(
  { sids, delay }: NameLookup,
  { user }: AccessTokenContent,
  groups: readonly SidAndAttributes[],
  packageName: AccountName | undefined,
): FoundNames {
  const named = groups.filter((group) => !isLogonSession(group));
  const wanted = packageName === undefined ? [user, ...named] : named;
  const { names, lookedUp } = sids.find(wanted);
  const byGroup = new Map(wanted.map((group, index) => [group, names[index]]));
  return {
    known: lookedUp && (packageName === undefined ? lookedUp : Promise.race([lookedUp, delay(NAMES_MILLISECONDS)])),
    user: packageName === undefined ? byGroup.get(user) : undefined,
    groups: groups.map((group) => byGroup.get(group)),
  };
}

/**
 * The SID of a logon session differs for each session and has no name. It would only push other SIDs out of the cache.
 */
function isLogonSession({ attributes }: SidAndAttributes): boolean {
  return (attributes & SE_GROUP_LOGON_ID) >>> 0 === SE_GROUP_LOGON_ID;
}

/** @param found what is known of its name; undefined if it is not looked up */
function groupOf({ sid, attributes }: SidAndAttributes, found: SidName | undefined): Group {
  const facts = { attributes, denyOnly: (attributes & SE_GROUP_USE_FOR_DENY_ONLY) !== 0 };
  const name = found?.name;
  if (name !== undefined) return Object.freeze({ sid, name, ...facts });
  const group: Group = { sid, ...facts };
  if (found !== undefined) {
    // The name may come later, and the rules that go by it must see it then.
    Object.defineProperty(group, 'name', { enumerable: true, get: () => found.name });
  }
  return Object.freeze(group);
}
