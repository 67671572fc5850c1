/**
 * What redisStore() asks of a client of Redis. The clients are recognised by their functions, so that this library
 * imports neither package. Each call is one command on one key, which Redis Cluster needs.
 */
import { OptionError } from '../foundation/errors.ts';
import { shown } from '../foundation/option-values.ts';
import { storeError } from './store-error.ts';

/**
 * A client of node-redis: createClient(), createClientPool(), createCluster() or createSentinel(). Parameters are left
 * open, since each release has other types for them.
 */
export interface NodeRedisClient {
  set(...parameters: never[]): Promise<unknown>;
  get(...parameters: never[]): Promise<unknown>;
  getDel(...parameters: never[]): Promise<unknown>;
  del(...parameters: never[]): Promise<unknown>;
  eval(...parameters: never[]): Promise<unknown>;
}

/** A client of ioredis: Redis or Cluster. */
export interface IoRedisClient {
  set(...parameters: never[]): Promise<unknown>;
  get(...parameters: never[]): Promise<unknown>;
  getdel(...parameters: never[]): Promise<unknown>;
  del(...parameters: never[]): Promise<unknown>;
  eval(...parameters: never[]): Promise<unknown>;
}

/** A client of Redis or Valkey that redisStore() can use. */
export type RedisClient = NodeRedisClient | IoRedisClient;

/** The commands that are used, whichever client sends them. Replies are as the client gives them. */
export interface RedisCommands {
  /** `SET key value PX ttl NX` */
  setIfAbsent(key: string, value: string, ttl: number): Promise<unknown>;
  /** `SET key value PX ttl` */
  set(key: string, value: string, ttl: number): Promise<unknown>;
  get(key: string): Promise<unknown>;
  /** `GETDEL key`, since Redis 6.2 */
  getDel(key: string): Promise<unknown>;
  del(key: string): Promise<unknown>;
  /** A script with one key and one argument. */
  evaluate(script: string, key: string, argument: string): Promise<unknown>;
}

type Functions = Readonly<Record<string, (...parameters: unknown[]) => Promise<unknown>>>;

const common = ['set', 'get', 'del', 'eval'] as const;

/**
 * Recognises a client.
 *
 * @throws OptionError for anything else
 */
export function redisCommands(client: unknown): RedisCommands {
  const functions = (typeof client === 'object' && client !== null ? client : {}) as Functions;
  if (common.every((name) => typeof functions[name] === 'function')) {
    silence(functions);
    if (typeof functions['getDel'] === 'function') return nodeRedis(functions);
    if (typeof functions['getdel'] === 'function') return ioRedis(functions);
  }
  throw new OptionError(
    'client',
    `${shown(client)}, which is no client of redis 5 or ioredis 5, or of later ones`,
    'Give redisStore() what createClient() of redis gives, or new Redis() of ioredis.',
  );
}

/**
 * A client whose connection breaks emits `error`; without a listener node-redis ends the process so. The store says
 * itself that Redis is away, with the first operation that fails.
 */
function silence(client: object): void {
  const { on } = client as { readonly on?: unknown };
  if (typeof on === 'function') on.call(client, 'error', () => undefined);
}

function nodeRedis(client: Functions): RedisCommands {
  return {
    setIfAbsent: (key, value, ttl) => call(client, 'set', key, value, { PX: ttl, NX: true }),
    set: (key, value, ttl) => call(client, 'set', key, value, { PX: ttl }),
    get: (key) => call(client, 'get', key),
    getDel: (key) => call(client, 'getDel', key),
    del: (key) => call(client, 'del', key),
    evaluate: (script, key, argument) => call(client, 'eval', script, { keys: [key], arguments: [argument] }),
  };
}

function ioRedis(client: Functions): RedisCommands {
  return {
    setIfAbsent: (key, value, ttl) => call(client, 'set', key, value, 'PX', ttl, 'NX'),
    set: (key, value, ttl) => call(client, 'set', key, value, 'PX', ttl),
    get: (key) => call(client, 'get', key),
    getDel: (key) => call(client, 'getdel', key),
    del: (key) => call(client, 'del', key),
    evaluate: (script, key, argument) => call(client, 'eval', script, 1, key, argument),
  };
}

/** Errors of the clients hold the command with its values, which may be secrets: only their message goes on. */
async function call(client: Functions, name: string, ...parameters: unknown[]): Promise<unknown> {
  try {
    return await client[name]?.(...parameters);
  } catch (error) {
    const message = error instanceof Error ? error.message : 'no reason given';
    throw storeError(`Redis: ${message.replace(/,? with args beginning with.*$/is, '').slice(0, 200)}`);
  }
}
