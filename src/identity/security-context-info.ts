/** The value of `request.sspi`: how the client was authenticated, its forwarded ticket, and impersonation. */
import { writeSync } from 'node:fs';
import { SspiAuthError } from '../foundation/errors.ts';
import {
  impersonateSecurityContext,
  queryDelegatedCredentials,
  revertSecurityContext,
  SEC_E_INTERNAL_ERROR,
  SEC_E_INVALID_HANDLE,
  SEC_E_NO_IMPERSONATION,
  SEC_E_OK,
  statusName,
} from '../sspi/index.ts';
import type { ContextHandle, DelegatedCredentials } from '../sspi/index.ts';
import { isThenable } from '../foundation/thenable.ts';

/** How a client was authenticated. */
export interface SecurityContextFacts {
  /** The HTTP scheme: `Negotiate`, `Kerberos`, `NTLM`, `Digest`. */
  readonly scheme: string;
  /** The security package that verified the client, such as `Kerberos` under `Negotiate`. */
  readonly package: string;
  /** The provider of that package: `portable`, `secur32`, `gssapi`. */
  readonly provider: string;
  /** ASC_RET_* bits of the security context. */
  readonly attributes: number;
  /** The client sent channel bindings that match the TLS certificate of this server. */
  readonly channelBound: boolean;
  /** When the authentication expires. Undefined: it lasts as long as the connection. */
  readonly expiry: Date | undefined;
}

/** How the client of a request was authenticated. Frozen; the requests of one authentication share one object. */
export class SecurityContextInfo implements SecurityContextFacts {
  readonly scheme: string;
  readonly package: string;
  readonly provider: string;
  readonly attributes: number;
  readonly channelBound: boolean;
  readonly expiry: Date | undefined;
  readonly #context: ContextHandle | undefined;
  readonly #origin: 'context' | 'session';

  /**
   * @param context the established context; undefined if it was deleted after the handshake
   * @param origin `session`: the request was signed in by its session cookie, so that it has no context
   */
  constructor(
    facts: SecurityContextFacts,
    context: ContextHandle | undefined,
    origin: 'context' | 'session' = 'context',
  ) {
    this.scheme = facts.scheme;
    this.package = facts.package;
    this.provider = facts.provider;
    this.attributes = facts.attributes;
    this.channelBound = facts.channelBound;
    this.expiry = facts.expiry;
    this.#context = context;
    this.#origin = origin;
    Object.freeze(this);
  }

  /**
   * The ticket that the client forwarded, as the name of a credential cache for KRB5CCNAME. Undefined if the client
   * forwarded none, option `delegate` is off, or the request was signed in by its session cookie.
   *
   * The cache is destroyed when the connection closes or the client signs in again. If an authentication covers one
   * request only (option `persistence`), the next request of the connection destroys it.
   */
  get delegatedCredentials(): DelegatedCredentials | undefined {
    return this.#context === undefined ? undefined : queryDelegatedCredentials(this.#context).value;
  }

  /**
   * Runs a function under the Windows account of the client, on this thread (Windows only). Afterwards the thread runs
   * under the account of the server again.
   *
   * The function must be synchronous. Node serves all requests on one thread, so code after an `await` would run while
   * the thread serves another request. Asynchronous operations that the function starts run as the server, not as the
   * client. If the thread cannot be reverted, the process aborts: it would otherwise serve other requests as this
   * client.
   *
   * @returns what the function returned
   * @throws SspiAuthError `ERR_SSPI_AUTH_IMPERSONATION` if impersonation is not possible, if another impersonation is
   *   running, or if the function is asynchronous or returned a promise; `ERR_SSPI_AUTH_SESSION` if the request was signed
   *   in by its session cookie
   */
  impersonate<T>(run: () => T): T {
    if (this.#origin === 'session') {
      throw new SspiAuthError(
        'ERR_SSPI_AUTH_SESSION',
        'sspi-auth: this request was signed in by its session cookie, which has no security context to impersonate. ' +
          'Impersonate on requests that sign in themselves: leave option session out, or use another sspiAuth() for their routes',
      );
    }
    if (isAsync(run)) throw impersonationError(asynchronous);
    if (impersonating)
      throw impersonationError('another impersonation is running, and to revert one would revert both');
    const context = this.#context;
    const status = context === undefined ? SEC_E_INVALID_HANDLE : impersonateSecurityContext(context);
    if (context === undefined || status !== SEC_E_OK) {
      throw impersonationError(
        status === SEC_E_NO_IMPERSONATION
          ? missingRight
          : `cannot impersonate with package ${this.package} of provider ${this.provider}` +
              (context === undefined ? '' : ` (${statusName(status)})`) +
              "; it needs Windows' own SSPI, an open connection, and the option impersonation not set to false",
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
      // No other code has this promise. Without a handler, its rejection would end the process.
      result.then(undefined, () => undefined);
      throw impersonationError(asynchronous);
    }
    return result;
  }
}

/** Whether this thread impersonates a client at the moment. */
let impersonating = false;

/** Finds async functions before they run. Other asynchronous functions are found by the promise they return. */
function isAsync(run: unknown): boolean {
  return Object.prototype.toString.call(run) === '[object AsyncFunction]';
}

const asynchronous =
  'the function given to impersonate is asynchronous; impersonation ends before its promise is settled. ' +
  'Do the work synchronously, or open what you need inside and use it outside';

const missingRight =
  'Windows lets this process find out who the client is, but not act as it (SEC_E_NO_IMPERSONATION): the account of this ' +
  'process lacks the right "Impersonate a client after authentication" (SeImpersonatePrivilege), or the client allows ' +
  'identification only. Services have the right; give it to other accounts by secpol.msc, Local Policies, User Rights ' +
  'Assignment, and start the process again';

function impersonationError(problem: string): SspiAuthError {
  return new SspiAuthError('ERR_SSPI_AUTH_IMPERSONATION', `sspi-auth: ${problem}`);
}

/** Reverts, or ends the process: all later requests of this thread would run as this client. */
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
