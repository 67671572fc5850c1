/**
 * The PAC of a ticket, with Heimdal. gss_accept_sec_context does not verify it if krb5.conf has `check_pac = false`. So
 * it is always verified here, over the same bytes that are decoded afterwards.
 */
import type { PacResult } from '../call/extensions.ts';
import { inquireAt } from '../call/context-inquiry.ts';
import type { Frame } from '../call/frame.ts';
import { inquireAuthenticationTime, inquireKey } from './inquiry.ts';
import type { HeimdalOids } from './inquiry.ts';
import { heimdalKeyblock } from './keys.ts';

/** The minor status of Heimdal if a ticket does not have the authorization data (errno.h). */
const ENOENT = 2;

/** The PAC of the accepted context in the frame. */
export function heimdalPac(frame: Frame, oids: HeimdalOids, client: string): PacResult {
  const [pac] = inquireAt(frame, frame.contextHandle, oids.pac);
  // Only ENOENT means that there is no PAC. After any other error, the ticket may have one that could not be read.
  if (pac === undefined) return frame.minorStatus === ENOENT ? undefined : 'unverified';
  const time = inquireAuthenticationTime(frame, oids);
  const key = inquireKey(frame, oids.serviceKey);
  if (time === undefined || key === undefined) return 'unverified';
  try {
    const { library } = frame;
    const keyblock = heimdalKeyblock(library, key.encryptionType, key.value);
    return verifies(frame, pac, client, time, keyblock) ? pac : 'unverified';
  } finally {
    key.value.fill(0);
  }
}

/** krb5_pac_verify: verifies the signatures, and that the PAC belongs to this client and this ticket. */
function verifies(frame: Frame, pac: Buffer, client: string, time: number, keyblock: Buffer): boolean {
  const { krb5, krb5Context, addressOf } = frame.library;
  const name = Buffer.from(`${client}\0`);
  // Every buffer is used after the call that reads it, so that it is not collected before.
  frame.pointerValue = 0n;
  let code = krb5.pacParse(krb5Context, addressOf(pac), pac.byteLength, frame.pointer);
  const parsed = frame.pointerValue;
  if (code !== 0 || pac.byteLength === 0) return false;
  try {
    frame.pointerValue = 0n;
    code = krb5.parseName(krb5Context, addressOf(name), frame.pointer);
    const principal = frame.pointerValue;
    if (code !== 0 || name.byteLength === 0) return false;
    try {
      code = krb5.pacVerify(krb5Context, parsed, time, principal, addressOf(keyblock), null);
      return code === 0 && keyblock.byteLength > 0;
    } finally {
      krb5.freePrincipal(krb5Context, principal);
    }
  } finally {
    krb5.pacFree(krb5Context, parsed);
  }
}
