/**
 * The parameters of a Digest challenge or of Digest credentials: the auth-param list of RFC 9110 section 11.2, which
 * follows the scheme name.
 *
 * The bytes are read in one pass, and no regular expression runs over all of them. So the time is linear in the length
 * (attack E09). The result is a Map, so no name can reach a prototype (attack E11).
 */
import { isUtf8 } from 'node:buffer';
import { MalformedTokenError } from '../../foundation/errors.ts';
import { Reader } from '../reader.ts';
import { hasControlCharacter } from '../../foundation/text.ts';

/** Longest accepted list, in bytes. Credentials of real clients stay below 1000. */
export const DIGEST_FIELDS_MAX_BYTES = 8192;
/** A list may have at most this many parameters. RFC 7616 section 3.4 defines thirteen. */
export const DIGEST_FIELDS_MAX_COUNT = 32;

/** The value of one parameter. */
export interface DigestField {
  /** Decoded: without quotes, every quoted-pair replaced by its second character (RFC 9110 section 5.6.4). */
  readonly value: string;
  /**
   * The other reading of a quoted-string, MS-DPSP section 2.2: a backslash is kept unless `"` or `\` follows it, as in
   * `"DOMAIN\user"`. Equal to `value` if there is no such backslash.
   */
  readonly literal: string;
  /** What stands between the quotes, with every backslash. Equal to `value` for a token. */
  readonly raw: string;
  /** The value was written as a quoted-string. */
  readonly quoted: boolean;
}

const HTAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/** tchar of RFC 9110 section 5.6.2, by byte. */
const isTokenByte: readonly boolean[] = Array.from({ length: 256 }, (_, byte) =>
  /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(byte)),
);

/** Parameters that some clients write in ISO 8859-1: a name, and the realm that they were sent in UTF-8. */
const oneByteNames: readonly string[] = ['username', 'realm'];

/**
 * Reads a parameter list.
 *
 * Every parameter may be written as a token or as a quoted-string, as RFC 9110 section 11.2 requires. It does not
 * matter which form RFC 7616 shows. Text is UTF-8; a user name or realm that is not is ISO 8859-1. Empty list elements
 * are skipped (RFC 9110 section 5.6.1.2).
 *
 * A URI has no quoted-pairs, and curl writes the backslashes of one as they are. So a list that cannot be read otherwise
 * is read with the backslashes of `uri` as what they are: one at the end is not an escaped quote.
 *
 * @param bytes what follows `Digest ` in the header field
 * @returns the parameters by name in lower case, in the order of the list
 * @throws MalformedTokenError for a list that breaks the grammar, is too long, names a parameter twice in any case
 *   (attack E10), is not UTF-8 where it must be, or has a control character of C0 or C1 in a value (attack A09)
 */
export function parseDigestFields(bytes: Uint8Array): ReadonlyMap<string, DigestField> {
  if (bytes.byteLength > DIGEST_FIELDS_MAX_BYTES) {
    throw new MalformedTokenError(
      'auth-param',
      `has ${bytes.byteLength} bytes, at most ${DIGEST_FIELDS_MAX_BYTES} are allowed`,
    );
  }
  try {
    return readFields(bytes, false);
  } catch (error) {
    if (!(error instanceof MalformedTokenError) || !Buffer.from(bytes).includes(BACKSLASH)) throw error;
    try {
      return readFields(bytes, true);
    } catch {
      throw error;
    }
  }
}

