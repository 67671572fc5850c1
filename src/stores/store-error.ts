/** Errors of stores. */
import { SspiAuthError } from '../foundation/errors.ts';

/** The error of a store that cannot keep or tell what it must. Whoever asked refuses the client. */
export function storeError(problem: string): SspiAuthError {
  return new SspiAuthError('ERR_SSPI_AUTH_STORE', `sspi-auth: ${problem}`);
}

/** A store that failed or did not answer in time, so that nobody can know. Clients may try again later. */
export class StoreAwayError extends SspiAuthError {
  constructor(problem: string, options?: ErrorOptions) {
    super('ERR_SSPI_AUTH_STORE', `sspi-auth: ${problem}`, options);
  }
}
