/**
 * Promises from outside: of an operator's function, an account source, a logger. They may be of another realm (a test
 * runner's, node:vm) or of a library of their own, and are then no instances of this realm's Promise.
 */

/** Whether a value has to be waited for. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  );
}
