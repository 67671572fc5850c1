/**
 * What operators see: one structured line for each sign-in and each refusal, also published on
 * node:diagnostics_channel. Nothing secret is ever passed to this file: no token, no hash, no Authorization field.
 */
import { channel } from 'node:diagnostics_channel';
import { OptionError } from '../foundation/errors.ts';
import { shown } from '../foundation/option-values.ts';
import type { Reader } from '../foundation/option-values.ts';
import { processWarning } from '../foundation/process-warning.ts';
import { isThenable } from '../foundation/thenable.ts';
import { reason } from '../identity/reasons/reason.ts';
import type { ReasonId } from '../identity/reasons/reason.ts';
import { loggedError } from './logged-error.ts';
import type { UnansweredRecord } from './unanswered/unanswered-record.ts';
import type { RequestFacts } from './request-facts.ts';

/** The methods of pino's logger that are used. Any object with these methods will do. */
export interface Logger {
  info(record: object, message: string): void;
  warn(record: object, message: string): void;
  error(record: object, message: string): void;
  debug?(record: object, message: string): void;
}

/** Reads option `logger`; `false` means no logger. */
export const logger: Reader<Logger | undefined, Logger | false> = (value, option) => {
  if (value === false) return undefined;
  for (const method of ['info', 'warn', 'error'] as const) {
    if (typeof (value as Partial<Logger> | null)?.[method] !== 'function') {
      const problem = typeof value === 'object' && value !== null ? `has no method ${method}` : shown(value);
      throw new OptionError(option, problem, 'Give a pino logger, an object of its shape such as console, or false.');
    }
  }
  return value as Logger;
};

/** One event, as logged and as published. */
export interface AuditRecord extends RequestFacts {
  /**
   * `Negotiate`, `Kerberos`, `NTLM`, `Digest`, or another scheme in the client's own spelling; undefined if the request
   * had no credentials of a scheme.
   */
  readonly scheme: string | undefined;
  /** The security package that ran; undefined if Negotiate had not chosen one yet. */
  readonly package: string | undefined;
  /**
   * For a sign-in `DOMAIN\user`. For a refusal the name that the client claimed: unproven, with control characters
   * escaped.
   */
  readonly account: string | undefined;
  /** `address:port` of the connection, an IPv6 address in brackets. */
  readonly peer: string | undefined;
  /** The reason: a SEC_* status, or one of AuditReason. `SEC_E_OK` for a sign-in. */
  readonly reason: string;
  /** More for the administrator, if the package knows more. */
  readonly diagnosis?: string;
  /** From the first token of the handshake to this event, in milliseconds. */
  readonly durationMilliseconds: number;
}

/** Reasons that are not a status of the contract. */
export type AuditReason =
  | 'repeated-authorization'
  | 'malformed-authorization'
  | 'scheme-not-offered'
  | 'other-scheme-refused'
  | 'token-too-large'
  | 'body-too-large'
  | 'body-not-opened'
  | 'body-not-encrypted'
  | 'account-refused'
  | 'account-removed'
  | 'package-not-allowed'
  | 'attributes-missing'
  | 'target-not-allowed'
  | 'not-authorized'
  | 'cross-site'
  | 'handshake-deadline'
  | 'handshake-evicted'
  | 'server-closing'
  | 'internal-error';

/** A client was authenticated: AuditRecord. */
export const authenticatedChannel = channel('sspi-auth:authenticated');
/** A client was refused: AuditRecord. */
export const refusedChannel = channel('sspi-auth:refused');
/** A leg of a handshake was answered with another challenge: AuditRecord. */
export const handshakeChannel = channel('sspi-auth:handshake');

/** A request was asked for credentials, and none came: UnansweredRecord. */
export const unansweredChannel = channel('sspi-auth:unanswered');

/** How many errors `failedOnce` remembers. */
const MAX_SEEN_FAILURES = 100;

/** The audit that the options ask for. Options that say nothing about a logger have warnings as process warnings. */
export function auditOf(settings: { readonly given: readonly string[]; readonly logger: Logger | undefined }): Audit {
  return new Audit(settings.logger, !settings.given.includes('logger'));
}

/** Writes events to a logger and to the channels. */
export class Audit {
  readonly #logger: Logger | undefined;
  readonly #warnsProcess: boolean;
  #toldOfNoLogger = false;
  /** What `failedOnce` has reported. */
  readonly #seenFailures = new Set<string>();

  /** @param warnsProcess warnings are process warnings, since the operator has said nothing about a logger */
  constructor(logger: Logger | undefined, warnsProcess = false) {
    this.#logger = logger;
    this.#warnsProcess = warnsProcess;
  }

