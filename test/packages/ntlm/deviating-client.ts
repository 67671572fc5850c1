/** An NTLM client that does as it is told, and the handshake in which it does. */
import assert from 'node:assert/strict';
import type { NtlmAuthData } from '../../../src/packages/ntlm/ntlm-auth-data.ts';
import { freeCredentialsHandle, SEC_E_OK, SEC_I_CONTINUE_NEEDED } from '../../../src/sspi/index.ts';
import type { AcceptSecurityContextResult } from '../../../src/sspi/index.ts';
import { authenticateMessage, negotiateMessage, WINDOWS_FLAGS } from './ntlm-client.ts';
import type { ClientOptions } from './ntlm-client.ts';
import { credential, leg, tokenOf } from './ntlm-server.ts';

/** The one that is accepted. */
export const right: ClientOptions = { userName: 'User', domain: 'Domain', password: 'Password', mic: true };

/** The first message of all attempts that bring none of their own. */
export const type1 = negotiateMessage(WINDOWS_FLAGS);

/** How an attempt differs, beside its client. */
export interface Attempt {
  readonly authData?: Partial<NtlmAuthData>;
  readonly negotiate?: Uint8Array;
  readonly requirements?: number;
  /** Changes the finished message. */
  readonly alter?: (message: Uint8Array) => Uint8Array;
}

/** A handshake with a client that deviates; the result of its last leg. */
export function attempt(client: ClientOptions, how: Attempt = {}): AcceptSecurityContextResult {
  const handle = credential(how.authData);
  const negotiate = how.negotiate ?? type1;
  const first = leg(handle, undefined, negotiate);
  assert.equal(first.status, SEC_I_CONTINUE_NEEDED);
  const { message } = authenticateMessage(negotiate, tokenOf(first), client);
  const last = leg(handle, first.context, how.alter?.(message) ?? message, { requirements: how.requirements ?? 0 });
  freeCredentialsHandle(handle);
  if (last.status !== SEC_E_OK) assert.equal(last.context, undefined);
  return last;
}

/** The message with a 16- or 32-bit little-endian number changed. */
export const patch =
  (at: number, bits: 16 | 32, value: number) =>
  (message: Uint8Array): Uint8Array => {
    const copy = message.slice();
    const view = new DataView(copy.buffer);
    if (bits === 16) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    return copy;
  };
