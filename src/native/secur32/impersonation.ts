/** ImpersonateSecurityContext, with a check that the thread then really acts as the client. */
import { writeSync } from 'node:fs';
import { SEC_E_NO_IMPERSONATION, SEC_E_OK, statusName } from '../../sspi/status.ts';
import { koffi } from '../koffi.ts';
import { pointerBytes, SECURITY_IMPERSONATION, TOKEN_IMPERSONATION_LEVEL, TOKEN_QUERY } from './declarations.ts';
import type { Secur32Library, WindowsFunctions } from './library.ts';
import { readPointer, withAccessToken } from './native-handles.ts';

/**
 * Makes this thread act as the client of a context.
 *
 * Without the privilege SeImpersonatePrivilege, Windows lets the call succeed and gives the thread a token of level
 * SecurityIdentification: it tells who the client is, and every access fails with ERROR_BAD_IMPERSONATION_LEVEL (1346).
 * That is noticed here.
 *
 * @param context address of the CtxtHandle
 * @returns SEC_E_OK; SEC_E_NO_IMPERSONATION if the thread would only identify the client, and then acts as the server
 *   again; else the status of the library
 */
export function impersonate(library: Secur32Library, context: bigint): number {
  const { ImpersonateSecurityContext, RevertSecurityContext } = library.security;
  const status = ImpersonateSecurityContext(context) >>> 0;
  if (status !== SEC_E_OK || library.token === undefined || actsAsClient(library.token)) return status;
  const reverted = RevertSecurityContext(context) >>> 0;
  if (reverted !== SEC_E_OK) {
    // All later requests of this thread would be served under a token that is not the server's.
    try {
      writeSync(2, `sspi-auth: RevertSecurityContext failed (${statusName(reverted)}): the process ends\n`);
    } finally {
      process.abort();
    }
  }
  return SEC_E_NO_IMPERSONATION;
}

/** The level of the token of this thread, at least SecurityImpersonation. False if it cannot be read. */
function actsAsClient(functions: WindowsFunctions): boolean {
  const { address } = koffi();
  const memory = Buffer.alloc(pointerBytes);
  const thread = BigInt.asUintN(8 * pointerBytes, BigInt(functions.GetCurrentThread()));
  // As the process: under a token of a low level, the thread itself may not open it.
  const asSelf = 1;
  if (functions.OpenThreadToken(thread, TOKEN_QUERY, asSelf, address(memory)) === 0) return false;
  return withAccessToken(functions, readPointer(memory, 0), (token) => {
    const level = Buffer.alloc(4);
    const length = Buffer.alloc(4);
    const ok = functions.GetTokenInformation(token, TOKEN_IMPERSONATION_LEVEL, address(level), 4, address(length));
    return ok !== 0 && level.readUInt32LE(0) >= SECURITY_IMPERSONATION;
  });
}