  /**
   * Calls the logger. If it throws or rejects, this has no effect: no result changes, and no request waits for ever.
   */
  #write(level: 'info' | 'warn' | 'error' | 'debug', record: object, message: string): void {
    try {
      const written: unknown = this.#logger?.[level]?.(record, message);
      if (isThenable(written)) written.then(undefined, () => undefined);
    } catch {
      // The logger itself failed, so there is nowhere to report it.
    }
  }

  /** Whether anything listens for sign-ins. Refusals are rare, so their records are always made. */
  get hasSignInListeners(): boolean {
    return this.#logger !== undefined || authenticatedChannel.hasSubscribers;
  }

  /** Whether anything listens for the legs of handshakes. */
  get hasHandshakeListeners(): boolean {
    return this.#logger?.debug !== undefined || handshakeChannel.hasSubscribers;
  }

  /**
   * Reports that a client was authenticated.
   *
   * @param again the client proved the same account once more (Digest); logged as debug, not as info
   */
  authenticated(record: AuditRecord, again: boolean): void {
    authenticatedChannel.publish(record);
    if (again) this.#write('debug', record, 'sspi-auth: authenticated');
    else this.#write('info', record, 'sspi-auth: authenticated');
  }

  /** Reports that a client was refused. */
  refused(record: AuditRecord): void {
    refusedChannel.publish(record);
    this.#write('warn', record, 'sspi-auth: refused');
    if (this.#warnsProcess && !this.#toldOfNoLogger) {
      this.#toldOfNoLogger = true;
      processWarning(`sspi-auth: ${reason('no-logger')}`);
    }
  }

  /** Whether the operator has given a logger. */
  get hasLogger(): boolean {
    return this.#logger !== undefined;
  }

  /** Whether anything listens for requests that were asked for credentials in vain. */
  get hasUnansweredListeners(): boolean {
    return this.#logger !== undefined || unansweredChannel.hasSubscribers;
  }

  /** Reports that a client was asked for credentials, and has sent none. */
  unanswered(record: UnansweredRecord): void {
    unansweredChannel.publish(record);
    this.#write('debug', record, 'sspi-auth: asked for credentials, and none came');
  }

  /**
   * Tells the operator of such clients.
   *
   * @param record the latest of them
   * @param clients how many there are since this was told before
   * @param others they called this server by more names than are told apart
   */
  toldOfUnanswered(record: UnansweredRecord, clients: number, others: boolean): void {
    const { host, client, userAgent, offered, causes, diagnosis } = record;
    const told = { host, client, userAgent, offered, causes, clients, ...(others ? { others } : {}), diagnosis };
    this.#write('info', told, 'sspi-auth: asked for credentials, and none came');
  }

  /** Tells the operator what is found at start. */
  started(record: object, message: string): void {
    this.#write('info', record, message);
  }

  /**
   * Advice about this server, for the given logger alone: it is no reason to write to standard error.
   *
   * @param advice id of its row in the table of reasons
   */
  advise(advice: ReasonId, text: string): void {
    this.#write('warn', { advice }, `sspi-auth: ${text}`);
  }

  /** Reports that a leg was answered with another challenge. */
  handshake(record: AuditRecord): void {
    handshakeChannel.publish(record);
    this.#write('debug', record, 'sspi-auth: handshake');
  }

  /** Reports at start what was chosen. @param message with `sspi-auth:` before it */
  told(message: string): void {
    this.#write('info', {}, message);
  }

  /**
   * Reports that something is wrong or weakens this server, although clients can still be verified.
   *
   * @param message as a package words it, with `sspi-auth:` before it
   */
  warn(message: string): void {
    if (this.#warnsProcess) processWarning(message);
    else this.#write('warn', {}, message);
  }

  /**
   * Reports that a function of the operator (`skip`, `authorize`) or this library itself failed while a request was
   * verified, so that the request was refused.
   */
  failed(error: unknown, where: string, facts: RequestFacts = {}): void {
    this.#writeFailure(loggedError(error), where, 'the request was refused', facts);
  }

  /**
   * The same for what may fail with every request, such as an account source: the error is reported whole when it is
   * first thrown at its place. Each refusal has a line of its own.
   *
   * @returns the message of the error, without secrets, for that line
   */
  failedOnce(error: unknown, where: string): string {
    const logged = loggedError(error);
    const { name, message, stack = '' } = logged;
    const seen = `${where} ${name} ${/^\s+at .*$/m.exec(stack)?.[0] ?? message}`;
    if (!this.#seenFailures.has(seen)) {
      if (this.#seenFailures.size >= MAX_SEEN_FAILURES) this.#seenFailures.clear();
      this.#seenFailures.add(seen);
      this.#writeFailure(logged, where, 'the request was refused');
    }
    return message;
  }

  /** Reports that something failed that no request depends on. */
  failedAside(error: unknown, where: string): void {
    this.#writeFailure(loggedError(error), where);
  }

  /** Reports that the store does not answer: once for each outage. */
  storeAway(error: unknown): void {
    const { message } = loggedError(error);
    const consequence = 'requests that need it are refused with 503 until it answers';
    this.warn(`sspi-auth: the store is away (${message.replace(/^sspi-auth: /, '')}); ${consequence}`);
  }

  /**
   * Reports that it answers again.
   *
   * @param milliseconds how long it did not
   * @param failed operations that have failed meanwhile
   */
  storeBack(milliseconds: number, failed: number): void {
    const message = `sspi-auth: the store answers again after ${milliseconds} ms; ${failed} operations have failed`;
    if (this.#warnsProcess) processWarning(message);
    else this.#write('info', {}, message);
  }

  #writeFailure(err: Error, where: string, consequence?: string, facts: RequestFacts = {}): void {
    const end = consequence === undefined ? '' : `; ${consequence}`;
    this.#write('error', { err, where, ...facts }, `sspi-auth: ${where} failed${end}`);
  }
}
