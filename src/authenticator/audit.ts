/**
 * What operators see: one structured line for each sign-in and each refusal, and the same on node:diagnostics_channel.
 * Nothing secret ever comes here: no token, no hash, no Authorization field.
 */
import { channel } from 'node:diagnostics_channel';
import { OptionError } from '../foundation/errors.ts';
import { shown } from '../foundation/option-values.ts';
import type { Reader } from '../foundation/option-values.ts';
import { isThenable } from '../foundation/thenable.ts';

/** The part of pino's logger that is used; anything of this shape will do. */
export interface Logger {
  info(record: object, message: string): void;
  warn(record: object, message: string): void;
  error(record: object, message: string): void;
  debug?(record: object, message: string): void;
}

/** Reads option `logger`: `false` is none. */
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
export interface AuditRecord {
  /** `Negotiate`, `Kerberos`, `NTLM`, `Digest`; undefined where the request named none that is offered. */
  readonly scheme: string | undefined;
  /** The security package that ran; undefined where Negotiate had not chosen one yet. */
  readonly package: string | undefined;
  /** `DOMAIN\user` of a sign-in; of a refusal what the client claimed, unproven, control characters escaped. */
  readonly account: string | undefined;
  /** `address:port` of the connection. */
  readonly peer: string | undefined;
  /** Why: a SEC_* status, or one of the reasons below. `SEC_E_OK` for a sign-in. */
  readonly reason: string;
  /** For the administrator, where the package can say more. */
  readonly diagnosis?: string;
  /** From the first token of the handshake to this event, in milliseconds. */
  readonly durationMilliseconds: number;
}

/** Reasons that are not a status of the contract. */
export type AuditReason =
  | 'repeated-authorization'
  | 'malformed-authorization'
  | 'scheme-not-offered'
  | 'token-too-large'
  | 'account-refused'
  | 'package-not-allowed'
  | 'attributes-missing'
  | 'target-not-allowed'
  | 'not-authorized'
  | 'handshake-deadline'
  | 'handshake-evicted'
  | 'internal-error';

/** A client was authenticated: AuditRecord. */
export const authenticatedChannel = channel('sspi-auth:authenticated');
/** A client was refused: AuditRecord. */
export const refusedChannel = channel('sspi-auth:refused');
/** A leg of a handshake was answered with another challenge: AuditRecord. */
export const handshakeChannel = channel('sspi-auth:handshake');

/** Writes events to a logger and to the channels. */
export class Audit {
  readonly #logger: Logger | undefined;

  constructor(logger: Logger | undefined) {
    this.#logger = logger;
  }

  /** A logger that throws changes no result, and no request waits for ever because of it. */
  #write(level: 'info' | 'warn' | 'error' | 'debug', record: object, message: string): void {
    try {
      const written: unknown = this.#logger?.[level]?.(record, message);
      if (isThenable(written)) written.then(undefined, () => undefined);
    } catch {
      // There is nowhere left to say it.
    }
  }

  /** Whether anybody is told of a sign-in. Refusals are rare, so their records are always made. */
  get hearsSignIns(): boolean {
    return this.#logger !== undefined || authenticatedChannel.hasSubscribers;
  }

  /** Whether anybody is told of a leg. */
  get hearsHandshakes(): boolean {
    return this.#logger?.debug !== undefined || handshakeChannel.hasSubscribers;
  }

  /** A client was authenticated. @param again the client proved the same once more (Digest): debug, not info */
  authenticated(record: AuditRecord, again: boolean): void {
    if (authenticatedChannel.hasSubscribers) authenticatedChannel.publish(record);
    if (again) this.#write('debug', record, 'sspi-auth: authenticated');
    else this.#write('info', record, 'sspi-auth: authenticated');
  }

  /** A client was refused. */
  refused(record: AuditRecord): void {
    if (refusedChannel.hasSubscribers) refusedChannel.publish(record);
    this.#write('warn', record, 'sspi-auth: refused');
  }

  /** A leg was answered. */
  handshake(record: AuditRecord): void {
    if (handshakeChannel.hasSubscribers) handshakeChannel.publish(record);
    this.#write('debug', record, 'sspi-auth: handshake');
  }

  /** A function of the operator (`skip`, `authorize`) or this library itself failed. */
  failed(error: unknown, where: string): void {
    this.#write('error', { err: error, where }, `sspi-auth: ${where} failed; the request was refused`);
  }
}
