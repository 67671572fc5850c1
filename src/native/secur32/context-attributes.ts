/** QueryContextAttributesW. Each attribute is decoded from the structure that its documentation names. */
import type { ContextAttribute, ContextAttributeValues } from '../../sspi/attributes.ts';
import * as Attribute from '../../sspi/attributes.ts';
import type { Answer } from '../../sspi/security-package.ts';
import { SEC_E_INTERNAL_ERROR, SEC_E_OK, SEC_E_UNSUPPORTED_FUNCTION } from '../../sspi/status.ts';
import { AttributeMemory } from './attribute-memory.ts';
import type { AttributeReaders } from './attribute-memory.ts';
import { layouts, WINPR_AUTH_IDENTITY_FIELD_BYTES, WINPR_SECPKG_ATTR_AUTH_IDENTITY } from './declarations.ts';
import type { Secur32Library } from './library.ts';
import { readPointer } from './native-handles.ts';
import { streamAttributeReaders } from './stream-attributes.ts';

const readers: AttributeReaders = {
  ...streamAttributeReaders,
  [Attribute.SECPKG_ATTR_SIZES]: (memory) => {
    const { offsets } = layouts.SecPkgContext_Sizes;
    return Object.freeze({
      maxToken: memory.u32(offsets.cbMaxToken),
      maxSignature: memory.u32(offsets.cbMaxSignature),
      blockSize: memory.u32(offsets.cbBlockSize),
      securityTrailer: memory.u32(offsets.cbSecurityTrailer),
    });
  },
  [Attribute.SECPKG_ATTR_NAMES]: (memory) => memory.text(layouts.SecPkgContext_NamesW.offsets.sUserName) || undefined,
  [Attribute.SECPKG_ATTR_LIFESPAN]: (memory) => {
    const start = memory.date(0);
    return start === undefined ? undefined : { start, expiry: memory.date(layouts.TimeStamp.size) };
  },
  [Attribute.SECPKG_ATTR_SESSION_KEY]: (memory) => {
    const { offsets } = layouts.SecPkgContext_SessionKey;
    return memory.bytes(offsets.SessionKey, memory.u32(offsets.SessionKeyLength));
  },
  [Attribute.SECPKG_ATTR_PACKAGE_INFO]: (memory) =>
    memory.packageInfo(layouts.SecPkgContext_PackageInfoW.offsets.PackageInfo),
  [Attribute.SECPKG_ATTR_NEGOTIATION_INFO]: (memory) => {
    const { offsets } = layouts.SecPkgContext_NegotiationInfoW;
    const info = memory.packageInfo(offsets.PackageInfo);
    return info === undefined ? undefined : { package: info, state: memory.u32(offsets.NegotiationState) };
  },
  [Attribute.SECPKG_ATTR_NATIVE_NAMES]: (memory) => {
    const { offsets } = layouts.SecPkgContext_NativeNamesW;
    return { client: memory.text(offsets.sClientName), server: memory.text(offsets.sServerName) };
  },
  [Attribute.SECPKG_ATTR_FLAGS]: (memory) => memory.u32(layouts.SecPkgContext_Flags.offsets.Flags),
  [Attribute.SECPKG_ATTR_ACCESS_TOKEN]: (memory) =>
    readPointer(memory.memory, layouts.SecPkgContext_AccessToken.offsets.AccessToken) || undefined,
  [Attribute.SECPKG_ATTR_CLIENT_SPECIFIED_TARGET]: (memory) =>
    memory.text(layouts.SecPkgContext_ClientSpecifiedTarget.offsets.sTargetName),
};

/**
 * Calls QueryContextAttributesW.
 *
 * @param context address of the CtxtHandle
 * @param attribute SECPKG_ATTR_* number
 * @returns SEC_E_OK with the value; SEC_E_UNSUPPORTED_FUNCTION if the attribute is not known here; SEC_E_INTERNAL_ERROR
 *   if the library reports success but gives no value; else the status of the library
 */
export function queryContextAttribute<A extends ContextAttribute>(
  library: Secur32Library,
  context: bigint,
  attribute: A,
): Answer<ContextAttributeValues[A]> {
  // A JavaScript caller can pass any number, and an unknown attribute could need more than ATTRIBUTE_BYTES.
  if (!Object.hasOwn(readers, attribute)) return { status: SEC_E_UNSUPPORTED_FUNCTION };
  const memory = new AttributeMemory(library, context, attribute);
  if (memory.status !== SEC_E_OK) return { status: memory.status };
  const read = readers[attribute] as (memory: AttributeMemory) => ContextAttributeValues[A] | undefined;
  const value = read(memory);
  return value === undefined ? { status: SEC_E_INTERNAL_ERROR } : { status: SEC_E_OK, value };
}

/** Name and domain of the client from WinPR, which has no SECPKG_ATTR_NAMES. Undefined for any other library. */
export function winprAuthIdentity(
  library: Secur32Library,
  context: bigint,
): { readonly userName: string; readonly domain: string } | undefined {
  // Not on Windows: a later version of Windows could use this number for another attribute.
  if (library.token !== undefined) return undefined;
  const { memory, status } = new AttributeMemory(library, context, WINPR_SECPKG_ATTR_AUTH_IDENTITY);
  if (status !== SEC_E_OK) return undefined;
  const text = (start: number): string => {
    const field = memory.subarray(start, start + WINPR_AUTH_IDENTITY_FIELD_BYTES);
    const end = field.indexOf(0);
    return end < 0 ? '' : field.toString('utf8', 0, end);
  };
  return { userName: text(0), domain: text(WINPR_AUTH_IDENTITY_FIELD_BYTES) };
}
