/** What can be asked of an established context: QueryContextAttributes, QuerySecurityContextToken, impersonation. */
import type {
  ContextAttribute,
  ContextAttributeValues,
  SettableContextAttribute,
  SettableContextAttributeValues,
} from './attributes.ts';
import type { SecBuffer } from './buffers.ts';
import { contextRecord } from './handles.ts';
import type { ContextHandle, ContextRecord } from './handles.ts';
import type { SecurityContextToken } from './security-context-token.ts';
import type { Answer, DelegatedCredentials, PackageContext } from './security-package.ts';
import {
  SEC_E_INTERNAL_ERROR,
  SEC_E_INVALID_HANDLE,
  SEC_E_NO_CREDENTIALS,
  SEC_E_OK,
  SEC_E_UNSUPPORTED_FUNCTION,
} from './status.ts';

/**
 * The context of a handle, if it is established and no call runs on it. A half-open context answers no query (attack
 * B08).
 */
export function establishedContext(handle: ContextHandle): PackageContext | undefined {
  return establishedRecord(handle)?.context;
}

/** The same, with what the handle stands for. */
export function establishedRecord(handle: ContextHandle): ContextRecord | undefined {
  const record = contextRecord(handle);
  return record === undefined || record.busy || record.phase !== 'established' ? undefined : record;
}

/**
 * QueryContextAttributes.
 *
 * @param context an established context
 * @param attribute SECPKG_ATTR_*; the type of the value follows from it
 * @returns SEC_E_OK with the value; SEC_E_INVALID_HANDLE before the last leg or after deletion;
 *   SEC_E_UNSUPPORTED_FUNCTION if the package does not have the attribute
 */
export function queryContextAttributes<A extends ContextAttribute>(
  context: ContextHandle,
  attribute: A,
): Answer<ContextAttributeValues[A]> {
  const established = establishedContext(context);
  if (established === undefined) return { status: SEC_E_INVALID_HANDLE };
  try {
    return established.queryAttribute(attribute);
  } catch {
    return { status: SEC_E_INTERNAL_ERROR };
  }
}

/**
 * SetContextAttributes.
 *
 * @param context an established context
 * @param attribute SECPKG_ATTR_KEYING_MATERIAL_INFO, before SECPKG_ATTR_KEYING_MATERIAL is queried
 * @returns a status; SEC_E_UNSUPPORTED_FUNCTION if the package does not have the attribute, SEC_E_INVALID_PARAMETER if
 *   the value cannot be used
 */
export function setContextAttributes<A extends SettableContextAttribute>(
  context: ContextHandle,
  attribute: A,
  value: SettableContextAttributeValues[A],
): number {
  return statusOf(context, (established) => established.setAttribute?.(attribute, value));
}

/**
 * ApplyControlToken: tells the context what its next acceptSecurityContext makes. With SCHANNEL_SHUTDOWN the next call,
 * with empty input, gives the close_notify to send.
 *
 * @param context a context on which no call runs, established or not
 * @param input one SECBUFFER_TOKEN buffer: a DWORD SCHANNEL_*, or a structure that begins with one
 * @returns a status; SEC_E_UNSUPPORTED_FUNCTION if the package has no such tokens
 */
export function applyControlToken(context: ContextHandle, input: readonly SecBuffer[]): number {
  const record = contextRecord(context);
  if (record === undefined || record.busy) return SEC_E_INVALID_HANDLE;
  try {
    return (record.context.applyControlToken?.(input) ?? SEC_E_UNSUPPORTED_FUNCTION) >>> 0;
  } catch {
    return SEC_E_INTERNAL_ERROR;
  }
}

/**
 * QuerySecurityContextToken: the account of the client.
 *
 * @returns SEC_E_OK with a frozen value; other statuses as queryContextAttributes gives them
 */
export function querySecurityContextToken(context: ContextHandle): Answer<SecurityContextToken> {
  const established = establishedContext(context);
  if (established === undefined) return { status: SEC_E_INVALID_HANDLE };
  try {
    return established.queryToken();
  } catch {
    return { status: SEC_E_INTERNAL_ERROR };
  }
}

/**
 * ImpersonateSecurityContext: this thread acts as the client until revertSecurityContext. Only packages of the
 * operating system support it. All code between the two calls must be synchronous: Node serves all requests on one
 * thread.
 *
 * @returns a status; SEC_E_UNSUPPORTED_FUNCTION if the package does not support it
 */
export function impersonateSecurityContext(context: ContextHandle): number {
  return statusOf(context, (established) => established.impersonate?.());
}

/** RevertSecurityContext: this thread acts as the server's own account again. */
export function revertSecurityContext(context: ContextHandle): number {
  return statusOf(context, (established) => established.revert?.());
}

function statusOf(context: ContextHandle, act: (established: PackageContext) => number | undefined): number {
  const established = establishedContext(context);
  if (established === undefined) return SEC_E_INVALID_HANDLE;
  try {
    return (act(established) ?? SEC_E_UNSUPPORTED_FUNCTION) >>> 0;
  } catch {
    return SEC_E_INTERNAL_ERROR;
  }
}

/** Whether the context must be kept after its handshake, for as long as its client may send requests. */
export function outlivesHandshake(context: ContextHandle): boolean {
  return establishedContext(context)?.keepAfterHandshake === true;
}

/** What a context holds whose package cannot tell: as much as the largest first message of NTLM. */
const UNKNOWN_BYTES = 4096;

/** How many bytes of messages a context holds, half open or not; an estimate where its package cannot tell. */
export function heldBytes(context: ContextHandle): number {
  const record = contextRecord(context);
  return record === undefined ? 0 : (record.context.heldBytes ?? UNKNOWN_BYTES);
}

/**
 * The credentials that the client delegated with this context. Their cache is destroyed when the context is deleted.
 *
 * @returns SEC_E_OK with the cache; SEC_E_NO_CREDENTIALS if nothing was delegated or delegation is not enabled;
 *   SEC_E_INVALID_HANDLE before the last leg or after deletion
 */
export function queryDelegatedCredentials(context: ContextHandle): Answer<DelegatedCredentials> {
  const established = establishedContext(context);
  if (established === undefined) return { status: SEC_E_INVALID_HANDLE };
  const value = established.delegatedCredentials;
  return value === undefined ? { status: SEC_E_NO_CREDENTIALS } : { status: SEC_E_OK, value };
}
