/** Errors of stores. */
import { SspiAuthError } from '../foundation/errors.ts';

/** The error of a store that cannot keep or tell what it must. Whoever asked refuses the client. */
export function storeError(problem: string): SspiAuthError {
  return new SspiAuthError('ERR_SSPI_AUTH_STORE', `sspi-auth: ${problem}`);
}
