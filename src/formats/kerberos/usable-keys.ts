/** Refuses a keytab at start that could not decrypt a ticket of the accepted services. */
import { OptionError } from '../../foundation/errors.ts';
import { describeKeytabEntries } from './keytab.ts';
import type { KeytabEntry } from './keytab.ts';

/** What the keys are for. */
export interface KeyPurpose {
  /** The option that named the keytab, for the error. */
  readonly option: string;
  /** Path of the keytab; undefined for keys that were given. */
  readonly path: string | undefined;
  /** Whether tickets for a service are accepted. */
  readonly acceptsService: (name: string, realm: string) => boolean;
  /** The accepted services, for the error. */
  readonly services: readonly string[];
  readonly encryptionTypes: ReadonlySet<number>;
}

/**
 * Checks that some key is of an accepted service and of an accepted encryption type.
 *
 * @throws OptionError `ERR_SSPI_AUTH_OPTION` that lists what the keytab has
 */
export function requireUsableKeys(entries: readonly KeytabEntry[], purpose: KeyPurpose): void {
  const { option, path, acceptsService, services, encryptionTypes } = purpose;
  const subject = path === undefined ? '' : `is ${path}, which `;
  const accepted = entries.filter((entry) => acceptsService(entry.name, entry.realm));
  if (accepted.length === 0) {
    const withPort = services.find((service) => service.includes(':'));
    if (withPort !== undefined) {
      throw new OptionError(
        option.replace('keytab', 'servicePrincipalNames'),
        `names ${withPort} with a port, and the keytab${path === undefined ? '' : ` ${path}`} has no such name (it has ${describeKeytabEntries(entries)})`,
        `The name of a service has no port, whatever the port of the server is: write ${withPort.replace(/:[^@]*/, '')}.`,
      );
    }
    throw new OptionError(
      option,
      `${subject}has no key for ${services.join(', ')} (it has ${describeKeytabEntries(entries)})`,
      'Export the key of the service, for example with: ktadd -k FILE HTTP/web.example.com (MIT), ' +
        'samba-tool domain exportkeytab FILE --principal=HTTP/web.example.com, or ktpass on Windows.',
    );
  }
  if (!accepted.some((entry) => encryptionTypes.has(entry.encryptionType))) {
    throw new OptionError(
      option,
      `${subject}has only keys that are refused (${describeKeytabEntries(accepted)})`,
      'Give the service account AES keys and export the keytab again. Until then, "allowRc4" accepts RC4 keys.',
    );
  }
}
