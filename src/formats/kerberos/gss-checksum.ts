/** The checksum of type 0x8003 in an authenticator, which is none: RFC 4121 section 4.1.1. All numbers are little-endian. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { Reader } from '../reader.ts';

/** cksumtype. */
export const GSS_CHECKSUM_TYPE = 0x8003;
/** Lgth, Bnd and Flags: what a checksum has at least. */
export const GSS_CHECKSUM_MINIMUM_BYTES = 24;

const BINDINGS_BYTES = 16;
/** DlgOpt. */
const DELEGATION = 1;
/** GSS_C_DELEG_FLAG. */
const DELEGATION_FLAG = 0x1;

/** The content of the checksum. All bytes are views. */
export interface GssChecksum {
  /** Bnd: MD5 over the channel bindings, or sixteen zero bytes if the client has none. */
  readonly bindings: Uint8Array;
  /** GSS_C_* bits that the client asks for. */
  readonly flags: number;
  /** The KRB-CRED of a client that delegates. */
  readonly delegation: Uint8Array | undefined;
}

/**
 * Reads the content of a checksum.
 *
 * @throws MalformedTokenError if Lgth is not 16, if a part reaches past the end, or if what is delegated is not a
 *   KRB-CRED (attack D10)
 */
export function decodeGssChecksum(content: Uint8Array): GssChecksum {
  const reader = new Reader(content);
  const length = reader.u32le('Lgth');
  if (length !== BINDINGS_BYTES) throw new MalformedTokenError('Lgth', `${length} is not 16`, 0);
  const bindings = reader.take(BINDINGS_BYTES, 'Bnd');
  const flags = reader.u32le('Flags');
  let delegation: Uint8Array | undefined;
  if ((flags & DELEGATION_FLAG) !== 0 && reader.remaining >= 4) {
    const option = reader.u16le('DlgOpt');
    delegation = reader.take(reader.u16le('Dlgth'), 'Deleg');
    if (option !== DELEGATION) throw new MalformedTokenError('DlgOpt', `${option} is not 1`);
  }
  // Exts: type and length of 32 bits, big-endian. None is used here, but each must be whole.
  while (reader.remaining > 0) {
    reader.u32be('Exts');
    reader.take(reader.u32be('Exts'), 'Exts');
  }
  return { bindings, flags, delegation };
}
