/**
 * Reads the Cookie field of a request and writes Set-Cookie (RFC 6265 sections 4.1 and 4.2). Only the cookies of a session
 * are looked for; all others belong to the application.
 */

/** Largest whole cookie: name, equals sign, value and attributes, in bytes. Browsers take 4096. */
export const MAX_COOKIE_BYTES = 4093;

/** A field that is longer is not searched. Node's own limit for all fields is 16 KiB. */
const MAX_FIELD_LENGTH = 64 * 1024;
/** So many cookies of one name are looked at. A browser has several where paths or domains differ. */
const MAX_SAME_NAME = 2;

/**
 * The Cookie field of a request. HTTP/2 may send several (RFC 9113 section 8.2.3).
 *
 * @param rawHeaders names and values alternating
 */
export function cookieField(rawHeaders: readonly string[]): string | undefined {
  let field: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length !== 6 || (name !== 'Cookie' && name.toLowerCase() !== 'cookie')) continue;
    const value = rawHeaders[index + 1] ?? '';
    field = field === undefined ? value : `${field}; ${value}`;
  }
  return field;
}

/**
 * The value of a cookie.
 *
 * @param field of the request
 * @returns undefined if there is none, or if several differ: no rule says which of them counts
 */
export function cookieValue(field: string, name: string): string | undefined {
  if (field.length > MAX_FIELD_LENGTH) return undefined;
  let value: string | undefined;
  let found = 0;
  let start = 0;
  while (start < field.length) {
    let end = field.indexOf(';', start);
    if (end === -1) end = field.length;
    while (field[start] === ' ') start++;
    if (field.startsWith(name, start) && field[start + name.length] === '=') {
      const own = field.slice(start + name.length + 1, end).trimEnd();
      if (++found > MAX_SAME_NAME || (value !== undefined && value !== own)) return undefined;
      value = own;
    }
    start = end + 1;
  }
  return value;
}

/** A cookie of this library, and how browsers keep it. */
export class OwnCookie {
  /** With the prefix `__Host-`, if it has one. */
  readonly name: string;
  readonly #attributes: string;

  /** @param secure for TLS alone: RFC 6265bis section 4.1.3.2 says what the prefix asks for */
  constructor(name: string, secure: boolean) {
    this.name = secure ? `__Host-${name}` : name;
    this.#attributes = `; Path=/${secure ? '; Secure' : ''}; HttpOnly; SameSite=Lax`;
  }

  /** Value of Set-Cookie. Without a time the browser keeps it until it is closed. */
  set(value: string): string {
    return `${this.name}=${value}${this.#attributes}`;
  }

  /** Value of Set-Cookie that removes it. */
  clear(): string {
    return `${this.set('')}; Max-Age=0`;
  }
}
