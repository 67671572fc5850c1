/** Finds out whether this machine can verify Kerberos without any option. Used by src/authenticator/providers/. */
import { describeKeytabEntries } from '../../formats/kerberos/keytab.ts';
import { keytabPath } from '../../formats/kerberos/keytab-name.ts';
import { SspiAuthError } from '../../foundation/errors.ts';
import type { GssapiLibrary } from './call/library.ts';
import { loadGssapi, UnusableGssapiError } from './call/library.ts';
import { isHttpService } from '../../kerberos/accepted-services.ts';
import { readKeytab } from './keytab/keytab-file.ts';

/** The result of detectKerberos. */
export interface KerberosDetection {
  readonly available: boolean;
  /** Path of the keytab that has an HTTP key. */
  readonly keytab?: string;
  /** One sentence for the operator: what was looked for, and what was found. */
  readonly lookedFor: string;
}

/**
 * The name of the default keytab: that of KRB5_KTNAME, else that of krb5.conf.
 *
 * @returns the name with its type, such as `FILE:/etc/krb5.keytab`
 */
export function defaultKeytabName(library: GssapiLibrary): string {
  const bytes = Buffer.alloc(1024);
  const code = library.krb5.ktDefaultName(library.krb5Context, library.addressOf(bytes), bytes.byteLength);
  const end = bytes.indexOf(0);
  return code === 0 && end > 0 ? bytes.toString('utf8', 0, end) : 'FILE:/etc/krb5.keytab';
}

/**
 * Why no GSSAPI library can be loaded on this machine: none is installed, or koffi is not.
 *
 * @returns undefined if one is there
 * @throws UnusableGssapiError if one is there, but cannot be used
 */
export function gssapiAbsence(): string | undefined {
  try {
    loadGssapi();
    return undefined;
  } catch (error) {
    // Where a library is there and broken, another must not take its place in silence.
    if (!(error instanceof SspiAuthError) || error instanceof UnusableGssapiError) throw error;
    return error.message.replace(/^sspi-auth: |\.$/g, '');
  }
}

/**
 * Looks for a GSSAPI library, and for a keytab that has a key of an HTTP service.
 *
 * @param library name or path of the library, from option `library`
 * @throws UnusableGssapiError if a library is there, but cannot be used
 */
export function detectKerberos(library?: string): KerberosDetection {
  let gssapi: GssapiLibrary;
  try {
    gssapi = loadGssapi(library);
  } catch (error) {
    // Where a library is there and broken, the server must not start without Kerberos.
    if (!(error instanceof SspiAuthError) || error instanceof UnusableGssapiError) throw error;
    return { available: false, lookedFor: error.message.replace(/^sspi-auth: |\.$/g, '') };
  }
  const name = process.env['KRB5_KTNAME'] || defaultKeytabName(gssapi);
  const from = process.env['KRB5_KTNAME'] ? 'KRB5_KTNAME' : 'the default keytab';
  const path = keytabPath(name);
  if (path === undefined) return { available: false, lookedFor: `${from} is ${name}, which is not a file` };
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
