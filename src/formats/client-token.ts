/**
 * What a client's token of Negotiate, Kerberos or NTLM carries: an NTLM message or a Kerberos AP-REQ, raw or inside
 * SPNEGO. For what has to be known of a token beside the package that verifies it. Nothing here is proven.
 */
import { MalformedTokenError } from '../foundation/errors.ts';
import { decodeApRequest, decodeKerberosToken, TOK_ID_AP_REQ } from './kerberos/kerberos-token.ts';
import type { ApRequestHeader } from './kerberos/kerberos-token.ts';
import { isNtlmMessage } from './ntlm/message-field.ts';
import { decodeInitialToken, decodeNegotiationToken } from './spnego.ts';
import { OID_KERBEROS, OID_KERBEROS_MICROSOFT, OID_SPNEGO } from './object-identifiers.ts';

/** A mechanism's token, and what it was wrapped in. */
export interface ClientToken {
  /** The NTLM message, if it is one; a view. */
  readonly ntlm?: Uint8Array;
  /** The clear fields of the AP-REQ, if it is one. */
  readonly kerberos?: ApRequestHeader;
  /** Whether the client offers Kerberos as well, in the mechTypes of a NegTokenInit. */
  readonly offersKerberos: boolean;
}

const kerberosIdentifiers: readonly string[] = [OID_KERBEROS, OID_KERBEROS_MICROSOFT];

/**
 * Reads a token.
 *
 * @returns an object without `ntlm` and `kerberos` for a token of another kind, and for a malformed one
 */
export function readClientToken(token: Uint8Array): ClientToken {
  try {
    if (isNtlmMessage(token)) return { ntlm: token, offersKerberos: false };
    const initial = isInitialToken(token) ? decodeInitialToken(token) : undefined;
    if (initial !== undefined && initial.mechanism !== OID_SPNEGO) {
      return { kerberos: apRequest(token), offersKerberos: true };
    }
    const negotiation = decodeNegotiationToken(initial?.innerToken ?? token);
    const isInit = negotiation.type === 'NegTokenInit';
    const offersKerberos = isInit && negotiation.mechTypes.some((oid) => kerberosIdentifiers.includes(oid));
    const inner = isInit ? negotiation.mechToken : negotiation.responseToken;
    if (inner === undefined) return { offersKerberos };
    if (isNtlmMessage(inner)) return { ntlm: inner, offersKerberos };
    return isInitialToken(inner) ? { kerberos: apRequest(inner), offersKerberos } : { offersKerberos };
  } catch (error) {
    if (error instanceof MalformedTokenError) return { offersKerberos: false };
    throw error;
  }
}

/** Tag of InitialContextToken, RFC 2743 section 3.1. */
function isInitialToken(token: Uint8Array): boolean {
  return token[0] === 0x60;
}

/** @throws MalformedTokenError if it is not a Kerberos AP-REQ */
function apRequest(token: Uint8Array): ApRequestHeader {
  const { mechanism, tokenId, message } = decodeKerberosToken(token);
  if (!kerberosIdentifiers.includes(mechanism) || tokenId !== TOK_ID_AP_REQ) {
    throw new MalformedTokenError('thisMech', 'is not that of a Kerberos AP-REQ');
  }
  return decodeApRequest(message);
}

const ntlmSignature = Buffer.from('NTLMSSP\0', 'latin1');
const ntlmAuthenticate = Buffer.from('NTLMSSP\0\x03\0\0\0', 'latin1');

/**
 * Whether a token contains an NTLM message, in whatever it is wrapped. A message of NTLM is never encrypted, so this
 * finds it in encodings that `readClientToken` does not read.
 */
export function containsNtlm(token: Uint8Array): boolean {
  return indexOf(token, ntlmSignature) >= 0;
}

/** Whether a token contains NTLM's last message, for which a server may have to ask a domain controller. */
export function containsNtlmAuthenticate(token: Uint8Array): boolean {
  return indexOf(token, ntlmAuthenticate) >= 0;
}

function indexOf(token: Uint8Array, part: Uint8Array): number {
  return Buffer.from(token.buffer, token.byteOffset, token.byteLength).indexOf(part);
}

/**
 * Whether a token can only lead to NTLM. A first message of NTLM beside an offer of Kerberos may still lead to
 * Kerberos.
 */
export function leadsToNtlm(token: Uint8Array): boolean {
  return containsNtlm(token) && (containsNtlmAuthenticate(token) || !readClientToken(token).offersKerberos);
}
