/** Deadlines of what a function of the application is waited for. */

/**
 * The value of a promise, if it comes in time.
 *
 * @param milliseconds how long it is waited for
 * @param late makes the error that the result is rejected with if it does not come in time
 */
export function inTime<T>(value: PromiseLike<T>, milliseconds: number, late: () => Error): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), milliseconds).unref();
    value.then(
      (settled) => {
        clearTimeout(timer);
        resolve(settled);
      },
      (error: unknown) => {
        clearTimeout(timer);
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what the application rejected with
        reject(error);
      },
    );
  });
}

/** The error for a function of the application that did not answer in time. */
export function tooLate(milliseconds: number): Error {
  return new Error(`no answer within limits.handshakeMilliseconds (${milliseconds} ms)`);
}
