/** What the client asks of the context: flags, channel bindings, delegation (RFC 4121 section 4.1.1). */
import { timingSafeEqual } from 'node:crypto';
import { channelBindingsHash } from '../../crypto/channel-bindings-hash.ts';
import { encryptionProfile, KEY_USAGE_AP_REQ_CHECKSUM } from '../../crypto/kerberos/kerberos-key.ts';
import type { KerberosKey } from '../../crypto/kerberos/kerberos-key.ts';
import { MalformedTokenError } from '../../foundation/errors.ts';
import type { Checksum } from '../../formats/kerberos/authenticator-fields.ts';
import * as Krb from '../../formats/kerberos/error-code.ts';
import {
  decodeGssChecksum,
  GSS_CHECKSUM_MINIMUM_BYTES,
  GSS_CHECKSUM_TYPE,
} from '../../formats/kerberos/gss-checksum.ts';
import * as Gss from '../../formats/kerberos/gss-flags.ts';
import { reason } from '../../identity/reasons/reason.ts';
import { serviceOf } from '../../kerberos/diagnosis.ts';
import type { Exchange } from '../../kerberos/exchange.ts';
import { ASC_REQ_ALLOW_MISSING_BINDINGS } from '../../sspi/requirements.ts';
import * as Status from '../../sspi/status.ts';
import type { ReceivedAuthenticator } from './received-authenticator.ts';
import { refuse } from './refusal.ts';
import type { OrRefusal } from './refusal.ts';

/** What the client asks for. */
export interface GssRequest {
  /** GSS_C_* bits that take effect. */
  readonly flags: number;
  /** Whether the client sent the channel bindings of this connection. */
  readonly isBound: boolean;
  /** A KRB-CRED. */
  readonly delegation: Uint8Array | undefined;
}

/** The flags that a client may set; others are ignored. */
const ACCEPTED_FLAGS =
  Gss.GSS_C_INTEG_FLAG |
  Gss.GSS_C_CONF_FLAG |
  Gss.GSS_C_MUTUAL_FLAG |
  Gss.GSS_C_REPLAY_FLAG |
  Gss.GSS_C_SEQUENCE_FLAG |
  Gss.GSS_C_DCE_STYLE |
  Gss.GSS_C_IDENTIFY_FLAG |
  Gss.GSS_C_EXTENDED_ERROR_FLAG;

const noBindings = new Uint8Array(16);

/**
 * Reads the checksum of an authenticator, and verifies the channel bindings (attacks D10, D11).
 *
 * @param sessionKey of the ticket: a checksum of another type than 0x8003 is made with it
 */
export function readGssRequest(
  { call, request, bindings }: Exchange,
  { checksum, knowsChannelBindings }: ReceivedAuthenticator,
  sessionKey: KerberosKey,
): OrRefusal<GssRequest> {
  const service = serviceOf(request);
  let flags = 0;
  let isBound = false;
  let delegation: Uint8Array | undefined;
  if (checksum !== undefined && checksum.type !== GSS_CHECKSUM_TYPE) {
    // Samba's client makes one over nothing. It must be true: else it might be of an authenticator for something else.
    if (checksum.type !== encryptionProfile(sessionKey.encryptionType)?.checksumType) return badChecksum(service);
    const expected = sessionKey.checksum(KEY_USAGE_AP_REQ_CHECKSUM, new Uint8Array(0));
    const { content } = checksum;
    if (content.byteLength !== expected.byteLength || !timingSafeEqual(content, expected)) return badChecksum(service);
    flags = Gss.GSS_C_REPLAY_FLAG | Gss.GSS_C_SEQUENCE_FLAG | (request.mutualRequired ? Gss.GSS_C_MUTUAL_FLAG : 0);
  } else if (checksum !== undefined) {
    if (checksum.content.byteLength < GSS_CHECKSUM_MINIMUM_BYTES) {
      return refuse(Krb.KRB_ERR_GENERIC, reason('checksum-invalid', { service, detail: 'is too short' }), badBindings);
    }
    try {
      const read = decodeGssChecksum(checksum.content);
      flags = read.flags & ACCEPTED_FLAGS;
      delegation = read.delegation;
      if (bindings !== undefined) {
        isBound = timingSafeEqual(read.bindings, channelBindingsHash(bindings));
        if (!isBound && !timingSafeEqual(read.bindings, noBindings)) {
          return refuse(Krb.KRB_ERR_GENERIC, reason('bindings-differ', { service }), badBindings);
        }
      }
    } catch (error) {
      if (!(error instanceof MalformedTokenError)) throw error;
      const detail = `is malformed: ${error.message}`;
      return refuse(Krb.KRB_ERR_GENERIC, reason('checksum-invalid', { service, detail }));
    }
  }
  if ((flags & Gss.GSS_C_DCE_STYLE) !== 0) {
    return refuse(Krb.KRB_ERR_GENERIC, reason('three-legs', { service }), Status.SEC_E_INVALID_TOKEN);
  }
  const missingAllowed = (call.requirements & ASC_REQ_ALLOW_MISSING_BINDINGS) !== 0;
  if (bindings !== undefined && !isBound && (knowsChannelBindings || !missingAllowed)) {
    const why = knowsChannelBindings ? 'bindings-withheld' : 'bindings-missing';
    return refuse(Krb.KRB_ERR_GENERIC, reason(why, { service }), badBindings);
  }
  return { flags, isBound, delegation };
}

/**
 * Whether a client waits for an answer, by the flags of its checksum. The options of its AP-REQ, which are not encrypted,
 * need not say so (MIT krb5 goes by both).
 */
export function wantsAnswer(checksum: Checksum | undefined): boolean {
  if (checksum?.type !== GSS_CHECKSUM_TYPE || checksum.content.byteLength < GSS_CHECKSUM_MINIMUM_BYTES) return false;
  try {
    return (decodeGssChecksum(checksum.content).flags & Gss.GSS_C_MUTUAL_FLAG) !== 0;
  } catch (error) {
    if (error instanceof MalformedTokenError) return false;
    throw error;
  }
}

const badBindings = Status.SEC_E_BAD_BINDINGS;

function badChecksum(service: string): OrRefusal<GssRequest> {
  const detail = 'is neither that of GSSAPI nor one over no data';
  return refuse(Krb.KRB_AP_ERR_INAPP_CKSUM, reason('checksum-invalid', { service, detail }));
}
