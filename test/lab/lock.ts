/** A lock between processes, for what a machine has once: its packages, a cache. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Runs work that only one process of this machine may do at a time.
 *
 * The lock is the name of an abstract Unix socket: the kernel gives it to one process and takes it back when that process
 * ends, however it ends. Linux only, as are the tiers that need it.
 *
 * @param name of the lock
 * @param timeout milliseconds to wait for another owner, default 15 minutes
 */
export async function withLock<T>(name: string, work: () => Promise<T>, timeout = 900_000): Promise<T> {
  const deadline = Date.now() + timeout;
  for (;;) {
    const lock = createServer();
    lock.listen(`\0sspi-auth-${name}`);
    try {
      await once(lock, 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      if (Date.now() > deadline)
        throw new Error(`lock ${name} was held by another process for ${timeout} ms`, { cause: error });
      await delay(50);
      continue;
    }
    try {
      return await work();
    } finally {
      lock.close();
    }
  }
}
