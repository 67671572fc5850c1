/** Frames for calls off the event loop: one each, and no more of them than calls that run at once. */
import { asyncCallLimit } from '../koffi.ts';
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

  /** A frame of one's own; waits for one where all are in use. Give it back with leave. */
  enter(): Promise<Frame> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return Promise.resolve(idle);
    if (this.#frames < asyncCallLimit) {
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
}
