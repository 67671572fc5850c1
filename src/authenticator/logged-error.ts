/**
 * Exceptions as the log gets them: whole enough to find the fault, without secrets. Account sources and functions of the
 * operator throw what their libraries throw. Such errors carry requests, connection settings and passwords as
 * properties, and loggers print properties. Messages quote what was sent.
 */

/** How many causes of causes are kept, and how many errors of an AggregateError. */
const MAX_CAUSES = 4;
const MAX_ERRORS = 4;
/** UTF-16 units that are kept of a message, and of a stack; how many a secret has at most. */
const MAX_MESSAGE = 2000;
const MAX_STACK = 8000;
const MAX_SECRET = 8192;

const masked = '[masked]';

/** What looks like a secret, and what is kept of it. */
const secrets: readonly (readonly [form: RegExp, kept: string])[] = [
  // A password in a URL.
  [/(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{0,256}):[^\s/@]{1,512}@/gi, `$1:${masked}@`],
  // The value of a field or property that is called like a secret.
  [
    /((?:authorization|cookie|password|passwd|pwd|secret|response|(?:nt|lm)?[_-]?hash|credentials?)["']?(?:\s{0,3}[:=]\s{0,3}|\sis\s))(?:(?:Basic|Bearer|Digest|Negotiate|Kerberos|NTLM)\s[^\n]{1,4096}|"[^"\n]{0,4096}"|'[^'\n]{0,4096}'|[^\s,;"'{}[\]]{1,4096})/gi,
    `$1${masked}`,
  ],
  // Keys, hashes, responses and tokens: in hexadecimal, together or in pairs, as a Buffer is printed, as
  // numbers, in base64.
  [/\b[0-9a-f]{32,}\b/gi, masked],
  [/<Buffer [^>]{0,4096}>/g, `<Buffer ${masked}>`],
  [/\b(?:[0-9a-f]{2}[\s:-]){15,}[0-9a-f]{2}\b/gi, masked],
  // inspect() begins a line every few numbers, and indents it by the depth of the array.
  [/(?:(?:"\d{1,5}":\s?)?\b\d{1,3},\s{0,64}){15,}(?:"\d{1,5}":\s?)?\d{1,3}\b/g, masked],
  // The path of a source file in a stack is none of these.
  [
    /(?<![\w+/])(?![\w+/-]*\.[cm]?[jt]sx?:\d)(?=[\w+/]*\d)(?=[\w+/]*[A-Z])(?=[\w+/]*[a-z])[A-Za-z0-9+/_-]{40,}={0,2}/g,
    masked,
  ],
];

function withoutSecrets(text: string): string {
  return secrets.reduce((shown, [form, kept]) => shown.replace(form, kept), text);
}

/**
 * An error with the name, message, stack, code and causes of what was thrown, and nothing else of it.
 *
 * @param thrown any value
 */
export function loggedError(thrown: unknown): Error {
  try {
    return copyOf(thrown, MAX_CAUSES);
  } catch {
    return new Error('an error that cannot be read was thrown');
  }
}

function copyOf(thrown: unknown, causes: number): Error {
  if (!isError(thrown)) {
    const what =
      typeof thrown === 'string' ? JSON.stringify(bounded(thrown, MAX_MESSAGE)) : `a value of type ${typeof thrown}`;
    return withStack(new Error(`not an Error was thrown, but ${what}`), undefined);
  }
  const { name, message, stack, code, cause, errors } = thrown;
  const copy = new Error(bounded(message, MAX_MESSAGE));
  Object.setPrototypeOf(copy, thrown instanceof Error ? (Object.getPrototypeOf(thrown) as object) : Error.prototype);
  // Not enumerable, as the name of an error is.
  if (typeof name === 'string') define(copy, 'name', bounded(name, 128));
  if (typeof code === 'string' || typeof code === 'number') {
    Object.assign(copy, { code: typeof code === 'string' ? bounded(code, 128) : code });
  }
  if (cause !== undefined && causes > 0) define(copy, 'cause', copyOf(cause, causes - 1));
  if (Array.isArray(errors) && causes > 0) {
    define(
      copy,
      'errors',
      errors.slice(0, MAX_ERRORS).map((error) => copyOf(error, causes - 1)),
    );
  }
  return withStack(copy, stack);
}

interface ErrorLike {
  readonly name?: unknown;
  readonly message: string;
  readonly stack?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
}

/** Errors of another realm are no instances of this one's Error. */
function isError(thrown: unknown): thrown is ErrorLike {
  return typeof thrown === 'object' && thrown !== null && typeof (thrown as Partial<ErrorLike>).message === 'string';
}

function withStack(copy: Error, stack: unknown): Error {
  copy.stack = typeof stack === 'string' ? bounded(stack, MAX_STACK) : `${copy.name}: ${copy.message}`;
  return copy;
}

function define(copy: Error, name: string, value: unknown): void {
  Object.defineProperty(copy, name, { value, configurable: true, writable: true });
}

/** The beginning of a text, without secrets. */
function bounded(text: string, longest: number): string {
  const shown = withoutSecrets(text.slice(0, longest));
  if (text.length <= longest) return shown;
  // A piece of a secret at the end may not look like one: it is where more of the text changes what is shown.
  const more = withoutSecrets(text.slice(0, longest + MAX_SECRET));
  let end = 0;
  while (end < shown.length && shown[end] === more[end]) end++;
  return shown.slice(0, end);
}
