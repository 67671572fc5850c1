/** The input buffers of one call, AcceptSecurityContext (Digest), section "pInput". */
import { isUtf8 } from 'node:buffer';
import { MalformedTokenError } from '../../foundation/errors.ts';
import { SECBUFFER_PKG_PARAMS, SECBUFFER_TOKEN, findBuffer } from '../../sspi/buffers.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import { isRealm } from './digest-auth-data.ts';

// Positions among the SECBUFFER_PKG_PARAMS buffers. Position 2 is the hash of the entity, which only auth-int uses.
const METHOD = 0;
/** Reserved on Microsoft's page. Here it is the request target, without which `uri` cannot be checked. */
const REQUEST_TARGET = 1;
const REALM = 3;

/** The client's token; empty if it has sent no credentials yet. */
export function tokenOf(input: readonly SecBuffer[]): Uint8Array {
  return findBuffer(input, SECBUFFER_TOKEN)?.data ?? new Uint8Array(0);
}

/**
 * The realm of a call: from its own buffer (UTF-16, little-endian), or else the realm of the credential.
 *
 * @param configured realm of the credential
 * @throws MalformedTokenError if the buffer does not hold a realm
 */
export function realmOf(input: readonly SecBuffer[], configured: string): string {
  const data = findBuffer(input, SECBUFFER_PKG_PARAMS, REALM)?.data;
  if (data === undefined || data.byteLength === 0) return configured;
  const realm = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf16le');
  if (data.byteLength % 2 !== 0 || !isRealm(realm)) throw new MalformedTokenError('realm', 'not a realm in UTF-16');
  return realm;
}

/** What the response covers in addition to the credentials. */
export interface DigestRequest {
  /** As on the wire. */
  readonly method: string;
  /** As on the wire. */
  readonly requestTarget: string;
}

/**
 * Method and request target.
 *
 * @throws MalformedTokenError if either is missing, or the method is not a token (RFC 9110 section 9.1)
 */
export function requestOf(input: readonly SecBuffer[]): DigestRequest {
  const method = text(input, METHOD, 'method');
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method)) throw new MalformedTokenError('method', 'not a token');
  return { method, requestTarget: text(input, REQUEST_TARGET, 'request-target') };
}

function text(input: readonly SecBuffer[], index: number, field: string): string {
  const data = findBuffer(input, SECBUFFER_PKG_PARAMS, index)?.data;
  if (data === undefined || data.byteLength === 0) throw new MalformedTokenError(field, 'missing');
  if (!isUtf8(data)) throw new MalformedTokenError(field, 'not UTF-8');
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8');
}
