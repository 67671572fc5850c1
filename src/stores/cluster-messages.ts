/**
 * What workers of node:cluster and their primary process say to each other. Messages are plain values that survive JSON,
 * so both kinds of `serialization` will do. Each side checks what it is sent (attack H15).
 */
import type { SharedStore } from './shared-store.ts';

/** Says that a message is one of these, and of which store. */
const MARK = 'sspi-auth:store';

/** Longest key, in characters. */
const MAX_KEY = 4096;

/** What a worker asks. */
export interface StoreRequest {
  readonly [MARK]: string;
  readonly number: number;
  readonly operation: Operation;
  readonly key: string;
  readonly ttl?: number | undefined;
  /** Base64. */
  readonly bytes?: string | undefined;
}

/** What the primary answers. */
export interface StoreReply {
  readonly [MARK]: string;
  readonly number: number;
  /** Base64, if it is bytes. */
  readonly value?: boolean | number | string | undefined;
  /** Why there is no value. */
  readonly error?: string | undefined;
}

const operations = ['claim', 'count', 'set', 'get', 'take', 'delete'] as const;
type Operation = (typeof operations)[number];

/** A request for the store of that name. */
export function storeRequest(store: string, request: Omit<StoreRequest, typeof MARK>): StoreRequest {
  return { [MARK]: store, ...request };
}

/** A message as a request, if it is one for the store of that name and has its shape. */
export function readRequest(message: unknown, store: string): StoreRequest | undefined {
  const request = marked(message, store);
  if (request === undefined) return undefined;
  const { operation, key, ttl, bytes } = request;
  const isWhole =
    operations.some((name) => name === operation) &&
    typeof key === 'string' &&
    key.length <= MAX_KEY &&
    (ttl === undefined || typeof ttl === 'number') &&
    (bytes === undefined || typeof bytes === 'string');
  return isWhole ? (request as unknown as StoreRequest) : undefined;
}

/** A message as a reply of the store of that name, if it has its shape. */
export function readReply(message: unknown, store: string): StoreReply | undefined {
  const reply = marked(message, store);
  if (reply === undefined || 'operation' in reply) return undefined;
  const { value, error } = reply;
  const isWhole =
    (value === undefined || ['boolean', 'number', 'string'].includes(typeof value)) &&
    (error === undefined || typeof error === 'string');
  return isWhole ? (reply as unknown as StoreReply) : undefined;
}

/** Answers a request from the store that the primary holds. */
export function replyTo(request: StoreRequest, held: SharedStoreInMemory): StoreReply {
  const about = { [MARK]: request[MARK], number: request.number };
  try {
    return { ...about, value: perform(request, held) };
  } catch (error) {
    return { ...about, error: error instanceof Error ? error.message : 'no reason given' };
  }
}

/** A store that answers at once. */
export type SharedStoreInMemory = {
  readonly [Name in Operation]: (
    ...parameters: Parameters<SharedStore[Name]>
  ) => Exclude<ReturnType<SharedStore[Name]>, Promise<unknown>>;
};

function perform(
  { operation, key, ttl = 0, bytes = '' }: StoreRequest,
  held: SharedStoreInMemory,
): StoreReply['value'] {
  switch (operation) {
    case 'claim':
      return held.claim(key, ttl);
    case 'count':
      return held.count(key, ttl);
    case 'set':
      held.set(key, Buffer.from(bytes, 'base64'), ttl);
      return undefined;
    case 'get':
    case 'take': {
      const value = held[operation](key);
      return value === undefined ? undefined : Buffer.from(value).toString('base64');
    }
    case 'delete':
      held.delete(key);
      return undefined;
  }
}

function marked(message: unknown, store: string): Readonly<Record<string, unknown>> | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const candidate = message as Readonly<Record<string, unknown>>;
  return candidate[MARK] === store && Number.isSafeInteger(candidate['number']) ? candidate : undefined;
}
