/**
 * The errors this library throws: a closed set of codes, one class for each thing a caller may want to read from it.
 *
 * A client that cannot be authenticated is never an error here: it is a status of the contract (src/sspi/status.ts) and
 * an outcome of the authenticator. What is thrown concerns the operator (options, libraries, files) or the program.
 */

/** Every value `SspiAuthError.code` can have. */
export type SspiAuthErrorCode =
  /** An option is missing, malformed or contradicts another one. Thrown at start only. */
  | 'ERR_SSPI_AUTH_OPTION'
  /** Nothing on this machine and nothing in the options could verify a client. Thrown at start only. */
  | 'ERR_SSPI_AUTH_NO_ACCEPTOR'
  /** Bytes from outside do not have the form that their specification demands. */
  | 'ERR_SSPI_AUTH_MALFORMED'
  /** A function of the contract failed where it cannot return a status (acquireCredentialsHandle). */
  | 'ERR_SSPI_AUTH_STATUS'
  /** An account file cannot be read or has a line that is not an account. */
  | 'ERR_SSPI_AUTH_ACCOUNT_FILE'
  /** A native library, or koffi itself, cannot be loaded. */
  | 'ERR_SSPI_AUTH_NATIVE_LIBRARY'
  /** Impersonation was asked for where it cannot be had, or with a function that returned a promise. */
  | 'ERR_SSPI_AUTH_IMPERSONATION'
  /** The authenticator was closed. */
  | 'ERR_SSPI_AUTH_CLOSED';

/** The base of every error thrown on purpose by this library. */
export class SspiAuthError extends Error {
  /** What happened, for programs; the message is for people and may change. */
  readonly code: SspiAuthErrorCode;

  constructor(code: SspiAuthErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SspiAuthError';
    this.code = code;
  }
}

/** An option that cannot be used: says which one, what it was, and what to write instead. */
export class OptionError extends SspiAuthError {
  /** Path of the option, such as `limits.tokenBytes`. */
  readonly option: string;
  /** What is wrong, with the value where it is not a secret. */
  readonly problem: string;
  /** What to do about it. */
  readonly cure: string;

  /**
   * @param option path of the option
   * @param problem what is wrong, with the value where it is not a secret
   * @param cure what to do about it
   */
  constructor(option: string, problem: string, cure: string) {
    super('ERR_SSPI_AUTH_OPTION', `sspi-auth: option "${option}" ${problem}. ${cure}`);
    this.name = 'OptionError';
    this.option = option;
    this.problem = problem;
    this.cure = cure;
  }

  /**
   * The same error for a caller who has another name for the option.
   *
   * @param name gives the caller's name for a path; asked for that of the option and for those that the cure quotes
   */
  called(name: (path: string) => string): OptionError {
    const cure = this.cure.replace(/"(authData[\w.[\]]*)"/g, (_, path: string) => JSON.stringify(name(path)));
    return new OptionError(name(this.option), this.problem, cure);
  }
}

/** Name and code of what was thrown. Its message may hold anything, a secret as well, so logs of a result are told this. */
export function errorKind(error: unknown): string {
  const { name, code } = (error ?? {}) as { readonly name?: unknown; readonly code?: unknown };
  return [name, code].filter((word) => typeof word === 'string' && /^\w{1,64}$/.test(word)).join(' ');
}

/** Bytes that break their format. The message names the field and its offset and never holds the bytes themselves. */
export class MalformedTokenError extends SspiAuthError {
  /** The field as its specification spells it. */
  readonly field: string;
  /** Offset in bytes from the start of the token, or undefined where the format has no offsets. */
  readonly offset: number | undefined;

  constructor(field: string, problem: string, offset?: number) {
    super('ERR_SSPI_AUTH_MALFORMED', `${field}${offset === undefined ? '' : ` at offset ${offset}`}: ${problem}`);
    this.name = 'MalformedTokenError';
    this.field = field;
    this.offset = offset;
  }
}
