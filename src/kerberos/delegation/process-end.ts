/** Has something done before the process ends: at its exit, and when a signal ends it. */

/** Signals that end a process by default, and that a process can listen for. */
const ENDING_SIGNALS: readonly NodeJS.Signals[] = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'];

/**
 * Registers a function to be called once, before the process ends.
 *
 * A signal has the effect that it would have without this. If nothing else listens for it, it ends the process, which
 * then has the signal as its status. If something else listens, that decides; it does not see this listener.
 *
 * @param end is called synchronously
 * @returns takes the registration back
 */
export function whenProcessEnds(end: () => void): () => void {
  let isRegistered = true;
  const onSignal = (signal: NodeJS.Signals): void => {
    // Gone before the others run: some of them end the process only if nobody else listens.
    process.removeListener(signal, onSignal);
    if (process.listenerCount(signal) === 0) {
      unregister();
      end();
      process.kill(process.pid, signal);
      return;
    }
    // The process may go on; then the next signal counts.
    setImmediate(() => {
      if (isRegistered) process.prependListener(signal, onSignal);
    });
  };
  const unregister = (): void => {
    isRegistered = false;
    for (const signal of ENDING_SIGNALS) process.removeListener(signal, onSignal);
    process.removeListener('exit', end);
  };
  process.once('exit', end);
  // The first process of a container has no default actions: signals that nothing listens for do not end it.
  if (process.pid !== 1) for (const signal of ENDING_SIGNALS) process.prependListener(signal, onSignal);
  return unregister;
}
