/** Attributes of an established CredSSP context: some are of TLS, the others of the package that verified the client. */
import * as Attribute from '../../sspi/attributes.ts';
import type { ContextAttribute, ContextAttributeValues } from '../../sspi/attributes.ts';
import type { Answer, PackageContext } from '../../sspi/security-package.ts';
import { SEC_E_OK } from '../../sspi/status.ts';
import { credsspPackageInfo } from './credssp-package-info.ts';

/** The contexts behind an established one. */
export interface EstablishedContexts {
  readonly tls: PackageContext;
  readonly negotiated: PackageContext;
  /** ASC_RET_* bits. */
  readonly attributes: number;
}

/** Messages are those of TLS, so what is about them is asked there. */
const ofTls: ReadonlySet<ContextAttribute> = new Set<ContextAttribute>([
  Attribute.SECPKG_ATTR_SIZES,
  Attribute.SECPKG_ATTR_STREAM_SIZES,
  Attribute.SECPKG_ATTR_UNIQUE_BINDINGS,
  Attribute.SECPKG_ATTR_ENDPOINT_BINDINGS,
  Attribute.SECPKG_ATTR_APPLICATION_PROTOCOL,
  Attribute.SECPKG_ATTR_REMOTE_CERT_CONTEXT,
  Attribute.SECPKG_ATTR_LOCAL_CERT_CONTEXT,
  Attribute.SECPKG_ATTR_CONNECTION_INFO,
  Attribute.SECPKG_ATTR_SESSION_INFO,
  Attribute.SECPKG_ATTR_CIPHER_INFO,
  Attribute.SECPKG_ATTR_KEYING_MATERIAL,
]);

/** NEGOTIATION_INFO names the package that verified the client: Kerberos or NTLM. */
export function answerAttribute<A extends ContextAttribute>(
  { tls, negotiated, attributes }: EstablishedContexts,
  attribute: A,
): Answer<ContextAttributeValues[A]> {
  const own = (value: unknown): Answer<ContextAttributeValues[A]> => ({
    status: SEC_E_OK,
    value: value as ContextAttributeValues[A],
  });
  if (attribute === Attribute.SECPKG_ATTR_PACKAGE_INFO) return own(credsspPackageInfo);
  if (attribute === Attribute.SECPKG_ATTR_FLAGS) return own(attributes);
  return (ofTls.has(attribute) ? tls : negotiated).queryAttribute(attribute);
}
