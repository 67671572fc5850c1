/**
 * Frames for calls off the event loop. Each call has its own; there are as many as calls that may run at the same time.
 */
import { asyncCallLimit, MAX_WAITING_CALLS } from '../../koffi.ts';
import { Frame } from './frame.ts';
import type { GssapiLibrary } from './library.ts';

export class FramePool {
  readonly #library: GssapiLibrary;
  readonly #idle: Frame[] = [];
  readonly #waiting: ((frame: Frame) => void)[] = [];
  #frames = 0;

  constructor(library: GssapiLibrary) {
    this.#library = library;
  }

  /**
   * Takes a frame. If all are in use, the promise waits for one. Give the frame back with `release`.
   *
   * @returns undefined if `MAX_WAITING_CALLS` callers are already waiting. Each of them holds a token in memory;
   *   without a limit, a library that does not answer would fill the memory
   */
  acquire(): Promise<Frame> | undefined {
    const idle = this.#idle.pop();
    if (idle !== undefined) return Promise.resolve(idle);
    if (this.#frames < asyncCallLimit) {
      this.#frames++;
      return Promise.resolve(new Frame(this.#library));
    }
    if (this.#waiting.length >= MAX_WAITING_CALLS) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  release(frame: Frame): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(frame);
    else next(frame);
  }
}
