/**
 * The errors that this library throws. The set of codes is closed. A subclass exists where an error has fields that a
 * caller may want to read.
 *
 * A client that cannot be authenticated is not an error. It is a status of the contract (src/sspi/status.ts) and an
 * outcome of the authenticator. Errors concern the operator (options, libraries, files) or the programmer.
 */

/** Every value `SspiAuthError.code` can have. */
export type SspiAuthErrorCode =
  /**
   * An option or another argument is missing, malformed or contradicts another one. Thrown at start, and by functions
   * that were called in a wrong way. Logged where it only shows with a request: `skip` returned a promise, or two
   * `sspiAuth()` met one request.
   */
  | 'ERR_SSPI_AUTH_OPTION'
  /** Neither this machine nor the options provide anything that can verify a client. Thrown at start only. */
  | 'ERR_SSPI_AUTH_NO_ACCEPTOR'
  /** Bytes from outside do not have the form that their specification requires. */
  | 'ERR_SSPI_AUTH_MALFORMED'
  /** A function of the contract failed where it cannot return a status (acquireCredentialsHandle). */
  | 'ERR_SSPI_AUTH_STATUS'
  /** An account file cannot be read or has a line that is not an account. */
  | 'ERR_SSPI_AUTH_ACCOUNT_FILE'
  /** A store, or the replay folder, cannot keep what it must, or does not answer. Whoever asked refuses the client. */
  | 'ERR_SSPI_AUTH_STORE'
  /** A native library, or koffi itself, cannot be loaded. */
  | 'ERR_SSPI_AUTH_NATIVE_LIBRARY'
  /** A request was refused. Given to the error handlers of a framework, where option `refuse` says so. */
  | 'ERR_SSPI_AUTH_REFUSED'
  /** A session has no security context, so that nobody can act with it. */
  | 'ERR_SSPI_AUTH_SESSION'
  /** Impersonation is not available here, or its function returned a promise. */
  | 'ERR_SSPI_AUTH_IMPERSONATION';

/** The base of every error thrown on purpose by this library. */
export class SspiAuthError extends Error {
  /** The error code, for programs. The message is for people and may change. */
  readonly code: SspiAuthErrorCode;

  constructor(code: SspiAuthErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SspiAuthError';
    this.code = code;
  }
}

/** An option that cannot be used. Says which option, what is wrong with it, and what to write instead. */
export class OptionError extends SspiAuthError {
  /** Path of the option, such as `limits.tokenBytes`. */
  readonly option: string;
  /** What is wrong. Contains the value, unless that is a secret. */
  readonly problem: string;
  /** What to do about it. */
  readonly cure: string;

  /**
   * @param option path of the option
   * @param problem what is wrong, with the value unless that is a secret
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
   * The same error with the option renamed, for a caller that knows the option by another name.
   *
   * @param name maps a path to the caller's name; called for the option's path and for each path that the cure quotes
   */
  called(name: (path: string) => string): OptionError {
    const cure = this.cure.replace(/"(authData[\w.[\]]*)"/g, (_, path: string) => JSON.stringify(name(path)));
    return new OptionError(name(this.option), this.problem, cure);
  }
}

/** Name and code of a thrown value, for the log. The message may contain a secret, so it is left out. */
export function errorKind(error: unknown): string {
  const { name, code } = (error ?? {}) as { readonly name?: unknown; readonly code?: unknown };
  return [name, code].filter((word) => typeof word === 'string' && /^\w{1,64}$/.test(word)).join(' ');
}

/** Bytes that do not have their format. The message names the field and its offset, and never contains the bytes. */
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
