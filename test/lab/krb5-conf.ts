/** The krb5.conf of a client and a server of one realm: nothing of it is looked up in the DNS. */

/**
 * @param services lines of the realm, such as `kdc = 127.0.0.1:88`
 * @param hosts names, or domains with a dot before them, that are in the realm
 * @param defaults more lines of `[libdefaults]`
 */
export function krb5Configuration(
  realm: string,
  services: readonly string[],
  hosts: readonly string[],
  defaults: readonly string[] = [],
): string {
  return `[libdefaults]
 default_realm = ${realm}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
${defaults.map((line) => ` ${line}\n`).join('')}[realms]
 ${realm} = {
${services.map((line) => `  ${line}`).join('\n')}
 }
[domain_realm]
${hosts.map((host) => ` ${host} = ${realm}`).join('\n')}
`;
}
