/** Groups that do not fit into a cookie. The store has them; the cookie has their key and their hash. */
import { createHash } from 'node:crypto';
import type { Group } from '../identity/identity.ts';
import type { SharedStore } from '../stores/shared-store.ts';
import { decodeGroups, encodeGroups } from './session-content.ts';
import type { GroupReference } from './session-content.ts';

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url');
}

function storeKey(key: string): string {
  return `session-groups:${key}`;
}

/**
 * Keeps groups.
 *
 * @param key random, of the session
 * @param ttl time to live in milliseconds
 * @throws what the store throws
 */
export async function storeGroups(
  store: SharedStore,
  key: string,
  groups: readonly Group[],
  ttl: number,
): Promise<GroupReference> {
  const bytes = encodeGroups(groups);
  await store.set(storeKey(key), bytes, ttl);
  return { key, hash: hashOf(bytes) };
}

/**
 * The groups of a reference.
 *
 * @returns undefined if the store does not have them, or has something else: a user without his groups is another user
 * @throws what the store throws
 */
export async function storedGroups(
  store: SharedStore,
  { key, hash }: GroupReference,
): Promise<readonly Group[] | undefined> {
  const bytes = await store.get(storeKey(key));
  return bytes === undefined || hashOf(bytes) !== hash ? undefined : decodeGroups(bytes);
}
