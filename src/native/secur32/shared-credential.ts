/** One native credential for all who accept with it: AcquireCredentialsHandleW may read files and ask the domain. */
import type { NativeHandle } from './native-handles.ts';

/** A native credential and how many handles and contexts still need it. */
export class SharedCredential {
  readonly handle: NativeHandle;
  readonly expiry: Date | undefined;
  readonly #forget: () => void;
  #users = 0;

  constructor(handle: NativeHandle, expiry: Date | undefined, forget: () => void) {
    this.handle = handle;
    this.expiry = expiry;
    this.#forget = forget;
  }

  /** One more user. */
  retain(): this {
    this.#users++;
    return this;
  }

  /** One user less; the last one frees it. */
  release(): void {
    if (--this.#users > 0) return;
    this.#forget();
    this.handle[Symbol.dispose]();
  }
}
