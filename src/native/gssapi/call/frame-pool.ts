/** Frames for calls off the event loop: one each, and no more of them than calls that run at once. */
import { asyncCallLimit, MOST_WAITING } from '../../koffi.ts';
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
   * A frame of one's own; waits for one where all are in use. Give it back with leave.
   *
   * @returns undefined where too many wait already: whoever waits keeps a token, and a library that does not answer would
   *   fill the memory with them
   */
  enter(): Promise<Frame> | undefined {
    const idle = this.#idle.pop();
    if (idle !== undefined) return Promise.resolve(idle);
    if (this.#frames < asyncCallLimit) {
      this.#frames++;
      return Promise.resolve(new Frame(this.#library));
    }
    if (this.#waiting.length >= MOST_WAITING) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  leave(frame: Frame): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(frame);
    else next(frame);
  }
}
