/** PrincipalName and Realm as they stand in a message, for those who write them again or compare them. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { contextTag, DER_GENERAL_STRING, onlySequence } from '../der.ts';
import type { DerReader } from '../der.ts';
import { escapeComponent, kerberosString } from './principal.ts';
import type { Principal } from './principal.ts';

/** A principal in parts. All bytes are UTF-8. */
export interface PrincipalParts {
  readonly nameType: number;
  readonly components: readonly string[];
  readonly realm: string;
}

/** A name may have at most this many components. Real ones have one to three. */
const MAX_COMPONENTS = 32;

/**
 * PrincipalName, RFC 4120 section 5.2.2.
 *
 * @param wrapper the element around it
 * @throws MalformedTokenError for a name without components, with too many, or with bytes that are not UTF-8
 */
export function decodePrincipalName(wrapper: DerReader, field: string): Omit<PrincipalParts, 'realm'> {
  const reader = onlySequence(wrapper, field);
  const nameType = reader.explicitInteger(contextTag(0), field);
  const names = onlySequence(reader.enter(contextTag(1), field), field);
  reader.expectEnd(field);
  const components: string[] = [];
  while (names.remaining > 0) components.push(kerberosString(names.content(DER_GENERAL_STRING, field), field));
  if (components.length === 0 || components.length > MAX_COMPONENTS) {
    throw new MalformedTokenError(field, `has ${components.length} components`);
  }
  return { nameType, components };
}

/** The principal as text; two different principals never have the same (attacks D18, D22). */
export function principalOf({ components, realm }: PrincipalParts): Principal {
  return { name: components.map(escapeComponent).join('/'), realm };
}

/** `name@REALM`, as krb5_unparse_name writes it. */
export function principalText({ name, realm }: Principal): string {
  return `${name}@${escapeComponent(realm)}`;
}

/** Whether two principals are the same. The name type says nothing about that (RFC 4120 section 6.2). */
export function isSamePrincipal(a: PrincipalParts, b: PrincipalParts): boolean {
  return (
    a.realm === b.realm &&
    a.components.length === b.components.length &&
    a.components.every((component, index) => component === b.components[index])
  );
}
