/** What clients have to be made of before they run, each thing once. */
import { mkdir } from 'node:fs/promises';
import { scratchFolder } from '../scratch.ts';
import type { ScratchFolder } from '../scratch.ts';
import type { RealClient } from './client.ts';

/** Made things, until they are disposed of. */
export class ClientBuilds implements AsyncDisposable {
  readonly #made = new Map<NonNullable<RealClient['build']>, Promise<string>>();
  #folder: Promise<ScratchFolder> | undefined;

  /** What the client's `build` gives; nothing where it has none. */
  of({ build }: RealClient): Promise<string> {
    if (build === undefined) return Promise.resolve('');
    let made = this.#made.get(build);
    if (made === undefined) this.#made.set(build, (made = this.#make(build)));
    return made;
  }

  async #make(build: NonNullable<RealClient['build']>): Promise<string> {
    this.#folder ??= scratchFolder('client-builds');
    const folder = (await this.#folder).file(String(this.#made.size));
    await mkdir(folder);
    return build(folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#made.values());
    await (await this.#folder)?.remove();
  }
}
