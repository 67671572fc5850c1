/** Service principal names in options: `class/host`, optionally with a port, optionally with `@REALM`. */
import { OptionError } from '../../foundation/errors.ts';
import { shown } from '../../foundation/option-values.ts';
import type { Reader } from '../../foundation/option-values.ts';

/** Class and host joined by `/` in group 1, the realm in group 2. */
const form = /^([^/@\s]+\/[^@\s]+?)(?:@([^@\s]+))?$/;

/** Reads an option that is a service principal name. */
export const servicePrincipalName: Reader<string> = (value, option) => {
  if (typeof value === 'string' && form.test(value)) return value;
  throw new OptionError(option, shown(value), 'Write class/host, such as HTTP/web.example.com.');
};

/**
 * Whether a ticket is for the service that a name means. Case is ignored. The realm is compared only if the name has
 * one.
 *
 * @param name a name that servicePrincipalName accepted
 * @param service service of the ticket, components joined by `/`
 * @param realm realm of the ticket
 */
export function namesService(name: string, service: string, realm: string): boolean {
  const [, wanted, wantedRealm] = form.exec(name.toLowerCase()) ?? [];
  return service.toLowerCase() === wanted && (wantedRealm === undefined || realm.toLowerCase() === wantedRealm);
}

/** Class, host, port, what follows the host, and realm of a name in lower case. */
const parts = /^([^/@]+)\/([^/@:]+)(?::([^/@]*))?((?:\/[^@]*)?)(?:@(.*))?$/;

/**
 * Whether the target that a client named is the service that a name means. Targets come in several forms: Kerberos adds
 * the realm, browsers add the port to that of NTLM. Case is ignored; port and realm are compared only if the name has
 * one.
 *
 * @param name a name that servicePrincipalName accepted
 * @param target SECPKG_ATTR_CLIENT_SPECIFIED_TARGET
 */
export function namesTarget(name: string, target: string): boolean {
  const wanted = parts.exec(name.toLowerCase());
  const named = parts.exec(target.toLowerCase());
  if (wanted === null || named === null) return name.toLowerCase() === target.toLowerCase();
  const [, serviceClass, host, port, rest, realm] = wanted;
  const [, namedClass, namedHost, namedPort, namedRest, namedRealm] = named;
  return (
    namedClass === serviceClass &&
    namedHost === host &&
    namedRest === rest &&
    (port === undefined || namedPort === port) &&
    (realm === undefined || namedRealm === realm)
  );
}
