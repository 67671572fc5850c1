/** The computations of NTLMv2 and of NTLM session security, MS-NLMP sections 3.3.2, 3.4.4 and 3.4.5. */
import { createHash } from 'node:crypto';
import { encodeUtf16le } from '../formats/utf16.ts';
import { uppercase } from '../formats/uppercase.ts';
import { hmac } from './hmac.ts';
import { md4 } from './md4.ts';

function md5(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** NTOWFv1, section 3.3.1: MD4 over the password in UTF-16LE, 16 bytes. A secret: as good as the password for NTLM. */
export function ntowfv1(password: string): Uint8Array {
  const text = encodeUtf16le(password);
  const hash = md4(text);
  text.fill(0);
  return hash;
}

/**
 * NTOWFv2, section 3.3.2.
 *
 * @param ntHash NTOWFv1, 16 bytes
 * @param userName in any case
 * @param domain UserDom; case-sensitive
 */
export function ntowfv2(ntHash: Uint8Array, userName: string, domain: string): Uint8Array {
  return hmac('md5', ntHash, encodeUtf16le(uppercase(userName) + domain));
}

/**
 * NTProofStr, section 3.3.2.
 *
 * @param responseKey NTOWFv2
 * @param serverChallenge 8 bytes
 * @param clientChallengeMessage NTLMv2_CLIENT_CHALLENGE as received (`temp`)
 */
export function ntProofString(
  responseKey: Uint8Array,
  serverChallenge: Uint8Array,
  clientChallengeMessage: Uint8Array,
): Uint8Array {
  return hmac('md5', responseKey, serverChallenge, clientChallengeMessage);
}

/** SessionBaseKey of NTLMv2, section 3.3.2; also its KeyExchangeKey (KXKEY, section 3.4.5.1). */
export function sessionBaseKey(responseKey: Uint8Array, proof: Uint8Array): Uint8Array {
  return hmac('md5', responseKey, proof);
}

/**
 * MIC of an AUTHENTICATE_MESSAGE, section 3.1.5.1.2: over the three messages as they were on the wire.
 *
 * @param exportedSessionKey 16 bytes
 * @param authenticateMessage with its own MIC set to zeros
 */
export function messageIntegrityCode(
  exportedSessionKey: Uint8Array,
  negotiateMessage: Uint8Array,
  challengeMessage: Uint8Array,
  authenticateMessage: Uint8Array,
): Uint8Array {
  return hmac('md5', exportedSessionKey, negotiateMessage, challengeMessage, authenticateMessage);
}

/** The sender of a message: each direction has its own keys. */
export type NtlmSender = 'client' | 'server';

const magic = (text: string): Uint8Array => Buffer.from(`${text}\0`, 'latin1');
const signingMagic: Readonly<Record<NtlmSender, Uint8Array>> = {
  client: magic('session key to client-to-server signing key magic constant'),
  server: magic('session key to server-to-client signing key magic constant'),
};
const sealingMagic: Readonly<Record<NtlmSender, Uint8Array>> = {
  client: magic('session key to client-to-server sealing key magic constant'),
  server: magic('session key to server-to-client sealing key magic constant'),
};

/** SIGNKEY with extended session security, section 3.4.5.2, 16 bytes. */
export function signingKey(exportedSessionKey: Uint8Array, sender: NtlmSender): Uint8Array {
  return md5(exportedSessionKey, signingMagic[sender]);
}

/**
 * SEALKEY with extended session security, section 3.4.5.3, 16 bytes.
 *
 * @param bits the negotiated strength: so many bits of the session key are used
 */
export function sealingKey(exportedSessionKey: Uint8Array, sender: NtlmSender, bits: 128 | 56 | 40): Uint8Array {
  return md5(exportedSessionKey.subarray(0, bits / 8), sealingMagic[sender]);
}
