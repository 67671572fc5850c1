/**
 * The head of a response that others write the body of. Status and fields that matter for the sign-in stay as they are,
 * whatever is done to the response meanwhile (attack H16).
 */
import { STATUS_CODES } from 'node:http';
import type { OutgoingHttpHeader, ServerResponse } from 'node:http';

/** A status and the values of fields by their names in lower case; undefined: the field is not there. */
export interface Head {
  readonly status: number;
  readonly fields: ReadonlyMap<string, string | readonly string[] | undefined>;
}

type Method = (...values: unknown[]) => unknown;
type Methods = Record<string, Method>;

/** What writes the head of a response, by itself or before what it writes. */
const writers = ['write', 'end', 'flushHeaders'] as const;
/** What would fail, or write more, after the response has been given. */
const changers = ['setHeader', 'setHeaders', 'appendHeader', 'removeHeader', 'writeHead', 'writeContinue'] as const;

/**
 * Sees to it that a response has this head when it is written.
 *
 * @param before called just before the head is written
 */
export function keepHead(response: ServerResponse, head: Head, before?: () => void): void {
  const methods = response as unknown as Methods;
  const putBack = (): void => {
    if (response.headersSent) return;
    before?.();
    response.statusCode = head.status;
    // HTTP/2 has no reason phrase, and its response warns of one.
    if (response.req.httpVersionMajor === 1) response.statusMessage = STATUS_CODES[head.status] ?? '';
    for (const [name, value] of head.fields) {
      if (value === undefined) response.removeHeader(name);
      else response.setHeader(name, value);
    }
  };
  const writeHead = methods['writeHead']?.bind(response);
  methods['writeHead'] = (_status, ...more) => {
    putBack();
    const given = more.find((value) => typeof value === 'object' && value !== null);
    return writeHead?.(head.status, ...(given === undefined ? [] : [withoutKept(given, head)]));
  };
  for (const name of writers) {
    const write = methods[name]?.bind(response);
    if (write === undefined) continue;
    methods[name] = (...values) => {
      putBack();
      return write(...values);
    };
  }
}

/** The fields that are given to `writeHead`, without those that stay as they are. */
function withoutKept(given: object, { fields }: Head): object {
  if (!Array.isArray(given)) {
    return Object.fromEntries(
      Object.entries(given as Record<string, OutgoingHttpHeader>).filter(([name]) => !fields.has(name.toLowerCase())),
    );
  }
  const list: readonly unknown[] = given;
  if (list.every(Array.isArray)) {
    return (list as [string, unknown][]).filter(([name]) => !fields.has(name.toLowerCase()));
  }
  // Names and values alternating.
  return list.filter((_, index) => !fields.has(String(list[index - (index % 2)]).toLowerCase()));
}

/** From now on whatever is called on a response that has been given does nothing. */
export function mute(response: ServerResponse): void {
  const methods = response as unknown as Methods;
  for (const name of [...changers, ...writers]) {
    if (methods[name] !== undefined) methods[name] = () => (name === 'write' ? false : response);
  }
}
