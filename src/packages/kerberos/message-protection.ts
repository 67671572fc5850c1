/** Signs, verifies, encrypts and decrypts the messages of a context. RFC 4121 and RFC 4757 have a form each. */
import type { KerberosKey } from '../../crypto/kerberos/kerberos-key.ts';
import type { RandomSource } from '../../foundation/clock.ts';

/** What both forms need. */
export interface ProtectionParameters {
  /** The client's subkey, or the session key. Wiped with the context. */
  readonly initiatorKey: KerberosKey;
  /** The acceptor's subkey, if it sent one. Wiped with the context. */
  readonly acceptorKey: KerberosKey | undefined;
  /** GSS_C_* bits of the context. */
  readonly flags: number;
  /** Number of the first message that is sent, unsigned 32 bits. */
  readonly sendSequence: number;
  /** Number of the first message that is received, unsigned 32 bits. */
  readonly receiveSequence: number;
  readonly random: RandomSource;
}

/** A message that was taken out of its token. */
export interface OpenedMessage {
  /** SEC_E_OK, SEC_E_MESSAGE_ALTERED or SEC_E_OUT_OF_SEQUENCE. */
  readonly status: number;
  /** Present with SEC_E_OK. */
  readonly data?: Buffer;
}

/** The message protection of one context. */
export interface MessageProtection {
  /** The key that protects messages: a view. */
  readonly sessionKey: Uint8Array;
  /** GSS_GetMIC. */
  sign(data: Uint8Array): Uint8Array;
  /** GSS_VerifyMIC. @returns SEC_E_OK, SEC_E_MESSAGE_ALTERED or SEC_E_OUT_OF_SEQUENCE */
  verify(data: Uint8Array, token: Uint8Array): number;
  /** GSS_Wrap with confidentiality. */
  seal(data: Uint8Array): Uint8Array;
  /** GSS_Unwrap. A message that was not encrypted counts as altered. */
  open(token: Uint8Array): OpenedMessage;
  wipe(): void;
}
