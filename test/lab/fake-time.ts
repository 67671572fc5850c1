/**
 * Programs with another clock, by libfaketime (Debian package `faketime`). Its command of that name is not used: it leaves
 * a named semaphore of its process id behind, and fails where it meets one.
 */

/** By the loader's own `$LIB`, whatever the machine calls its folder of libraries. */
const library = '/usr/$LIB/faketime/libfaketime.so.1';

/** @param shift such as `+20m` or `-90s` */
export function fakeTimeEnv(shift: string): Readonly<Record<string, string>> {
  return { LD_PRELOAD: library, FAKETIME: shift, DONT_FAKE_MONOTONIC: '1' };
}

/** Words before a program's own, which give it that clock. */
export function fakeTimeWords(shift: string): string[] {
  return ['env', ...Object.entries(fakeTimeEnv(shift)).map(([name, value]) => `${name}=${value}`)];
}
