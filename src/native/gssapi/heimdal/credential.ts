/** Credentials of Heimdal, which has no credential store before version 8. */
import type { Frame } from '../call/frame.ts';
import { callFailure, GSS_S_COMPLETE } from '../call/gss-status.ts';
import type { HeimdalOids } from './inquiry.ts';

/**
 * Makes an acceptor credential of a keytab: what gss_krb5_import_cred does, by the option behind it.
 *
 * @param keytab name of a MEMORY keytab
 * @returns gss_cred_id_t
 * @throws SspiAuthError `ERR_SSPI_AUTH_STATUS`
 */
export function importKeytab(frame: Frame, oids: HeimdalOids, keytab: string): bigint {
  // Names of a credential cache, of the only principal, and of the keytab; empty ones are none.
  const value = Buffer.concat(['', '', keytab].map(storedString));
  frame.clear();
  frame.setInput(value);
  const major = frame.library.gss.setCredOption(frame.minor, frame.pointer, oids.importCred, frame.input);
  const handle = value.byteLength > 0 ? frame.pointerValue : 0n;
  if (major !== GSS_S_COMPLETE || handle === 0n) throw callFailure(frame, 'gss_set_cred_option', major);
  return handle;
}

/** A string as krb5_store_string of Heimdal writes it: 32 bits of length, big-endian, and the text. */
function storedString(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.byteLength);
  return Buffer.concat([length, bytes]);
}

/** Copies the tickets of a delegated credential to a cache. @returns whether that went well */
export function copyDelegated(frame: Frame, credential: bigint, name: string): boolean {
  const { gss, krb5, krb5Context, addressOf } = frame.library;
  const bytes = Buffer.from(`${name}\0`);
  frame.pointerValue = 0n;
  const code = krb5.ccResolve(krb5Context, addressOf(bytes), frame.pointer);
  // Looked at after the call, so that the name is not collected before.
  if (code !== 0 || bytes.byteLength === 0) return false;
  const cache = frame.pointerValue;
  try {
    return gss.krb5CopyCcache(frame.minor, credential, cache) === GSS_S_COMPLETE;
  } finally {
    krb5.ccClose(krb5Context, cache);
  }
}
