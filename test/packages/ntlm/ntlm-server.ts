/** An NTLM credential with a fixed clock and known accounts, and the legs of a handshake through the contract. */
import { memoryAccounts } from '../../../src/accounts/memory-accounts.ts';
import { ntlmPackage } from '../../../src/packages/ntlm/ntlm-package.ts';
import type { NtlmAuthData } from '../../../src/packages/ntlm/ntlm-auth-data.ts';
import {
  acceptSecurityContext,
  acquireCredentialsHandle,
  ASC_REQ_CONNECTION,
  SECBUFFER_TOKEN,
  SECURITY_NATIVE_DREP,
} from '../../../src/sspi/index.ts';
import type {
  AcceptSecurityContextResult,
  Clock,
  ContextHandle,
  CredentialHandle,
  SecBuffer,
} from '../../../src/sspi/index.ts';

/** A clock that stands still. */
export const clockAt = (milliseconds: number): Clock => ({ now: () => milliseconds, elapsed: () => 0 });

export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

export const accounts = memoryAccounts([
  { userName: 'User', domain: 'Domain', password: 'Password', sid: 'S-1-5-21-1-2-3-1104', groups: ['Domain\\Staff'] },
  { userName: 'alice', password: 'wonderland' },
]);

/** A credential; what is not given is that of the test domain. */
export function credential(authData: Partial<NtlmAuthData> = {}): CredentialHandle {
  const handle = acquireCredentialsHandle({
    package: ntlmPackage,
    credentialUse: 'inbound',
    authData: { accounts, domain: 'Domain', computerName: 'Server', clock: clockAt(NOW), ...authData },
  });
  if (handle instanceof Promise) throw new Error('NTLM acquires its credential at once');
  return handle;
}

/** One leg; the account source of these tests answers at once, so the result is no promise. */
export function leg(
  handle: CredentialHandle,
  context: ContextHandle | undefined,
  token: Uint8Array,
  options: { readonly requirements?: number; readonly buffers?: readonly SecBuffer[] } = {},
): AcceptSecurityContextResult {
  const result = acceptSecurityContext({
    credential: handle,
    context,
    input: [{ type: SECBUFFER_TOKEN, data: token }, ...(options.buffers ?? [])],
    requirements: options.requirements ?? ASC_REQ_CONNECTION,
    targetDataRep: SECURITY_NATIVE_DREP,
  });
  if (result instanceof Promise) throw new Error('a synchronous source must be answered synchronously');
  return result;
}

/** The token of a result that has one. */
export function tokenOf(result: AcceptSecurityContextResult): Uint8Array {
  const token = result.output.find(({ type }) => type === SECBUFFER_TOKEN);
  if (token === undefined) throw new Error('no token');
  return token.data;
}
