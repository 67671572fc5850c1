/** Reads krb5.conf through the profile library of MIT krb5 (profile.h). */
import type { GssapiLibrary } from '../call/library.ts';

/**
 * A setting of krb5.conf, as it is now.
 *
 * @returns undefined if it is not set, or is not UTF-8
 */
export function profileString(library: GssapiLibrary, section: string, name: string): string | undefined {
  const { krb5, addressOf } = library;
  // Three pointers: a krb5_context, its profile, and the value. The context of the library has the files of its start.
  const slots = Buffer.alloc(24);
  const address = addressOf(slots);
  const at = (offset: number): bigint => slots.readBigUInt64LE(offset);
  if (krb5.initContext(address) !== 0) return undefined;
  try {
    if (krb5.getProfile(at(0), address + 8n) !== 0) return undefined;
    try {
      return valueOf(library, at(8), [section, name]);
    } finally {
      krb5.profileRelease(at(8));
    }
  } finally {
    krb5.freeContext(at(0));
  }
}

function valueOf(library: GssapiLibrary, profile: bigint, names: readonly [string, string]): string | undefined {
  const { krb5, addressOf } = library;
  const [section, name] = [Buffer.from(`${names[0]}\0`), Buffer.from(`${names[1]}\0`)];
  const slot = Buffer.alloc(8);
  const code = krb5.profileGetString(profile, addressOf(section), addressOf(name), null, null, addressOf(slot));
  const value = slot.readBigUInt64LE(0);
  // The names are used after the call, so that they are not collected before.
  if (code !== 0 || value === 0n || section.byteLength + name.byteLength === 0) return undefined;
  const text = library.text(value);
  krb5.profileReleaseString(value);
  return text;
}
