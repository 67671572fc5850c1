/** flock of the C library. The kernel releases such a lock when its process ends, however it ends. */
import { constants } from 'node:os';
import type { LockResult } from '../../../kerberos/delegation/delegated-folder.ts';
import { koffi } from '../../koffi.ts';

/** <sys/file.h>, on Linux and macOS. */
const LOCK_EX = 2;
const LOCK_NB = 4;

let flock: ((descriptor: number, operation: number) => number) | undefined;

/** Locks a file without waiting. The lock ends when the descriptor is closed. */
export function lockFile(descriptor: number): LockResult {
  flock ??= koffi().load(null).func('flock', 'int', ['int', 'int']) as unknown as NonNullable<typeof flock>;
  if (flock(descriptor, LOCK_EX | LOCK_NB) === 0) return 'locked';
  return koffi().errno() === constants.errno.EWOULDBLOCK ? 'held by another' : 'unavailable';
}
