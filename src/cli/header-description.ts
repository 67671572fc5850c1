/** Describes values of Authorization and WWW-Authenticate for people. */
import { MalformedTokenError } from '../foundation/errors.ts';
import { decodeBase64 } from '../formats/base64.ts';
import { parseDigestFields } from '../formats/digest/fields.ts';
import type { DescribedField, Description } from './description.ts';
import { describeToken } from './token-description.ts';

/** `credentials` of a client (Authorization), or a `challenge` of a server (WWW-Authenticate). */
export type HeaderKind = 'credentials' | 'challenge';

/** One value of such a field. */
export interface DescribedHeader {
  /** As sent: `NTLM`, `Digest`. */
  readonly scheme: string;
  /** Size in bytes of the decoded token, or of the text of a parameter list; 0 if there is only the scheme. */
  readonly bytes: number;
  readonly description: Description;
}

/** scheme, and what follows it. RFC 9110 section 11.4. */
const headerForm = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?: +(.*))?$/s;

/**
 * Describes a value.
 *
 * @param value as node:http gives it: bytes as ISO 8859-1
 * @throws MalformedTokenError if it does not have the form of its scheme; the message contains nothing of the value
 */
export function describeHeader(kind: HeaderKind, value: string): DescribedHeader {
  const [, scheme, parameters = ''] = headerForm.exec(value.trim()) ?? [];
  if (scheme === undefined) throw new MalformedTokenError(kind, 'not of the form "scheme parameters"');
  if (parameters === '') {
    const title = kind === 'challenge' ? `${scheme} offered` : `${scheme} without a token`;
    return { scheme, bytes: 0, description: { title, highlights: [], fields: [] } };
  }
  switch (scheme.toLowerCase()) {
    case 'digest': {
      const bytes = Buffer.from(parameters, 'latin1');
      return { scheme, bytes: bytes.byteLength, description: describeDigest(kind, bytes) };
    }
    case 'basic': {
      const text = kind === 'challenge' ? parameters : 'user name and password in clear text; not shown';
      const description = { title: `Basic ${kind}`, highlights: [], fields: [{ name: kind, text }] };
      return { scheme, bytes: parameters.length, description };
    }
    default: {
      const token = decodeBase64(parameters);
      if (token === undefined) throw new MalformedTokenError(`${scheme} token`, 'is not base64');
      return { scheme, bytes: token.byteLength, description: describeToken(token) };
    }
  }
}

/** Long parameters, of which only the beginning is shown. */
const shortened: ReadonlySet<string> = new Set(['nonce', 'cnonce', 'opaque', 'nextnonce']);
/** Parameters that are not shown, because passwords can be guessed from them. */
const withheld: ReadonlySet<string> = new Set(['response', 'rspauth']);
/** How much of a shortened value is shown, in characters. */
const SHOWN_CHARACTERS = 12;

function describeDigest(kind: HeaderKind, bytes: Uint8Array): Description {
  const parameters = parseDigestFields(bytes);
  const value = (name: string): string | undefined => parameters.get(name)?.value;
  const fields: DescribedField[] = [];
  for (const [name, { value: text }] of parameters) {
    if (withheld.has(name)) fields.push({ name, text: `${text.length} hexadecimal digits, not shown` });
    else if (shortened.has(name)) fields.push({ name, text: shorten(text) });
    else fields.push({ name, text: text === '' ? '(empty)' : text });
  }
  const highlights = [value('algorithm') ?? 'MD5'];
  const quality = value('qop');
  if (quality !== undefined) highlights.push(`qop ${quality}`);
  if (value('stale')?.toLowerCase() === 'true') highlights.push('stale');
  if (value('userhash')?.toLowerCase() === 'true') highlights.push('userhash');
  return { title: `Digest ${kind}`, highlights, fields };
}

function shorten(text: string): string {
  if (text.length <= SHOWN_CHARACTERS + 4) return text;
  return `${text.slice(0, SHOWN_CHARACTERS)}… (${text.length} characters)`;
}
