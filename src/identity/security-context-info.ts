/** What a handler finds in `request.sspi`: how the client was authenticated, and what may be done in its name. */
import { writeSync } from 'node:fs';
import { SspiAuthError } from '../foundation/errors.ts';
import {
  impersonateSecurityContext,
  queryDelegatedCredentials,
  revertSecurityContext,
  SEC_E_INTERNAL_ERROR,
  SEC_E_INVALID_HANDLE,
  SEC_E_OK,
  statusName,
} from '../sspi/index.ts';
import type { ContextHandle, DelegatedCredentials } from '../sspi/index.ts';
import { isThenable } from '../foundation/thenable.ts';

/** Facts of an authentication. */
export interface SecurityContextFacts {
  /** The HTTP scheme: `Negotiate`, `Kerberos`, `NTLM`, `Digest`. */
  readonly scheme: string;
  /** The security package that really ran, such as `Kerberos` under `Negotiate`. */
  readonly package: string;
  /** Who verified: `portable`, `secur32`, `gssapi`. */
  readonly provider: string;
  /** ASC_RET_* bits. */
  readonly attributes: number;
  /** The client proved that it sees the TLS certificate of this server. */
  readonly channelBound: boolean;
  /** When the authentication ends; undefined: with the connection. */
  readonly expiry: Date | undefined;
}

/** One per authentication, frozen, shared by the requests it covers. */
export class SecurityContextInfo implements SecurityContextFacts {
  readonly scheme: string;
  readonly package: string;
  readonly provider: string;
  readonly attributes: number;
  readonly channelBound: boolean;
  readonly expiry: Date | undefined;
  readonly #context: ContextHandle | undefined;

  /** @param context the established context, where it lives on; undefined where nothing can be done in its name */
  constructor(facts: SecurityContextFacts, context: ContextHandle | undefined) {
    this.scheme = facts.scheme;
    this.package = facts.package;
    this.provider = facts.provider;
    this.attributes = facts.attributes;
    this.channelBound = facts.channelBound;
    this.expiry = facts.expiry;
    this.#context = context;
    Object.freeze(this);
  }

  /**
   * The ticket that the client forwarded, as the name of a credential cache for KRB5CCNAME; it is destroyed when the
   * connection ends or signs in anew; where an authentication covers its request only, with the next request of the
   * connection. Undefined where none was forwarded or option `delegate` is off.
   */
  get delegatedCredentials(): DelegatedCredentials | undefined {
    return this.#context === undefined ? undefined : queryDelegatedCredentials(this.#context).value;
  }

  /**
   * Runs a function as the client, on this thread, and is itself again afterwards (Windows only).
   *
   * The function must be synchronous: Node serves every request on one thread, so an awaited continuation would run as
   * somebody else's request. What it starts asynchronously runs as the server, not as the client. If the thread cannot be
   * reverted the process aborts, because it would go on as the client.
   *
   * @returns what the function returned
   * @throws SspiAuthError `ERR_SSPI_AUTH_IMPERSONATION` where it cannot be done, inside another impersonation, or where
   *   the function is asynchronous or returned a promise
   */
  impersonate<T>(run: () => T): T {
    if (isAsync(run)) throw impersonationError(asynchronous);
    if (impersonating) throw impersonationError('another impersonation is not over, and ending one would end both');
    const context = this.#context;
    const status = context === undefined ? SEC_E_INVALID_HANDLE : impersonateSecurityContext(context);
    if (context === undefined || status !== SEC_E_OK) {
      throw impersonationError(
        `cannot impersonate with package ${this.package} of provider ${this.provider}` +
          (context === undefined ? '' : ` (${statusName(status)})`) +
          "; it needs Windows' own SSPI, an open connection and the right SeImpersonatePrivilege",
      );
    }
    impersonating = true;
    let result: T;
    try {
      result = run();
    } finally {
      revertOrAbort(context);
      impersonating = false;
    }
    if (isThenable(result)) {
      // Nobody else will ever see this promise: its rejection must not end the process.
      result.then(undefined, () => undefined);
      throw impersonationError(asynchronous);
    }
    return result;
  }
}

/** This thread acts as a client right now. */
let impersonating = false;

/** Known before it runs; other functions show only by what they return. */
function isAsync(run: unknown): boolean {
  return Object.prototype.toString.call(run) === '[object AsyncFunction]';
}

const asynchronous =
  'the function given to impersonate is asynchronous; impersonation ends before its promise is settled. ' +
  'Do the work synchronously, or open what you need inside and use it outside';

function impersonationError(problem: string): SspiAuthError {
  return new SspiAuthError('ERR_SSPI_AUTH_IMPERSONATION', `sspi-auth: ${problem}`);
}

/** Every later request of this thread would run as this client: better none. */
function revertOrAbort(context: ContextHandle): void {
  let status: number;
  try {
    status = revertSecurityContext(context);
  } catch {
    status = SEC_E_INTERNAL_ERROR;
  }
  if (status === SEC_E_OK) return;
  try {
    writeSync(2, `sspi-auth: RevertSecurityContext failed (${statusName(status)}): the process ends\n`);
  } finally {
    process.abort();
  }
}
