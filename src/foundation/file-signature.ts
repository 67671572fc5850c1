/** Notices that a file has changed. */
import { statSync } from 'node:fs';

/** A text that changes when the file is written or replaced by another one. Undefined if there is no file. */
export function fileSignature(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : [stat.dev, stat.ino, stat.size, stat.mtimeNs].join(':');
}
