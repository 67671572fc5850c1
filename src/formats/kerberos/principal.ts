/** Names of principals: in ASN.1, and as text in the form of krb5_unparse_name of MIT krb5. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { contextTag, DER_GENERAL_STRING, onlySequence } from '../der.ts';
import type { DerReader } from '../der.ts';
import { decodeUtf8 } from '../utf8.ts';

/** A principal: name and realm. */
export interface Principal {
  /** Components joined by `/`. Characters that would be ambiguous are escaped with `\` (attack D18). */
  readonly name: string;
  readonly realm: string;
}

/** Splits `name@REALM` at the `@` that is not escaped; undefined if there is none. */
export function parsePrincipal(text: string): Principal | undefined {
  const match = /^((?:[^\\@]|\\.)+)@((?:[^\\@]|\\.)+)$/s.exec(text);
  const [, name, realm] = match ?? [];
  return name === undefined || realm === undefined ? undefined : { name, realm };
}

const SHORT_NAME_BYTES = 64;

/** Decodes ASCII, which nearly all names are; undefined for anything else. */
function asciiText(bytes: Uint8Array): string | undefined {
  for (const byte of bytes) if (byte >= 0x80) return undefined;
  const view = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.toString('latin1');
}

/**
 * KerberosString, RFC 4120 section 5.2.1. Windows writes UTF-8 into it.
 *
 * @throws MalformedTokenError if the bytes are not UTF-8
 */
export function kerberosString(bytes: Uint8Array, field: string): string {
  if (bytes.byteLength <= SHORT_NAME_BYTES) {
    const text = asciiText(bytes);
    if (text !== undefined) return text;
  }
  return decodeUtf8(bytes, field);
}

/**
 * PrincipalName, RFC 4120 section 5.2.2.
 *
 * @param wrapper the element around it
 * @returns its components as text, as in Principal.name
 */
export function principalName(wrapper: DerReader, field: string): string {
  const reader = onlySequence(wrapper, field);
  reader.explicitInteger(contextTag(0), field);
  const names = onlySequence(reader.enter(contextTag(1), field), field);
  reader.expectEnd(field);
  const at = names.offset;
  let name: string | undefined;
  while (names.remaining > 0) {
    const component = escapeComponent(kerberosString(names.content(DER_GENERAL_STRING, field), field));
    name = name === undefined ? component : `${name}/${component}`;
  }
  if (name === undefined) throw new MalformedTokenError(field, 'has no components', at);
  return name;
}

const ambiguous = /[\\/@]/;
const ambiguousAll = /[\\/@]/g;

/** Escapes a component as krb5_unparse_name does, so that two different names never look the same (attack D18). */
export function escapeComponent(component: string): string {
  return ambiguous.test(component) ? component.replace(ambiguousAll, '\\$&') : component;
}

/**
 * Splits the text of a principal into its components, as krb5_parse_name does: `\` takes the meaning from the character
 * that follows.
 *
 * @returns components without escapes; `realm` undefined if there is no `@`
 */
export function splitPrincipal(text: string): { readonly components: string[]; readonly realm: string | undefined } {
  const parts = [''];
  let realm: string | undefined;
  for (const [part] of text.matchAll(/\\.|[^\\]/gs)) {
    const character = part.length > 1 ? part.slice(1) : part;
    if (realm !== undefined) realm += character;
    else if (part === '@') realm = '';
    else if (part === '/') parts.push('');
    else parts.push(`${parts.pop() ?? ''}${character}`);
  }
  return { components: parts, realm };
}
