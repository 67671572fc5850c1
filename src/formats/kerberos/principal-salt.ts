/** The salt of a principal's password, which KDCs put before the password when they make a key of it. */
import { splitPrincipal } from './principal.ts';

/**
 * The salt that a KDC uses for an account unless it says otherwise.
 *
 * - `HTTP/web.example.com`, a principal of MIT krb5 or Heimdal: realm and components, one after the other (RFC 4120
 *   section 4).
 * - `svc-web`, a sAMAccountName of Active Directory, or the userPrincipalName of an account that has one, such as
 *   `HTTP/web.example.com@EXAMPLE.COM` after ktpass: the same rule, always with the account's own realm (MS-KILE section
 *   3.1.1.2).
 * - `WEB$`, a computer of Active Directory: realm, `host`, and its DNS name in lower case.
 *
 * @param account the name; what follows an `@` that is not escaped is left out
 * @param realm of the account
 */
export function principalSalt(account: string, realm: string): string {
  const { components } = splitPrincipal(account);
  const [name = ''] = components;
  if (components.length === 1 && name.endsWith('$')) {
    return `${realm}host${name.slice(0, -1).toLowerCase()}.${realm.toLowerCase()}`;
  }
  return realm + components.join('');
}
