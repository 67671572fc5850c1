/** A native credential that is shared: AcquireCredentialsHandleW is slow, it may read files and ask the domain. */
import type { NativeHandle } from './native-handles.ts';

/** A native credential with a count of the credentials, calls and contexts that use it. */
export class SharedCredential {
  readonly handle: NativeHandle;
  readonly expiry: Date | undefined;
  readonly #onFree: () => void;
  #users = 0;

  constructor(handle: NativeHandle, expiry: Date | undefined, onFree: () => void) {
    this.handle = handle;
    this.expiry = expiry;
    this.#onFree = onFree;
  }

  /** Adds a user. */
  retain(): this {
    this.#users++;
    return this;
  }

  /** Removes a user. After the last one, the native credential is freed. */
  release(): void {
    if (--this.#users > 0) return;
    this.handle[Symbol.dispose]();
    this.#onFree();
  }
}
