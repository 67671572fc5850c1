/**
 * Random bytes of the machine, fetched in blocks: one call of the generator takes longer than all else that an accept
 * needs it for (bench/kerberos-portable.bench.ts). What is given out is wiped here, so nobody finds it twice.
 */
import { randomFillSync } from 'node:crypto';
import { startupSnapshot } from 'node:v8';

const POOL_BYTES = 4096;
/** More bytes at once come from the generator itself. */
const MOST_BYTES = 256;

const pool = new Uint8Array(POOL_BYTES);
let used = POOL_BYTES;

/**
 * A pool that went into a snapshot of the process would give the same bytes after each start. Deno and Bun have none, and
 * Node says 1 for yes.
 */
function isForSnapshot(): boolean {
  return Boolean((startupSnapshot as typeof startupSnapshot | undefined)?.isBuildingSnapshot());
}

/**
 * Unpredictable bytes, each given out once.
 *
 * @param size in bytes
 * @throws Error of node:crypto if the generator fails
 */
export function randomBytes(size: number): Uint8Array {
  if (size > MOST_BYTES || isForSnapshot()) return randomFillSync(new Uint8Array(size));
  if (used + size > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = pool.slice(used, used + size);
  pool.fill(0, used, used + size);
  used += size;
  return bytes;
}
