/** Refuses a keytab at start that could not decrypt a ticket of the accepted services. */
import { OptionError } from '../../foundation/errors.ts';
import { describeKeytabEntries } from './keytab.ts';
import type { KeytabEntry } from './keytab.ts';

/** What the keys are for. */
export interface KeyPurpose {
  /** The option that named the keytab, for the error. */
  readonly option: string;
  /** What the option is, as the beginning of the problem: `is /etc/http.keytab, which `. Empty for bytes. */
  readonly subject: string;
  /** Whether tickets for a service are accepted. */
  readonly acceptsService: (name: string, realm: string) => boolean;
  /** The accepted services, for the error. */
  readonly services: string;
  readonly encryptionTypes: ReadonlySet<number>;
}

/**
 * Checks that some key is of an accepted service and of an accepted encryption type.
 *
 * @throws OptionError `ERR_SSPI_AUTH_OPTION` that lists what the keytab has
 */
export function requireUsableKeys(entries: readonly KeytabEntry[], purpose: KeyPurpose): void {
  const { option, subject, acceptsService, services, encryptionTypes } = purpose;
  const accepted = entries.filter((entry) => acceptsService(entry.name, entry.realm));
  if (accepted.length === 0) {
    throw new OptionError(
      option,
      `${subject}has no key for ${services} (it has ${describeKeytabEntries(entries)})`,
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
