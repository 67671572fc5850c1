/**
 * A refusal that the application answers (option `refuse`). The library keeps the last word: status, challenges and
 * connection stay, and where the application throws or takes too long, the bare answer goes out (attack H16).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isThenable } from '../foundation/thenable.ts';
import { keepHead, mute } from './kept-head.ts';
import { endAndClose, endStream } from './request-body.ts';
import type { RefusalResponse } from './refusal.ts';

/** What the application may not change of a refusal. Caches must not store one either (attack A23). */
const keptNames: readonly string[] = ['www-authenticate', 'connection', 'cache-control', 'retry-after'];
/** Fields that belong to a body. */
const isOfBody = (name: string): boolean => /^content-/i.test(name);

export interface HeldRefusal {
  /** Whether the bare answer has gone out. What the application does after that has no effect. */
  readonly isOver: boolean;
  /**
   * Calls a function of the application that answers.
   *
   * @returns what it gives, now or later; undefined where the bare answer went out
   */
  run<T>(answer: () => T | PromiseLike<T>): T | undefined | Promise<T | undefined>;
}

/**
 * Sets the head of a refusal on its response, so that the application can answer it.
 *
 * @param milliseconds how long the application may take until the head of its answer
 * @param take called before the bare answer is written: takes the response from the framework
 * @param failed told of what the application throws
 */
export function holdRefusal(
  message: IncomingMessage,
  response: ServerResponse,
  refusal: RefusalResponse,
  milliseconds: number,
  { take, failed }: { readonly take?: () => void; readonly failed: (error: unknown) => void },
): HeldRefusal {
  const isHttp1 = message.httpVersionMajor === 1;
  const before = response.getHeaders();
  response.statusCode = refusal.status;
  const fields = new Map(keptNames.map((name) => [name, valueOf(before[name])]));
  fields.set('www-authenticate', undefined);
  for (const [name, value] of refusal.headers) {
    if (isOfBody(name)) continue;
    response.setHeader(name, value);
    if (keptNames.includes(name.toLowerCase())) fields.set(name.toLowerCase(), value);
  }
  if (refusal.closes && isHttp1) fields.set('connection', 'close');
  if (!isHttp1) fields.delete('connection');
  keepHead(response, { status: refusal.status, fields });
  if (refusal.closes && !isHttp1) response.once('finish', () => endStream(message));

  let isOver = false;
  let told: () => void = () => undefined;
  const bare = (): void => {
    if (isOver || response.headersSent || response.destroyed) return;
    isOver = true;
    take?.();
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    for (const [name, value] of Object.entries(before)) if (value !== undefined) response.setHeader(name, value);
    for (const [name, value] of refusal.headers) response.setHeader(name, value);
    if (refusal.closes) endAndClose(message, response, refusal.body);
    else response.end(refusal.body);
    mute(response);
    told();
  };
  const timer = setTimeout(() => {
    if (!isOver && !response.headersSent && !response.destroyed) {
      failed(new Error(`no answer within limits.handshakeMilliseconds (${milliseconds} ms)`));
    }
    bare();
  }, milliseconds).unref();
  response.once('close', () => clearTimeout(timer));
  const broke = (error: unknown): undefined => {
    if (!isOver) failed(error);
    bare();
    return undefined;
  };
  return {
    get isOver() {
      return isOver;
    },
    run<T>(answer: () => T | PromiseLike<T>) {
      try {
        const given = answer();
        if (!isThenable(given)) return given;
        const late = new Promise<undefined>((resolve) => (told = () => resolve(undefined)));
        return Promise.race([Promise.resolve(given).catch(broke), late]);
      } catch (error) {
        return broke(error);
      }
    },
  };
}

function valueOf(value: number | string | readonly string[] | undefined): string | readonly string[] | undefined {
  return typeof value === 'number' ? String(value) : value;
}
