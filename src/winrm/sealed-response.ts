/** Encrypts the response to a request whose body was encrypted: the handler writes it as usual. */
import type { ServerResponse } from 'node:http';

/** A body as it is sent. */
export interface Sealed {
  readonly contentType: string;
  readonly body: Buffer;
}

/** Encrypts a body. @returns undefined if that cannot be done */
export type Seal = (contentType: string, body: Buffer) => Promise<Sealed | undefined>;

type Callback = (error?: Error | null) => void;

/** The methods of a response that are replaced until its body is complete. */
const replaced = ['writeHead', 'write', 'end', 'flushHeaders'] as const;

/**
 * From now on the body that is written to a response is collected, and sent encrypted when it is complete. A response
 * without a body, to HEAD or with status 204 or 304, goes as it is. Where the body cannot be encrypted, because the
 * sign-in has ended meanwhile, nothing of it is sent: a 401 goes without its body, others become 500.
 */
export function sealResponse(response: ServerResponse, seal: Seal): void {
  const chunks: Buffer[] = [];
  let ended = false;
  const own = Object.fromEntries(replaced.map((name) => [name, Object.getOwnPropertyDescriptor(response, name)]));
  const restore = (): void => {
    for (const name of replaced) {
      const before = own[name];
      if (before === undefined) Reflect.deleteProperty(response, name);
      else Object.defineProperty(response, name, before);
    }
  };
  const collect = (chunk: unknown, encoding: unknown): void => {
    if (chunk === undefined || chunk === null || typeof chunk === 'function') return;
    if (typeof chunk === 'string') {
      chunks.push(Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'));
    } else if (chunk instanceof Uint8Array) {
      chunks.push(Buffer.from(chunk));
    } else {
      throw new TypeError('sspi-auth: a response body is a string, a Buffer or a Uint8Array');
    }
  };

  response.writeHead = (status: number, ...more: unknown[]) => {
    response.statusCode = status;
    if (typeof more[0] === 'string') response.statusMessage = more.shift() as string;
    setFields(response, more[0]);
    return response;
  };
  // Fields have to wait for the length of the body.
  response.flushHeaders = () => undefined;
  response.write = ((chunk: unknown, encoding?: unknown, callback?: unknown) => {
    if (ended) return false;
    collect(chunk, encoding);
    const written = [encoding, callback].find((value): value is Callback => typeof value === 'function');
    if (written !== undefined) process.nextTick(written);
    return true;
  }) as ServerResponse['write'];
  response.end = ((chunk?: unknown, encoding?: unknown, callback?: unknown) => {
    if (ended) return response;
    collect(chunk, encoding);
    ended = true;
    const finished = [chunk, encoding, callback].find((value): value is Callback => typeof value === 'function');
    if (finished !== undefined) response.once('finish', () => finished());
    const body = Buffer.concat(chunks);
    const send = (sealed: Sealed | undefined): void => {
      restore();
      if (!response.destroyed && !response.headersSent) sendSealed(response, body, sealed);
    };
    const { statusCode } = response;
    if (body.byteLength === 0 || response.req.method === 'HEAD' || statusCode === 204 || statusCode === 304) {
      restore();
      response.end(body);
    } else {
      seal(contentTypeOf(response), body).then(send, () => send(undefined));
    }
    return response;
  }) as ServerResponse['end'];
}

function sendSealed(response: ServerResponse, plain: Buffer, sealed: Sealed | undefined): void {
  plain.fill(0);
  response.removeHeader('Transfer-Encoding');
  response.removeHeader('ETag');
  if (sealed === undefined) {
    if (response.statusCode !== 401) response.statusCode = 500;
    response.statusMessage = '';
    response.removeHeader('Content-Type');
    response.setHeader('Content-Length', 0);
    response.end();
    return;
  }
  response.setHeader('Content-Type', sealed.contentType);
  response.setHeader('Content-Length', sealed.body.byteLength);
  response.end(sealed.body);
}

function contentTypeOf(response: ServerResponse): string {
  return String(response.getHeader('Content-Type') ?? 'application/octet-stream');
}

/** Sets fields as `writeHead` takes them: an object, or names and values in one list. */
function setFields(response: ServerResponse, fields: unknown): void {
  if (Array.isArray(fields)) {
    const list = fields.flat() as (string | number)[];
    for (let index = 0; index + 1 < list.length; index += 2) {
      response.setHeader(String(list[index]), list[index + 1] ?? '');
    }
  } else if (typeof fields === 'object' && fields !== null) {
    for (const [name, value] of Object.entries(fields as Record<string, number | string | string[] | undefined>)) {
      if (value !== undefined) response.setHeader(name, value);
    }
  }
}
