/**
 * Schemes that the application verifies itself, such as Bearer (option `otherSchemes`). A request that has one is taken
 * by itself: it gets neither the user nor the state of its connection, and changes nothing of them (attack H08).
 */
import { OptionError } from '../foundation/errors.ts';
import { shown } from '../foundation/option-values.ts';
import type { Reader } from '../foundation/option-values.ts';
import { authorizationField, parseCredentials, REPEATED } from '../http/authorization.ts';
import type { Identity } from '../identity/identity.ts';

/** Verifies the credentials of a request: gives its user, or undefined for credentials that are not right. */
export type VerifyOtherScheme<R> = (request: R) => Identity | undefined | Promise<Identity | undefined>;

/** A scheme of option `otherSchemes`. */
export interface OtherScheme<R = never> {
  /** As written in the option. */
  readonly name: string;
  /** `pass`: the request is handed on without a user. */
  readonly verify: 'pass' | VerifyOtherScheme<R>;
}

/** Schemes by their names in lower case. */
export type OtherSchemes<R> = ReadonlyMap<string, OtherScheme<R>>;

/** A token of RFC 9110 section 5.6.2, as the name of a scheme is. */
const schemeName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const ownNames: readonly string[] = ['negotiate', 'kerberos', 'ntlm', 'digest', 'credssp'];
const cure = "Write { Bearer: (request) => user or undefined }, or { Bearer: 'pass' }.";

/** Whether this library verifies a scheme itself. */
export function isOwnScheme(name: string): boolean {
  return ownNames.includes(name.toLowerCase());
}

/** Makes the reader of option `otherSchemes`. */
export function otherSchemes<R>(): Reader<OtherSchemes<R>, Readonly<Record<string, OtherScheme<R>['verify']>>> {
  return (value, option) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new OptionError(option, shown(value), cure);
    }
    const schemes = new Map<string, OtherScheme<R>>();
    for (const [name, verify] of Object.entries(value as Readonly<Record<string, unknown>>)) {
      const path = `${option}.${name}`;
      if (!schemeName.test(name)) throw new OptionError(path, 'is not the name of an HTTP scheme', cure);
      if (isOwnScheme(name)) {
        throw new OptionError(path, 'is a scheme that sspi-auth verifies itself', 'Name it in "schemes".');
      }
      if (verify !== 'pass' && typeof verify !== 'function') throw new OptionError(path, shown(verify), cure);
      if (schemes.has(name.toLowerCase())) {
        throw new OptionError(path, 'is there twice, and case does not count', 'Name each scheme once.');
      }
      schemes.set(name.toLowerCase(), { name, verify: verify as OtherScheme<R>['verify'] });
    }
    return schemes;
  };
}

/** The scheme that a request has credentials of, if it is one of these. */
export function otherSchemeOf<R>(
  schemes: OtherSchemes<R>,
  rawHeaders: readonly string[] | undefined,
): OtherScheme<R> | undefined {
  const field = authorizationField(rawHeaders ?? []);
  if (field === undefined || field === REPEATED) return undefined;
  const credentials = parseCredentials(field);
  return credentials === undefined ? undefined : schemes.get(credentials.scheme);
}

/** Whether a request has credentials of one of these schemes. */
export function hasOtherScheme(schemes: OtherSchemes<never> | undefined, rawHeaders: readonly string[]): boolean {
  return schemes !== undefined && otherSchemeOf(schemes, rawHeaders) !== undefined;
}

/**
 * What `verify` has given, after a check.
 *
 * @returns undefined: the credentials are not right
 * @throws OptionError if it is neither a user nor undefined
 */
export function otherUser({ name }: OtherScheme, given: unknown): Identity | undefined {
  if (given === undefined || given === null) return undefined;
  if (typeof given === 'object') return given as Identity;
  throw new OptionError(
    `otherSchemes.${name}`,
    `gave a value of type ${typeof given}`,
    'Give an object for the user, or undefined for credentials that are not right.',
  );
}

/** What the operator is told of schemes that are handed on; undefined if there are none. */
export function passWarning(schemes: OtherSchemes<never>): string | undefined {
  const names = [...schemes.values()].filter(({ verify }) => verify === 'pass').map(({ name }) => name);
  if (names.length === 0) return undefined;
  return (
    `sspi-auth: otherSchemes hands requests with ${names.join(', ')} on without a look at them: ` +
    'whoever writes such an Authorization field reaches every route, without a user. ' +
    'Put requireUser before each route that needs a user, after what verifies these credentials'
  );
}
