/**
 * Promises from outside: from an operator's function, an account source or a logger. They may come from another realm
 * (a test runner's, node:vm) or from a promise library. Then they are not instances of this realm's Promise.
 */

/** Whether a value is a promise of any kind, and so must be waited for. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  );
}
