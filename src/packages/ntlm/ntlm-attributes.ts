/** Attributes of an established NTLM context (QueryContextAttributes), and its ASC_RET_* bits. */
import {
  NTLMSSP_NEGOTIATE_IDENTIFY,
  NTLMSSP_NEGOTIATE_SEAL,
  NTLMSSP_NEGOTIATE_SIGN,
} from '../../formats/ntlm/negotiate-flags.ts';
import * as Attribute from '../../sspi/attributes.ts';
import type { ContextAttribute, ContextAttributeValues } from '../../sspi/attributes.ts';
import * as Requirement from '../../sspi/requirements.ts';
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';
import type { Answer } from '../../sspi/security-package.ts';
import { SEC_E_OK, SEC_E_UNSUPPORTED_FUNCTION } from '../../sspi/status.ts';
import { SIGNATURE_BYTES } from './ntlm-message-security.ts';
import { ntlmPackageInfo } from './ntlm-package-info.ts';

/** What is known about an established context. */
export interface EstablishedFacts {
  readonly token: SecurityContextToken;
  /** NetBIOS name of the server. */
  readonly computerName: string;
  /** ExportedSessionKey, 16 bytes. */
  readonly exportedSessionKey: Uint8Array;
  /** ASC_RET_* bits. */
  readonly attributes: number;
  /** MsvAvTargetName; empty if the client sent none or marked it as untrusted (MsvAvFlags 4). */
  readonly target: string;
  readonly start: Date;
}

/** ASC_RET_* bits of the finished context. Signed messages have numbers, so replays and wrong order are detected. */
export function contextAttributes(flags: number, requirements: number): number {
  let attributes = 0;
  if ((flags & (NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL)) !== 0) {
    attributes |=
      Requirement.ASC_RET_INTEGRITY | Requirement.ASC_RET_REPLAY_DETECT | Requirement.ASC_RET_SEQUENCE_DETECT;
  }
  if ((flags & NTLMSSP_NEGOTIATE_SEAL) !== 0) attributes |= Requirement.ASC_RET_CONFIDENTIALITY;
  if ((flags & NTLMSSP_NEGOTIATE_IDENTIFY) !== 0) attributes |= Requirement.ASC_RET_IDENTIFY;
  if ((requirements & Requirement.ASC_REQ_CONNECTION) !== 0) attributes |= Requirement.ASC_RET_CONNECTION;
  return attributes >>> 0;
}

type Readers = { readonly [A in ContextAttribute]?: (facts: EstablishedFacts) => ContextAttributeValues[A] };

function clientName({ token }: EstablishedFacts): string {
  return token.domain === undefined ? token.userName : `${token.domain}\\${token.userName}`;
}

const readers: Readers = {
  [Attribute.SECPKG_ATTR_SIZES]: () => ({
    maxToken: ntlmPackageInfo.maxToken,
    maxSignature: SIGNATURE_BYTES,
    blockSize: 0,
    securityTrailer: SIGNATURE_BYTES,
  }),
  [Attribute.SECPKG_ATTR_NAMES]: clientName,
  [Attribute.SECPKG_ATTR_LIFESPAN]: ({ start }) => ({ start: new Date(start), expiry: undefined }),
  [Attribute.SECPKG_ATTR_SESSION_KEY]: ({ exportedSessionKey }) => new Uint8Array(exportedSessionKey),
  [Attribute.SECPKG_ATTR_PACKAGE_INFO]: () => ntlmPackageInfo,
  [Attribute.SECPKG_ATTR_NEGOTIATION_INFO]: () => ({
    package: ntlmPackageInfo,
    state: Attribute.SECPKG_NEGOTIATION_COMPLETE,
  }),
  [Attribute.SECPKG_ATTR_NATIVE_NAMES]: (facts) => ({ client: clientName(facts), server: facts.computerName }),
  [Attribute.SECPKG_ATTR_FLAGS]: ({ attributes }) => attributes,
  [Attribute.SECPKG_ATTR_CLIENT_SPECIFIED_TARGET]: ({ target }) => target,
};

/** Answers the query for one attribute; SEC_E_UNSUPPORTED_FUNCTION if NTLM does not have it. */
export function answerAttribute<A extends ContextAttribute>(
  facts: EstablishedFacts,
  attribute: A,
): Answer<ContextAttributeValues[A]> {
  if (!Object.hasOwn(readers, attribute)) return { status: SEC_E_UNSUPPORTED_FUNCTION };
  const read = readers[attribute] as (facts: EstablishedFacts) => ContextAttributeValues[A];
  return { status: SEC_E_OK, value: read(facts) };
}
