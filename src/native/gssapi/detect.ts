/** Whether this machine can verify Kerberos without being told anything, for src/authenticator/providers/. */
import { describeKeytabEntries } from '../../formats/kerberos/keytab.ts';
import { SspiAuthError } from '../../foundation/errors.ts';
import type { GssapiLibrary } from './call/library.ts';
import { loadGssapi } from './call/library.ts';
import { isHttpService, keytabPath, readKeytab } from './keytab/keytab-file.ts';

/** What was found, and the text for an operator who expected something else. */
export interface KerberosDetection {
  readonly available: boolean;
  /** Path of the keytab with an HTTP key. */
  readonly keytab?: string;
  /** One sentence: what was looked for, and what was there. */
  readonly lookedFor: string;
}

/**
 * The name of the default keytab: KRB5_KTNAME, else what krb5.conf says.
 *
 * @returns with its type, such as `FILE:/etc/krb5.keytab`
 */
export function defaultKeytabName(library: GssapiLibrary): string {
  const bytes = Buffer.alloc(1024);
  const code = library.krb5.ktDefaultName(library.krb5Context, library.addressOf(bytes), bytes.byteLength);
  const end = bytes.indexOf(0);
  return code === 0 && end > 0 ? bytes.toString('utf8', 0, end) : 'FILE:/etc/krb5.keytab';
}

/**
 * Looks for a keytab with a key of an HTTP service and for the library to use it with.
 *
 * @param library name of the library, where an option gives one
 */
export function detectKerberos(library?: string): KerberosDetection {
  let gssapi: GssapiLibrary;
  try {
    gssapi = loadGssapi(library);
  } catch (error) {
    if (!(error instanceof SspiAuthError)) throw error;
    return { available: false, lookedFor: error.message.replace(/^sspi-auth: /, '') };
  }
  const name = process.env['KRB5_KTNAME'] || defaultKeytabName(gssapi);
  const from = process.env['KRB5_KTNAME'] ? 'KRB5_KTNAME' : 'the default keytab';
  const path = keytabPath(name);
  if (path === undefined) return { available: false, lookedFor: `${from} is ${name}, which is no file` };
  try {
    const { entries } = readKeytab(path);
    return entries.some((entry) => isHttpService(entry.name))
      ? { available: true, keytab: path, lookedFor: `${from} ${path} has an HTTP key` }
      : {
          available: false,
          lookedFor: `${from} ${path} has no key of an HTTP service (it has ${describeKeytabEntries(entries)})`,
        };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { available: false, lookedFor: `${from} ${path} cannot be read (${reason})` };
  }
}
