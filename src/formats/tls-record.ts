/**
 * The record layer of TLS 1.2 and 1.3 (RFC 5246 section 6.2, RFC 8446 section 5.1), as far as its plaintext goes: where a
 * record ends, and what kind it is. What is inside is for the TLS library.
 */
import { MalformedTokenError } from '../foundation/errors.ts';

/** ContentType. */
export const TLS_CHANGE_CIPHER_SPEC = 20;
export const TLS_ALERT = 21;
export const TLS_HANDSHAKE = 22;
export const TLS_APPLICATION_DATA = 23;

/** Bytes of the header: type, version, length. */
export const TLS_RECORD_HEADER_BYTES = 5;
/** Most bytes of plaintext in one record. */
export const TLS_MAX_PLAINTEXT_BYTES = 0x4000;
/** Most bytes after the header: RFC 5246 section 6.2.3. TLS 1.3 has less (256 above the plaintext). */
export const TLS_MAX_FRAGMENT_BYTES = TLS_MAX_PLAINTEXT_BYTES + 2048;

/** What lies at an offset: a whole record, or a part of one. */
export interface TlsRecordAt {
  /** ContentType; undefined if not even that byte is there. */
  readonly type: number | undefined;
  /** Offset after the record, if it is whole. */
  readonly end: number | undefined;
  /** How many bytes are missing at least: those of the header, then those of the record. 0 if it is whole. */
  readonly missing: number;
}

/**
 * Reads the header of the record at an offset.
 *
 * What cannot become a record is refused at once, also if it is cut off: else text of another protocol, such as an HTTP
 * request, would be waited for without end.
 *
 * @throws MalformedTokenError for an unknown type, a major version that is not 3, or a length above
 *   TLS_MAX_FRAGMENT_BYTES
 */
export function tlsRecordAt(bytes: Uint8Array, offset: number): TlsRecordAt {
  const left = bytes.byteLength - offset;
  const type = bytes[offset];
  if (type === undefined) return { type, end: undefined, missing: TLS_RECORD_HEADER_BYTES };
  if (type < TLS_CHANGE_CIPHER_SPEC || type > TLS_APPLICATION_DATA) {
    throw new MalformedTokenError('ContentType', `${type} is not of TLS`, offset);
  }
  const major = bytes[offset + 1];
  if (major !== undefined && major !== 3) {
    throw new MalformedTokenError('legacy_record_version', `major ${major} is not 3`, offset + 1);
  }
  const [high, low] = [bytes[offset + 3], bytes[offset + 4]];
  if (high !== undefined && high * 0x100 > TLS_MAX_FRAGMENT_BYTES) throw tooLong(high * 0x100, offset);
  if (high === undefined || low === undefined) {
    return { type, end: undefined, missing: TLS_RECORD_HEADER_BYTES - left };
  }
  const length = high * 0x100 + low;
  if (length > TLS_MAX_FRAGMENT_BYTES) throw tooLong(length, offset);
  const end = offset + TLS_RECORD_HEADER_BYTES + length;
  return end <= bytes.byteLength
    ? { type, end, missing: 0 }
    : { type, end: undefined, missing: end - bytes.byteLength };
}

function tooLong(length: number, offset: number): MalformedTokenError {
  return new MalformedTokenError('length', `${length} is above ${TLS_MAX_FRAGMENT_BYTES}`, offset + 3);
}

/** An alert (RFC 8446 section 6). */
export interface TlsAlert {
  /** 1 warning, 2 fatal. */
  readonly level: number;
  /** AlertDescription. */
  readonly description: number;
}

/**
 * The last alert in plaintext among records.
 *
 * @param records whole records, as a TLS library wrote them
 * @returns undefined if there is none: one that is encrypted cannot be told from other records
 */
export function plaintextAlert(records: Uint8Array): TlsAlert | undefined {
  let alert: TlsAlert | undefined;
  for (let offset = 0; offset < records.byteLength;) {
    const { type, end } = tlsRecordAt(records, offset);
    if (end === undefined) break;
    const level = records[offset + TLS_RECORD_HEADER_BYTES];
    const description = records[offset + TLS_RECORD_HEADER_BYTES + 1];
    if (type === TLS_ALERT && end - offset === TLS_RECORD_HEADER_BYTES + 2 && level !== undefined) {
      if (description !== undefined) alert = { level, description };
    }
    offset = end;
  }
  return alert;
}

/** An alert in plaintext, as TLS 1.2 has it before its ChangeCipherSpec. */
export function encodePlaintextAlert({ level, description }: TlsAlert): Uint8Array {
  return Uint8Array.of(TLS_ALERT, 3, 3, 0, 2, level, description);
}

/** Whether a record of a type is among whole records. */
export function hasTlsRecord(records: Uint8Array, type: number): boolean {
  for (let offset = 0; offset < records.byteLength;) {
    const record = tlsRecordAt(records, offset);
    if (record.type === type) return true;
    if (record.end === undefined) return false;
    offset = record.end;
  }
  return false;
}
