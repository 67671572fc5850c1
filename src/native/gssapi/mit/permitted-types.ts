/** The encryption types that krb5.conf permits (permitted_enctypes), which the crypto policy of a system may narrow. */
import type { GssapiLibrary } from '../call/library.ts';

/** The types that MIT krb5 knows, the strongest first. */
const KNOWN_TYPES = [20, 19, 18, 17, 26, 25, 23, 16];

/**
 * The types that are permitted now. A context of its own is used, since that of the library has the files of its start.
 *
 * @returns undefined if the configuration cannot be read
 */
export function permittedTypes({ krb5, addressOf }: GssapiLibrary): readonly number[] | undefined {
  const slot = Buffer.alloc(8);
  if (krb5.initContext(addressOf(slot)) !== 0) return undefined;
  const context = slot.readBigUInt64LE(0);
  try {
    return KNOWN_TYPES.filter((type) => krb5.isPermittedEnctype(context, type) !== 0);
  } finally {
    krb5.freeContext(context);
  }
}
