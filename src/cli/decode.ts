/** `sspi-auth decode`: shows a pasted text as trees. */
import { MalformedTokenError } from '../foundation/errors.ts';
import { decodeBase64 } from '../formats/base64.ts';
import { descriptionLines } from './description.ts';
import type { Description } from './description.ts';
import { describeHeader } from './header-description.ts';
import type { HeaderKind } from './header-description.ts';
import { describeToken } from './token-description.ts';

/** A header field on a line of its own, or a line of `curl -v`, which begins with `>` or `<`. */
const fieldLine = /^\s*(?:[<>*]\s*)?(?:proxy-)?(authorization|www-authenticate|authenticate)\s*:\s*(.*?)\s*$/i;
/** The value of such a field. */
const fieldValue = /^(?:ntlm|negotiate|kerberos|digest|basic)(?:\s|$)/i;

/**
 * Decodes a text: a token in base64 or hexadecimal, the value of an Authorization or WWW-Authenticate field, or any
 * text with such fields on lines of their own.
 *
 * @returns trees for a terminal, a blank line between them
 * @throws MalformedTokenError if something cannot be decoded; the message says which field at which offset
 */
export function decodeText(text: string): string {
  const fields = text.split('\n').flatMap((line) => {
    const [, name, value] = fieldLine.exec(line) ?? [];
    if (name === undefined || value === undefined) return [];
    if (name.toLowerCase() === 'authorization') return [describeField('credentials', value)];
    return splitChallenges(value).map((challenge) => describeField('challenge', challenge));
  });
  const found = fields.length > 0 ? fields : [describeAlone(unquoted(text))];
  return `${found.map((description) => descriptionLines(description).join('\n')).join('\n\n')}\n`;
}

/** A comma after which another scheme begins: alone, with a token, or with its first parameter. */
const nextChallenge = /,\s*(?=(?:ntlm|negotiate|kerberos|digest|basic)(?:\s*(?:,|$)|\s+[^\s=]))/i;
/** A quoted string, in which a comma does not separate, or the text between two of them. RFC 9110 section 5.6.4. */
const quotedOrNot = /"(?:\\.|[^"\\])*"?|[^"]+/gs;

/** The challenges of one WWW-Authenticate field, RFC 9110 section 11.6.1: a proxy may have joined several lines. */
function splitChallenges(value: string): readonly string[] {
  const challenges: string[] = [];
  let current = '';
  for (const [part] of value.matchAll(quotedOrNot)) {
    const [first = '', ...rest] = part.startsWith('"') ? [part] : part.split(nextChallenge);
    current += first;
    for (const begun of rest) {
      challenges.push(current);
      current = begun;
    }
  }
  return [...challenges, current]
    .map((challenge) => challenge.replace(/^[,\s]+|[,\s]+$/g, ''))
    .filter((challenge) => challenge !== '');
}

/** Basic followed by anything but a parameter such as `realm="intranet"`: then it is a user name and a password. */
const basicCredentials = /^basic\s+(?![\w-]+\s*=["\w])\S/i;

function describeField(field: HeaderKind, value: string): Description {
  const kind = basicCredentials.test(value) ? 'credentials' : field;
  const { description, bytes } = describeHeader(kind, Buffer.from(value, 'utf8').toString('latin1'));
  return bytes === 0 ? description : { ...description, title: `${description.title}, ${bytes} bytes` };
}

function describeAlone(text: string): Description {
  if (fieldValue.test(text))
    return describeField(/\bresponse\s*=/i.test(text) ? 'credentials' : 'challenge', joined(text));
  const token = tokenBytes(text.replace(/\s+/g, ''));
  const description = describeToken(token);
  return { ...description, title: `${description.title}, ${token.byteLength} bytes` };
}

/** Joins a value whose base64 was broken into lines. A list of parameters keeps its spaces. */
function joined(text: string): string {
  if (/^(?:digest|basic)/i.test(text)) return text.replace(/\s+/g, ' ');
  const [scheme = '', ...rest] = text.split(/\s+/);
  return rest.length === 0 ? scheme : `${scheme} ${rest.join('')}`;
}

function unquoted(text: string): string {
  const trimmed = text.trim();
  const quote = trimmed[0];
  return (quote === '"' || quote === "'") && trimmed.endsWith(quote) ? trimmed.slice(1, -1).trim() : trimmed;
}

/** Hexadecimal that begins with `NTLMSSP`, `[APPLICATION 0]` or `[1]`. No token begins like this in base64. */
const hexadecimal = /^(?:4e544c4d53535000|60[0-9a-f]{2}|a1[0-9a-f]{2})(?:[0-9a-f]{2})*$/i;

function tokenBytes(text: string): Uint8Array {
  if (text === '') throw new MalformedTokenError('token', 'is empty');
  if (hexadecimal.test(text)) return Buffer.from(text, 'hex');
  const bytes = decodeBase64(text.padEnd(Math.ceil(text.length / 4) * 4, '='));
  if (bytes === undefined) throw new MalformedTokenError('token', 'is neither base64 nor hexadecimal');
  return bytes;
}
