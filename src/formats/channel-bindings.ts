/**
 * SEC_CHANNEL_BINDINGS (sspi.h): the content of a SECBUFFER_CHANNEL_BINDINGS buffer. Also the form of RFC 4121 section
 * 4.1.1.2, over which a package computes the hash.
 *
 * The structure has eight little-endian 32-bit fields: dwInitiatorAddrType, cbInitiatorLength, dwInitiatorOffset,
 * dwAcceptorAddrType, cbAcceptorLength, dwAcceptorOffset, cbApplicationDataLength, dwApplicationDataOffset. The data
 * follows. Offsets count from the start of the structure.
 */
import { MalformedTokenError } from '../foundation/errors.ts';
import { Reader } from './reader.ts';

/** Channel bindings as values (gss_channel_bindings_struct, RFC 2744 section 3.11). */
export interface ChannelBindings {
  readonly initiatorAddressType: number;
  readonly initiatorAddress: Uint8Array;
  readonly acceptorAddressType: number;
  readonly acceptorAddress: Uint8Array;
  /** For TLS: `tls-server-end-point:` and the hash, RFC 5929 section 4. */
  readonly applicationData: Uint8Array;
}

const HEADER_BYTES = 32;

/** Encodes SEC_CHANNEL_BINDINGS with application data only. Bindings of TLS have nothing else. */
export function encodeChannelBindings(applicationData: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + applicationData.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(24, applicationData.byteLength, true);
  view.setUint32(28, HEADER_BYTES, true);
  bytes.set(applicationData, HEADER_BYTES);
  return bytes;
}

/**
 * Decodes SEC_CHANNEL_BINDINGS.
 *
 * @throws MalformedTokenError if an offset or a length points outside the buffer
 */
export function decodeChannelBindings(bytes: Uint8Array): ChannelBindings {
  const reader = new Reader(bytes);
  const initiatorAddressType = reader.u32le('dwInitiatorAddrType');
  const initiatorAddress = part(reader, 'Initiator');
  const acceptorAddressType = reader.u32le('dwAcceptorAddrType');
  const acceptorAddress = part(reader, 'Acceptor');
  const applicationData = part(reader, 'ApplicationData');
  return { initiatorAddressType, initiatorAddress, acceptorAddressType, acceptorAddress, applicationData };
}

function part(header: Reader, name: string): Uint8Array {
  const length = header.u32le(`cb${name}Length`);
  const offset = header.u32le(`dw${name}Offset`);
  if (length === 0) return new Uint8Array(0);
  if (offset < HEADER_BYTES)
    throw new MalformedTokenError(`dw${name}Offset`, `${offset} lies inside the header`, header.offset - 4);
  const reader = new Reader(header.bytes);
  reader.seek(offset, `dw${name}Offset`);
  return reader.take(length, name);
}

/**
 * The bytes that are hashed with MD5 for the `Bnd` field (RFC 4121 section 4.1.1.2). Each number is four little-endian
 * bytes. An absent field is written as length zero.
 */
export function packChannelBindings(bindings: ChannelBindings): Uint8Array {
  const { initiatorAddress, acceptorAddress, applicationData } = bindings;
  const bytes = new Uint8Array(
    20 + initiatorAddress.byteLength + acceptorAddress.byteLength + applicationData.byteLength,
  );
  const view = new DataView(bytes.buffer);
  let at = 0;
  const number = (value: number): void => {
    view.setUint32(at, value, true);
    at += 4;
  };
  const data = (value: Uint8Array): void => {
    number(value.byteLength);
    bytes.set(value, at);
    at += value.byteLength;
  };
  number(bindings.initiatorAddressType);
  data(initiatorAddress);
  number(bindings.acceptorAddressType);
  data(acceptorAddress);
  data(applicationData);
  return bytes;
}
