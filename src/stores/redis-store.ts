/** A SharedStore in Redis or Valkey, for processes on several machines. */
import { createHash } from 'node:crypto';
import { defaulted, readOptions } from '../foundation/option-table.ts';
import type { OptionsOf } from '../foundation/option-table.ts';
import { text } from '../foundation/option-values.ts';
import { redisCommands } from './redis-client.ts';
import type { RedisClient, RedisCommands } from './redis-client.ts';
import type { SharedStore } from './shared-store.ts';
import { storeError } from './store-error.ts';
import { checkedTtl } from './time-to-live.ts';

const redisStoreOptions = {
  /**
   * What every key begins with. Servers with different accounts or secrets that share one Redis take different ones. With
   * a part in braces, `{sso}:`, Redis Cluster keeps all keys in one place.
   */
  prefix: defaulted(text, 'sspi-auth:'),
};

/** Options of redisStore. */
export type RedisStoreOptions = OptionsOf<typeof redisStoreOptions>;

/** A SharedStore whose functions all give promises. */
export interface RedisStore extends SharedStore {
  claim(key: string, ttl: number): Promise<boolean>;
  count(key: string, ttl: number): Promise<number>;
  set(key: string, bytes: Uint8Array, ttl: number): Promise<void>;
  get(key: string): Promise<Uint8Array | undefined>;
  take(key: string): Promise<Uint8Array | undefined>;
  delete(key: string): Promise<void>;
}

/**
 * Makes a store in Redis (6.2 or newer) or Valkey, for all processes and machines whose clients reach the same server.
 * Each operation is one command on one key, atomic there. Redis must not evict keys (`maxmemory-policy noeviction`), and
 * what it loses in a failover or a flush it has forgotten: docs/fleets.md says what that means.
 *
 * The client stays yours: connect it, end it, log its errors. It should not queue commands while it has no connection,
 * and should give up one that is dead: docs/fleets.md has the settings.
 *
 * @param client a client of the package `redis` or `ioredis`, of a single server, a cluster or a sentinel
 * @throws OptionError `ERR_SSPI_AUTH_OPTION`; its functions reject with SspiAuthError `ERR_SSPI_AUTH_STORE`
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): RedisStore {
  const { prefix } = readOptions(redisStoreOptions, options, 'options');
  return new Store(redisCommands(client), prefix);
}

/** What a claim holds. A counter holds digits, and bytes begin with `v`. */
const CLAIMED = 'c';
const BYTES = 'v';

/** INCR alone would leave a new counter without its time; a counter that has lost it is given one. */
const COUNT = `local n = redis.call('INCR', KEYS[1])
if n == 1 or redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return n`;

class Store implements RedisStore {
  readonly #commands: RedisCommands;
  readonly #prefix: string;

  constructor(commands: RedisCommands, prefix: string) {
    this.#commands = commands;
    this.#prefix = prefix;
  }

  async claim(key: string, ttl: number): Promise<boolean> {
    const reply = replyText(await this.#commands.setIfAbsent(this.#key(key), CLAIMED, checkedTtl(ttl)));
    if (reply !== 'OK' && reply !== undefined) throw storeError('Redis: SET did not answer OK or nothing');
    return reply === 'OK';
  }

  async count(key: string, ttl: number): Promise<number> {
    const reply = await this.#commands.evaluate(COUNT, this.#key(key), String(checkedTtl(ttl)));
    const value = typeof reply === 'number' ? reply : Number(replyText(reply) ?? NaN);
    if (!Number.isSafeInteger(value) || value < 1) throw storeError('Redis: a counter is no number above 0');
    return value;
  }

  async set(key: string, bytes: Uint8Array, ttl: number): Promise<void> {
    const value = BYTES + Buffer.from(bytes).toString('base64url');
    const reply = replyText(await this.#commands.set(this.#key(key), value, checkedTtl(ttl)));
    if (reply !== 'OK') throw storeError('Redis: SET did not answer OK');
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return bytesOf(await this.#commands.get(this.#key(key)));
  }

  async take(key: string): Promise<Uint8Array | undefined> {
    return bytesOf(await this.#commands.getDel(this.#key(key)));
  }

  async delete(key: string): Promise<void> {
    await this.#commands.del(this.#key(key));
  }

  /** Any other than a plain short key is hashed; `#` is in no plain one, so neither can be taken for the other. */
  #key(key: string): string {
    const plain = /^[\w:.=-]{1,128}$/.test(key);
    return (
      this.#prefix + (plain ? key : `#${createHash('sha256').update(Buffer.from(key, 'utf16le')).digest('base64url')}`)
    );
  }
}

/** A reply that is text; undefined for none. A client may be set to give Buffers. */
function replyText(reply: unknown): string | undefined {
  if (reply === null || reply === undefined) return undefined;
  if (reply instanceof Uint8Array) return Buffer.from(reply).toString('latin1');
  if (typeof reply === 'string') return reply;
  throw storeError('Redis: a reply is no text');
}

/** Another program of the same Redis may have written something else: that is no value of ours (attack H13). */
function bytesOf(reply: unknown): Uint8Array | undefined {
  const value = replyText(reply);
  if (value === undefined || /^(?:c|\d+)$/.test(value)) return undefined;
  if (!/^v[\w-]*$/.test(value)) throw storeError('Redis: a value was written by another program');
  return Uint8Array.from(Buffer.from(value.slice(1), 'base64url'));
}