/** @param plainUri a backslash in `uri` is a backslash, whatever follows it */
function readFields(bytes: Uint8Array, plainUri: boolean): ReadonlyMap<string, DigestField> {
  const cursor = new Cursor(bytes);
  const fields = new Map<string, DigestField>();
  for (;;) {
    cursor.skipSpace();
    while (cursor.peek() === COMMA) {
      cursor.advance();
      cursor.skipSpace();
    }
    if (cursor.peek() === undefined) return fields;
    if (fields.size === DIGEST_FIELDS_MAX_COUNT) {
      throw new MalformedTokenError('auth-param', `more than ${DIGEST_FIELDS_MAX_COUNT} parameters`, cursor.offset);
    }
    const at = cursor.offset;
    const name = cursor.token('auth-param').toLowerCase();
    if (fields.has(name)) throw new MalformedTokenError('auth-param', 'is named twice', at);
    cursor.skipSpace();
    if (cursor.peek() !== EQUALS) throw new MalformedTokenError('auth-param', '"=" is missing', cursor.offset);
    cursor.advance();
    cursor.skipSpace();
    const reading = { plain: plainUri && name === 'uri', oneByte: oneByteNames.includes(name) };
    fields.set(
      name,
      cursor.peek() === QUOTE ? cursor.quotedString(reading) : tokenField(cursor.token('auth-param value')),
    );
    cursor.skipSpace();
    const next = cursor.peek();
    if (next !== undefined && next !== COMMA) {
      throw new MalformedTokenError('auth-param', '"," is missing', cursor.offset);
    }
  }
}

function tokenField(value: string): DigestField {
  return { value, literal: value, raw: value, quoted: false };
}

/** The lexical elements of a field value, over a bounded reader. */
class Cursor {
  readonly #reader: Reader;

  constructor(bytes: Uint8Array) {
    this.#reader = new Reader(bytes);
  }

  get offset(): number {
    return this.#reader.offset;
  }

  /** The next byte, or undefined at the end. */
  peek(): number | undefined {
    return this.#reader.bytes[this.#reader.offset];
  }

  advance(): void {
    this.#reader.skip(1, 'auth-param');
  }

  /** OWS and BWS, RFC 9110 section 5.6.3. */
  skipSpace(): void {
    for (let byte = this.peek(); byte === SPACE || byte === HTAB; byte = this.peek()) this.advance();
  }

  /** token, RFC 9110 section 5.6.2. */
  token(field: string): string {
    const start = this.offset;
    for (let byte = this.peek(); byte !== undefined && isTokenByte[byte] === true; byte = this.peek()) this.advance();
    if (this.offset === start) throw new MalformedTokenError(field, 'is not a token', start);
    return text(this.#reader.bytes.subarray(start, this.offset), field, start);
  }

  /**
   * quoted-string, RFC 9110 section 5.6.4; the cursor stands on the opening quote.
   *
   * @param reading `plain`: there are no quoted-pairs. `oneByte`: what is not UTF-8 is ISO 8859-1
   */
  quotedString(reading: { readonly plain: boolean; readonly oneByte: boolean }): DigestField {
    const start = this.offset;
    const { bytes } = this.#reader;
    this.advance();
    const first = this.offset;
    let pairs = false;
    for (;;) {
      const byte = this.peek();
      if (byte === QUOTE) break;
      if (byte === undefined) throw new MalformedTokenError('quoted-string', 'has no closing quote', start);
      this.advance();
      if (byte === BACKSLASH && !reading.plain) {
        pairs = true;
        // An escaped quote does not close the string.
        const escaped = this.peek();
        if (escaped === QUOTE || escaped === BACKSLASH) this.advance();
      }
    }
    const raw = text(bytes.subarray(first, this.offset), 'quoted-string', first, reading.oneByte);
    this.advance();
    if (!pairs) return { value: raw, literal: raw, raw, quoted: true };
    return {
      value: raw.replaceAll(/\\([\s\S])/g, '$1'),
      literal: raw.replaceAll(/\\(["\\])/g, '$1'),
      raw,
      quoted: true,
    };
  }
}

function text(bytes: Uint8Array, field: string, offset: number, oneByte = false): string {
  const isText = isUtf8(bytes);
  if (!isText && !oneByte) throw new MalformedTokenError(field, 'is not UTF-8', offset);
  const decoded = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(isText ? 'utf8' : 'latin1');
  if (hasControlCharacter(decoded)) throw new MalformedTokenError(field, 'has a control character', offset);
  return decoded;
}
