/** Digest credentials, RFC 7616 section 3.4: the parameters of `Authorization: Digest` as values. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { hasControlCharacter } from '../../foundation/text.ts';
import { DIGEST_FIELDS_MAX_BYTES, parseDigestFields } from './fields.ts';
import type { DigestField } from './fields.ts';

/** What a client sent. Only its form is checked: no value has been compared with what the server offered. */
export interface DigestCredentials {
  /**
   * The possible readings of the user name, in the order to try them. The first is decoded as RFC 9110 says. The second
   * keeps single backslashes (MS-DPSP section 2.2); it is there only if it differs.
   */
  readonly userNames: readonly [string] | readonly [string, string];
  /** `username` is a hash of name and realm, section 3.4.4. */
  readonly userHash: boolean;
  /** The possible readings of the realm: clients quote it back in different ways. */
  readonly realms: readonly string[];
  readonly nonce: string;
  /**
   * The possible readings of `uri`, the one of RFC 9110 first. Most clients write the octets of the request line as they
   * are, and a backslash among them is no quoted-pair.
   */
  readonly uris: readonly [string, ...string[]];
  /** Hexadecimal digits in either case, at least one. */
  readonly response: string;
  /** As sent; `MD5` if it is missing (section 3.3). */
  readonly algorithm: string;
  /** Not empty. */
  readonly clientNonce: string;
  /** As sent, for example `auth`. One token. */
  readonly qualityOfProtection: string;
  /** `nc` as sent, because the response covers these characters: eight hexadecimal digits. */
  readonly nonceCount: string;
  readonly opaque: string | undefined;
}

/**
 * Reads credentials.
 *
 * `qop`, `nc` and `cnonce` are mandatory here, as in RFC 7616. RFC 2617 made them optional for the sake of RFC 2069
 * (attacks E04, E05).
 *
 * @param bytes what follows `Digest ` in the header field
 * @throws MalformedTokenError if the list or a value breaks its grammar, or a mandatory parameter is missing
 */
export function parseDigestCredentials(bytes: Uint8Array): DigestCredentials {
  const fields = parseDigestFields(bytes);
  const userHash = fields.get('userhash')?.value.toLowerCase() ?? 'false';
  if (userHash !== 'true' && userHash !== 'false') {
    throw new MalformedTokenError('userhash', 'is neither "true" nor "false"');
  }
  return {
    userNames: userNames(fields),
    userHash: userHash === 'true',
    realms: readings(fields, 'realm'),
    nonce: mandatory(fields, 'nonce'),
    uris: readings(fields, 'uri'),
    response: matching(fields, 'response', /^[0-9a-f]+$/i),
    algorithm: fields.get('algorithm')?.value ?? 'MD5',
    clientNonce: matching(fields, 'cnonce', /^./u),
    qualityOfProtection: matching(fields, 'qop', /^[0-9a-z-]+$/i),
    nonceCount: matching(fields, 'nc', /^[0-9a-f]{8}$/i),
    opaque: fields.get('opaque')?.value,
  };
}

type Fields = ReadonlyMap<string, DigestField>;

function mandatory(fields: Fields, name: string): string {
  return mandatoryField(fields, name).value;
}

function mandatoryField(fields: Fields, name: string): DigestField {
  const field = fields.get(name);
  if (field === undefined) throw new MalformedTokenError(name, 'is missing');
  return field;
}

/** What a value may mean, each reading once. */
function readings(fields: Fields, name: string): readonly [string, ...string[]] {
  const { value, literal, raw } = mandatoryField(fields, name);
  return [value, ...[literal, raw].filter((other, index, all) => other !== value && all.indexOf(other) === index)];
}

function matching(fields: Fields, name: string, form: RegExp): string {
  const value = mandatory(fields, name);
  if (!form.test(value)) throw new MalformedTokenError(name, 'does not have its form');
  return value;
}

function userNames(fields: Fields): DigestCredentials['userNames'] {
  const plain = fields.get('username');
  const extended = fields.get('username*');
  if (plain !== undefined && extended !== undefined) throw new MalformedTokenError('username', 'is given twice');
  if (extended !== undefined) return [extendedValue(extended)];
  if (plain === undefined) throw new MalformedTokenError('username', 'is missing');
  return plain.literal === plain.value ? [plain.value] : [plain.value, plain.literal];
}

/** A name as long as it may be, in quotes or not, at the beginning of a parameter. */
const claimedName = /(?:^|[\s,])username\*?\s*=\s*(?:"((?:[^"\\]|\\.){0,256})|([^\s",]{1,256}))/i;

/**
 * The user name of credentials that cannot be read: as far as it can be found, for the log of the server only.
 *
 * @param bytes what follows `Digest ` in the header field
 */
export function claimedUserName(bytes: Uint8Array): string | undefined {
  const [, quoted, token] = claimedName.exec(Buffer.from(bytes.subarray(0, DIGEST_FIELDS_MAX_BYTES)).toString()) ?? [];
  return quoted ?? token;
}

/** ext-value of RFC 5987 section 3.2.1, with UTF-8 only, as RFC 7616 section 3.4 restricts it (attack E14). */
function extendedValue({ value, quoted }: DigestField): string {
  const parts = /^utf-8'[0-9a-z-]*'((?:[0-9a-z!#$&+.^_`|~-]|%[0-9a-f]{2})*)$/i.exec(value);
  if (quoted || parts?.[1] === undefined) throw new MalformedTokenError('username*', 'is not an ext-value in UTF-8');
  let decoded: string;
  try {
    decoded = decodeURIComponent(parts[1]);
  } catch {
    throw new MalformedTokenError('username*', 'is not UTF-8');
  }
  if (hasControlCharacter(decoded)) throw new MalformedTokenError('username*', 'has a control character');
  return decoded;
}
