/** What ends a command: a command line that is wrong, or something that cannot be done. */

/** A command line that cannot be understood. The message says why and, if possible, what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Something that cannot be done: a file that cannot be used, no password. The message says why, and what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}
