/**
 * How users were signed in who come from a function of option `otherSchemes`: by default nobody knows, and `request.sspi`
 * is undefined. sspi-auth/testing says it of the users of tests.
 */
import type { Identity } from './identity.ts';
import type { SecurityContextInfo } from './security-context-info.ts';

const described = new WeakMap<Identity, SecurityContextInfo>();

/**
 * Says how a user was signed in whom a function of option `otherSchemes` gives: the request has it as `request.sspi`.
 *
 * @param user the object that the function gives, and no copy of it
 */
export function describeSignIn(user: Identity, info: SecurityContextInfo): void {
  described.set(user, info);
}

/** What was said of a user. */
export function describedSignIn(user: Identity): SecurityContextInfo | undefined {
  return described.get(user);
}
