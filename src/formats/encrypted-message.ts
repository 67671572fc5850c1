/**
 * Encrypted messages of WS-Management over HTTP: MS-WSMV section 2.2.9.1. A body of pairs of parts. The first part of a
 * pair says what was encrypted, the second has it: the length of the signature in four bytes, the signature, the
 * encrypted bytes. The form is looser than RFC 2046: no empty line ends the fields of a part, and no line break comes
 * before a boundary.
 */
import { MalformedTokenError } from '../foundation/errors.ts';
import { Reader } from './reader.ts';

/** Which message functions encrypted the parts, as `protocol` in Content-Type names them. */
export type EncryptionProtocol =
  | 'application/HTTP-SPNEGO-session-encrypted'
  | 'application/HTTP-Kerberos-session-encrypted'
  | 'application/HTTP-CredSSP-session-encrypted';

const protocols: readonly EncryptionProtocol[] = [
  'application/HTTP-SPNEGO-session-encrypted',
  'application/HTTP-Kerberos-session-encrypted',
  'application/HTTP-CredSSP-session-encrypted',
];

/** The Content-Type of an encrypted message. */
export interface EncryptedType {
  readonly protocol: EncryptionProtocol;
  readonly boundary: string;
  /** `multipart/x-multi-encrypted`: several pairs, each of at most 16 KiB before encryption. */
  readonly several: boolean;
}

/** One encrypted part. */
export interface EncryptedPart {
  /** Content-Type of what was encrypted. */
  readonly type: string;
  /** How many bytes were encrypted. */
  readonly length: number;
  /** The value of the four bytes: the length of the signature. Of CredSSP that of the trailer, often wrong. */
  readonly signatureLength: number;
  /** Signature and encrypted bytes. Of CredSSP: records of TLS. */
  readonly sealed: Uint8Array;
}

/** RFC 2046 section 5.1.1: at most 70 characters. */
const MAX_BOUNDARY = 70;
/** Longest line of fields, in bytes. */
const MAX_LINE = 1024;

const encryptedMedia = /^\s*multipart\/(?:x-multi-)?encrypted\s*(?:;|$)/i;

/** Whether a value of Content-Type is that of an encrypted message, readable or not. */
export function isEncryptedType(contentType: string): boolean {
  return encryptedMedia.test(contentType);
}

/**
 * Reads a value of Content-Type.
 *
 * @returns undefined if it is not that of an encrypted message of a protocol known here
 */
export function parseEncryptedType(contentType: string): EncryptedType | undefined {
  const [media = '', ...parameters] = contentType.split(';').map((part) => part.trim());
  const several = media.toLowerCase() === 'multipart/x-multi-encrypted';
  if (!several && media.toLowerCase() !== 'multipart/encrypted') return undefined;
  const valueOf = (name: string): string | undefined => {
    const values = parameters.flatMap((parameter) => {
      const match = /^([\w-]+)\s*=\s*(?:"([^"\\]*)"|([^\s"]+))$/.exec(parameter);
      return match?.[1]?.toLowerCase() === name ? [match[2] ?? match[3] ?? ''] : [];
    });
    return values.length === 1 ? values[0] : undefined;
  };
  const named = valueOf('protocol')?.toLowerCase();
  const protocol = protocols.find((known) => known.toLowerCase() === named);
  const boundary = valueOf('boundary');
  if (protocol === undefined || boundary === undefined) return undefined;
  return boundary === '' || boundary.length > MAX_BOUNDARY ? undefined : { protocol, boundary, several };
}

/**
 * Reads the body of an encrypted message.
 *
 * @throws MalformedTokenError for anything else, also for several pairs where the type has one
 */
export function parseEncryptedMessage(body: Uint8Array, type: EncryptedType): readonly EncryptedPart[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const delimiter = delimiterOf(bytes, type.boundary);
  const parts: EncryptedPart[] = [];
  const lines = new Lines(bytes);
  lines.expect(delimiter);
  for (;;) {
    const original = originalContent(lines, delimiter, type.protocol);
    lines.field('content-type', 'application/octet-stream');
    const start = lines.offset;
    const end = bytes.indexOf(delimiter, start, 'latin1');
    if (end === -1) throw new MalformedTokenError('boundary', 'is missing after the encrypted bytes', start);
    const reader = new Reader(bytes, start, end);
    const signatureLength = reader.u32le('SignatureLength');
    parts.push({ ...original, signatureLength, sealed: reader.take(reader.remaining, 'encrypted bytes') });
    lines.seek(end + delimiter.length);
    if (lines.endsHere()) break;
    lines.expect('');
    if (!type.several) throw new MalformedTokenError('parts', 'are more than one pair', end);
  }
  return parts;
}

