/** What an established Kerberos context answers to QueryContextAttributes. */
import {
  SECPKG_ATTR_CLIENT_SPECIFIED_TARGET,
  SECPKG_ATTR_FLAGS,
  SECPKG_ATTR_LIFESPAN,
  SECPKG_ATTR_NAMES,
  SECPKG_ATTR_NATIVE_NAMES,
  SECPKG_ATTR_NEGOTIATION_INFO,
  SECPKG_ATTR_PACKAGE_INFO,
  SECPKG_ATTR_SESSION_KEY,
  SECPKG_ATTR_SIZES,
  SECPKG_NEGOTIATION_COMPLETE,
} from '../sspi/attributes.ts';
import type {
  ContextAttribute,
  ContextAttributeValues,
  ContextSizes,
  SecurityPackageInfo,
} from '../sspi/attributes.ts';
import type { SecurityContextToken } from '../sspi/security-context-token.ts';
import type { Answer } from '../sspi/security-package.ts';
import * as Status from '../sspi/status.ts';
import { kerberosPackageInfo, MAX_TOKEN_BYTES } from './package-info.ts';

/** What is known of a context since it was accepted. */
export interface KerberosFacts {
  /** ASC_RET_* bits. */
  readonly attributes: number;
  readonly token: SecurityContextToken;
  /** `user@REALM`. */
  readonly client: string;
  /** The principal whose key decrypted the ticket: `HTTP/host@REALM`. The name in the ticket itself is not encrypted. */
  readonly service: string;
  /** Encryption type of the key that protects messages. */
  readonly encryptionType: number;
  /** When the context was accepted, in milliseconds since 1970-01-01 UTC. */
  readonly start: number;
  readonly expiry: Date | undefined;
}

const ok = <T>(value: T): Answer<T> => ({ status: Status.SEC_E_OK, value });
const unsupported = { status: Status.SEC_E_UNSUPPORTED_FUNCTION };

/**
 * Answers a query.
 *
 * @param sessionKey gives a copy of the key that protects messages; undefined if there is none
 * @param packageInfo of the package that made the context
 */
export function answerKerberosAttribute<A extends ContextAttribute>(
  facts: KerberosFacts,
  attribute: A,
  sessionKey: () => Uint8Array | undefined,
  packageInfo: SecurityPackageInfo = kerberosPackageInfo,
): Answer<ContextAttributeValues[A]> {
  return answer(facts, attribute, sessionKey, packageInfo) as Answer<ContextAttributeValues[A]>;
}

function answer(
  facts: KerberosFacts,
  attribute: ContextAttribute,
  sessionKey: () => Uint8Array | undefined,
  packageInfo: SecurityPackageInfo,
): Answer<ContextAttributeValues[ContextAttribute]> {
  const { client, service, start, expiry, attributes, token } = facts;
  switch (attribute) {
    case SECPKG_ATTR_SIZES:
      return ok(contextSizes(facts.encryptionType));
    case SECPKG_ATTR_NAMES:
      return ok(token.domain === undefined ? client : `${token.domain}\\${token.userName}`);
    case SECPKG_ATTR_LIFESPAN:
      return ok({ start: new Date(start), expiry });
    case SECPKG_ATTR_SESSION_KEY: {
      const key = sessionKey();
      return key === undefined ? unsupported : ok(key);
    }
    case SECPKG_ATTR_PACKAGE_INFO:
      return ok(packageInfo);
    case SECPKG_ATTR_NEGOTIATION_INFO:
      return ok({ package: packageInfo, state: SECPKG_NEGOTIATION_COMPLETE });
    case SECPKG_ATTR_NATIVE_NAMES:
      return ok({ client, server: service });
    case SECPKG_ATTR_FLAGS:
      return ok(attributes);
    case SECPKG_ATTR_CLIENT_SPECIFIED_TARGET:
      return ok(service);
    default:
      return unsupported;
  }
}

/** Size of the checksum of each encryption type, in bytes: RFC 3962, RFC 8009, RFC 6803. */
const checksumBytes: ReadonlyMap<number, number> = new Map([
  [17, 12],
  [18, 12],
  [19, 16],
  [20, 24],
  [25, 16],
  [26, 16],
]);

/** Sizes in bytes: RFC 4121 section 4.2. The tokens of RC4 are those of RFC 4757 section 7. */
function contextSizes(encryptionType: number): ContextSizes {
  const checksum = checksumBytes.get(encryptionType);
  // Trailer: header 16, confounder 16, encrypted copy of the header 16. RC4: framing 13, token 32, padding up to 8.
  return checksum === undefined
    ? { maxToken: MAX_TOKEN_BYTES, maxSignature: 37, blockSize: 8, securityTrailer: 53 }
    : { maxToken: MAX_TOKEN_BYTES, maxSignature: 16 + checksum, blockSize: 1, securityTrailer: 48 + checksum };
}
