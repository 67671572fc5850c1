/** Calls on threads of libuv's pool: a frame each, and never more at once than koffi takes. */
import { Frame } from './frame.ts';
import type { GssapiLibrary, NativeFunction, Pointer } from './library.ts';

/** libuv has four threads by default and koffi takes 256 calls; what is above this waits here. */
const MAX_CALLS = 32;

export class AsyncCalls {
  readonly #library: GssapiLibrary;
  readonly #idle: Frame[] = [];
  readonly #waiting: ((frame: Frame) => void)[] = [];
  #frames = 0;

  constructor(library: GssapiLibrary) {
    this.#library = library;
  }

  /** A frame for one call after the other; waits for one where all are in use. Give it back with leave. */
  enter(): Promise<Frame> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return Promise.resolve(idle);
    if (this.#frames < MAX_CALLS) {
      this.#frames++;
      return Promise.resolve(new Frame(this.#library));
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  leave(frame: Frame): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(frame);
    else next(frame);
  }

  /** Runs a function on another thread. */
  run(call: NativeFunction, ...args: readonly (Pointer | number)[]): Promise<number> {
    return new Promise((resolve, reject) => {
      call.async(...args, (error, result) => {
        if (error === null) resolve(result);
        else reject(error);
      });
    });
  }
}
