/** The mechanisms that Negotiate can run, recognised by their object identifier or by their first token. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import {
  OID_KERBEROS,
  OID_KERBEROS_MICROSOFT,
  OID_KERBEROS_USER_TO_USER,
  OID_NEGOEX,
  OID_NTLM,
  OID_SPNEGO,
} from '../../formats/object-identifiers.ts';
import { decodeInitialToken } from '../../formats/spnego.ts';
import type { InitialToken } from '../../formats/spnego.ts';

/** Name of an inner package, as its SecurityPackageInfo spells it. */
export type Mechanism = 'Kerberos' | 'NTLM';

/** Whether a package can run inside Negotiate: SPNEGO has an object identifier for it. */
export function isMechanism(packageName: string): packageName is Mechanism {
  return packageName === 'Kerberos' || packageName === 'NTLM';
}

/**
 * The mechanism of an object identifier in mechTypes. Both Kerberos identifiers mean Kerberos (MS-SPNG 3.2.5).
 * User-to-user, NEGOEX and SPNEGO itself are not mechanisms here (attacks B09, D19).
 *
 * @param oid in dotted form
 */
export function mechanismOf(oid: string): Mechanism | undefined {
  switch (oid) {
    case OID_KERBEROS:
    case OID_KERBEROS_MICROSOFT:
      return 'Kerberos';
    case OID_NTLM:
      return 'NTLM';
    default:
      return undefined;
  }
}

/** A readable name of an object identifier: the name of its mechanism, or the identifier in dotted form. */
export function mechanismName(oid: string): string {
  return mechanismOf(oid) ?? otherNames.get(oid) ?? oid;
}

const otherNames: ReadonlyMap<string, string> = new Map([
  [OID_SPNEGO, 'SPNEGO'],
  [OID_NEGOEX, 'NEGOEX'],
  [OID_KERBEROS_USER_TO_USER, 'Kerberos user-to-user'],
]);

/** What a client's first token is; for SPNEGO with its frame decoded. */
export type FirstToken =
  | { readonly kind: 'SPNEGO'; readonly initial: InitialToken }
  | { readonly kind: Mechanism }
  | { readonly kind: 'unknown' };

/** Signature field of every NTLM message, MS-NLMP 2.2.1: `NTLMSSP` and a zero byte. */
const NTLM_SIGNATURE = Uint8Array.of(0x4e, 0x54, 0x4c, 0x4d, 0x53, 0x53, 0x50, 0x00);

/** Recognises a first token by its own bytes, never by an object identifier outside of it (attack B10). */
export function firstTokenOf(token: Uint8Array): FirstToken {
  // The first byte is enough for most tokens: no SPNEGO or Kerberos token begins with 'N'.
  if (token[0] === NTLM_SIGNATURE[0] && NTLM_SIGNATURE.every((byte, index) => token[index] === byte)) {
    return { kind: 'NTLM' };
  }
  try {
    const initial = decodeInitialToken(token);
    if (initial.mechanism === OID_SPNEGO) return { kind: 'SPNEGO', initial };
    return { kind: mechanismOf(initial.mechanism) === 'Kerberos' ? 'Kerberos' : 'unknown' };
  } catch (error) {
    if (error instanceof MalformedTokenError) return { kind: 'unknown' };
    throw error;
  }
}
