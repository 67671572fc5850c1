/** Acquires and stores credentials with Heimdal. Before version 8 it has no credential stores, unlike MIT krb5. */
import type { Frame } from '../call/frame.ts';
import { callFailure, GSS_S_COMPLETE } from '../call/gss-status.ts';
import type { HeimdalOids } from './inquiry.ts';

/**
 * Makes an acceptor credential from a keytab. It does what gss_krb5_import_cred does, with the same
 * gss_set_cred_option.
 *
 * @param keytab name of a MEMORY keytab
 * @returns gss_cred_id_t
 * @throws SspiAuthError `ERR_SSPI_AUTH_STATUS` if Heimdal refuses
 */
export function importKeytab(frame: Frame, oids: HeimdalOids, keytab: string): bigint {
  // Names of a credential cache, of the only principal, and of the keytab. An empty name means none.
  const value = Buffer.concat(['', '', keytab].map(storedString));
  frame.clear();
  frame.setInput(value);
  const major = frame.library.gss.setCredOption(frame.minor, frame.pointer, oids.importCred, frame.input);
  const handle = value.byteLength > 0 ? frame.pointerValue : 0n;
  if (major !== GSS_S_COMPLETE || handle === 0n) throw callFailure(frame, 'gss_set_cred_option', major);
  return handle;
}

/** Encodes a string as krb5_store_string of Heimdal does: the length in 32 bits, big-endian, and the text. */
function storedString(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.byteLength);
  return Buffer.concat([length, bytes]);
}

/** Copies the tickets of a delegated credential to a credential cache. @returns whether that succeeded */
export function copyDelegated(frame: Frame, credential: bigint, name: string): boolean {
  const { gss, krb5, krb5Context, addressOf } = frame.library;
  const bytes = Buffer.from(`${name}\0`);
  frame.pointerValue = 0n;
  const code = krb5.ccResolve(krb5Context, addressOf(bytes), frame.pointer);
  // `bytes` is used after the call, so that it is not collected before.
  if (code !== 0 || bytes.byteLength === 0) return false;
  const cache = frame.pointerValue;
  try {
    return gss.krb5CopyCcache(frame.minor, credential, cache) === GSS_S_COMPLETE;
  } finally {
    krb5.ccClose(krb5Context, cache);
  }
}
