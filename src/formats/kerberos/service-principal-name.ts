/** Service principal names as options write them: `class/host`, perhaps with a port, perhaps with `@REALM`. */
import { OptionError } from '../../foundation/errors.ts';
import { shown } from '../../foundation/option-values.ts';
import type { Reader } from '../../foundation/option-values.ts';

/** Class and host joined by `/`, and the realm. */
const form = /^([^/@\s]+\/[^@\s]+?)(?:@([^@\s]+))?$/;

/** Reads an option that is a service principal name. */
export const servicePrincipalName: Reader<string> = (value, option) => {
  if (typeof value === 'string' && form.test(value)) return value;
  throw new OptionError(option, shown(value), 'Write class/host, such as HTTP/web.example.com.');
};

/**
 * Whether a ticket's service is the one of a name; case does not count, nor does the realm where the name has none.
 *
 * @param name read by servicePrincipalName
 * @param service of the ticket, components joined by `/`
 */
export function namesService(name: string, service: string, realm: string): boolean {
  const [, wanted, wantedRealm] = form.exec(name.toLowerCase()) ?? [];
  return service.toLowerCase() === wanted && (wantedRealm === undefined || realm.toLowerCase() === wantedRealm);
}
