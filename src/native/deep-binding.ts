/**
 * Whether a library may be opened so that it prefers its own dependencies (RTLD_DEEPBIND of dlopen). node exports the
 * symbols of its OpenSSL: a library that links the OpenSSL of the system, as WinPR does, would call node's otherwise, which
 * is of another version.
 */
import type * as Koffi from 'koffi';

/**
 * Functions that every allocator has and node itself does not use, so that their addresses tell whose allocator the
 * process has. That of `malloc` does not: node's executable has an entry of its own for it.
 */
const allocatorFunctions = ['aligned_alloc', 'malloc_usable_size'] as const;

/**
 * Where it is not glibc's, the answer is no: musl has no such flag, and neither has macOS.
 *
 * Where something has replaced the allocator of the C library (jemalloc by LD_PRELOAD, a sanitizer, Electron), a library
 * that is bound so would free with the C library what the other one has allocated, and the process would end with
 * `free(): invalid pointer`. It is opened as before then.
 *
 * Nor where a library is preloaded (LD_PRELOAD): it is meant to stand before the C library for the whole process, and a
 * library that is bound so goes past it. With libfaketime, libkrb5 would have another clock than node.
 */
export function bindsDeep({ load, address }: Pick<typeof Koffi, 'load' | 'address'>): boolean {
  if (process.platform !== 'linux' || Boolean(process.env['LD_PRELOAD'])) return false;
  try {
    const [ours, glibc] = [load(null), load('libc.so.6')];
    return allocatorFunctions.every((name) => address(ours.symbol(name)) === address(glibc.symbol(name)));
  } catch {
    return false;
  }
}
