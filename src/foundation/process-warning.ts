/** Where warnings for the operator go if the caller has no other place for them. */

/** Emits a process warning. Node writes it to standard error, unless the application listens for it. */
export function processWarning(message: string): void {
  process.emitWarning(message, { type: 'SspiAuthWarning' });
}