/** The line that begins a part. Some write a blank after the hyphens. */
function delimiterOf(bytes: Buffer, boundary: string): string {
  const spaced = `-- ${boundary}`;
  return bytes.subarray(0, spaced.length).equals(Buffer.from(spaced, 'latin1')) ? spaced : `--${boundary}`;
}

/** A media type as Content-Type has it, without anything that would not go into a field. */
const mediaType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:;[ !#-~"]*)?$/;

/** The first part of a pair, and the delimiter after it. */
function originalContent(
  lines: Lines,
  delimiter: string,
  protocol: EncryptionProtocol,
): Pick<EncryptedPart, 'type' | 'length'> {
  lines.field('content-type', protocol.toLowerCase());
  const at = lines.offset;
  const value = lines.valueOf('originalcontent');
  const match = /^type=(.*);\s*length=(\d{1,10})$/i.exec(value);
  const [, type = '', length = ''] = match ?? [];
  if (!mediaType.test(type)) throw new MalformedTokenError('OriginalContent', 'has no type and Length', at);
  // A request without a body is not encrypted.
  if (Number(length) === 0) throw new MalformedTokenError('OriginalContent', 'has Length 0', at);
  lines.expect(delimiter);
  return { type, length: Number(length) };
}

/** The text of an encrypted message, line by line. */
class Lines {
  readonly #bytes: Buffer;
  offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  seek(offset: number): void {
    this.offset = offset;
  }

  /** The next line without its end. */
  next(): string {
    const start = this.offset;
    const end = this.#bytes.subarray(start, start + MAX_LINE).indexOf('\r\n', 0, 'latin1');
    if (end === -1) throw new MalformedTokenError('line', 'has no end', start);
    this.offset = start + end + 2;
    return this.#bytes.toString('latin1', start, start + end);
  }

  /** Reads a line that has to have this text. */
  expect(line: string): void {
    const at = this.offset;
    if (this.next() !== line) throw new MalformedTokenError('boundary', 'is not there', at);
  }

  /** The value of a field that has to come next. */
  valueOf(name: string): string {
    const at = this.offset;
    const match = /^[\t ]*([\w-]+):[\t ]*(.*?)[\t ]*$/.exec(this.next());
    if (match?.[1]?.toLowerCase() !== name) throw new MalformedTokenError(name, 'is missing', at);
    return match[2] ?? '';
  }

  field(name: string, value: string): void {
    const at = this.offset;
    if (this.valueOf(name).toLowerCase() !== value) throw new MalformedTokenError(name, `is not ${value}`, at);
  }

  /** Whether the last delimiter ends here, and the body with it. */
  endsHere(): boolean {
    const rest = this.#bytes.toString('latin1', this.offset, this.offset + 5);
    return rest === '--\r\n' || rest === '--';
  }
}

/** The boundary of our messages: clients expect this one. */
const BOUNDARY = 'Encrypted Boundary';

/** Content-Type of an encrypted message of ours. */
export function encryptedTypeOf(protocol: EncryptionProtocol, several: boolean): string {
  return `multipart/${several ? 'x-multi-encrypted' : 'encrypted'};protocol="${protocol}";boundary="${BOUNDARY}"`;
}

/** Writes the body of an encrypted message. */
export function encodeEncryptedMessage(protocol: EncryptionProtocol, parts: readonly EncryptedPart[]): Buffer {
  const pieces = parts.flatMap(({ type, length, signatureLength, sealed }) => {
    const fields =
      `--${BOUNDARY}\r\n\tContent-Type: ${protocol}\r\n\tOriginalContent: type=${type};Length=${length}\r\n` +
      `--${BOUNDARY}\r\n\tContent-Type: application/octet-stream\r\n`;
    const size = Buffer.alloc(4);
    size.writeUInt32LE(signatureLength);
    return [Buffer.from(fields, 'latin1'), size, sealed];
  });
  return Buffer.concat([...pieces, Buffer.from(`--${BOUNDARY}--\r\n`, 'latin1')]);
}
