/**
 * What this process holds of the operating system: credentials, contexts, access tokens and buffers, each with one owner
 * that gives it back exactly once (attack G09), and counted, so that a test can see that nothing is left.
 */
import { koffi } from '../koffi.ts';
import { layouts, pointerBytes } from './declarations.ts';
import type { Secur32Library } from './library.ts';

/** What can be held. */
export type NativeKind = 'credentials' | 'contexts' | 'tokens' | 'buffers';

const live: Record<NativeKind, number> = { credentials: 0, contexts: 0, tokens: 0, buffers: 0 };

/** How many of each kind have not been given back to the operating system; for tests and for finding leaks. */
export function liveNativeHandles(): Readonly<Record<NativeKind, number>> {
  return { ...live };
}

/** A CredHandle or CtxtHandle in memory of its own, which native code may keep pointing to. */
export class NativeHandle implements Disposable {
  /** Where the SecHandle lies. */
  readonly address: bigint;
  readonly #memory: Buffer;
  readonly #kind: 'credentials' | 'contexts';
  readonly #library: Secur32Library;
  #held = true;

  /**
   * @param value the SecHandle as the library filled it; copied
   */
  constructor(library: Secur32Library, kind: 'credentials' | 'contexts', value: Uint8Array) {
    this.#memory = Buffer.allocUnsafeSlow(layouts.SecHandle.size);
    this.#memory.set(value);
    this.address = koffi().address(this.#memory);
    this.#kind = kind;
    this.#library = library;
    live[kind]++;
  }

  /** The SecHandle's bytes; not a copy. */
  get value(): Uint8Array {
    return this.#memory;
  }

  /** Takes over the handle a later leg gave: it may differ from the one that went in. */
  replace(value: Uint8Array): void {
    this.#memory.set(value);
  }

  /** FreeCredentialsHandle or DeleteSecurityContext, once; later calls do nothing. */
  [Symbol.dispose](): void {
    if (!this.#held) return;
    this.#held = false;
    live[this.#kind]--;
    const { FreeCredentialsHandle, DeleteSecurityContext } = this.#library.security;
    if (this.#kind === 'credentials') FreeCredentialsHandle(this.address);
    else DeleteSecurityContext(this.address);
    // SecInvalidateHandle: whoever still points here gets SEC_E_INVALID_HANDLE instead of somebody else's context.
    this.#memory.fill(0xff);
  }
}

/** Whether a SecHandle stands for something: not what it was initialised with, not SecInvalidateHandle's value. */
export function isHandle(value: Uint8Array): boolean {
  return value.some((byte) => byte !== 0) && value.some((byte) => byte !== 0xff);
}

/** Memory the library allocated: read with `use`, then FreeContextBuffer, whatever happens. */
export function withContextBuffer<T>(library: Secur32Library, address: bigint, use: (address: bigint) => T): T {
  live.buffers++;
  try {
    return use(address);
  } finally {
    library.security.FreeContextBuffer(address);
    live.buffers--;
  }
}

/** An access token: used, then closed, whatever happens. */
export function withAccessToken<T>(
  token: NonNullable<Secur32Library['token']>,
  handle: bigint,
  use: (handle: bigint) => T,
): T {
  live.tokens++;
  try {
    return use(handle);
  } finally {
    token.CloseHandle(handle);
    live.tokens--;
  }
}

/** Reads a pointer from memory of this process. */
export function readPointer(memory: Buffer, offset: number): bigint {
  return pointerBytes === 8 ? memory.readBigUInt64LE(offset) : BigInt(memory.readUInt32LE(offset));
}

/** Writes a pointer. */
export function writePointer(memory: Buffer, address: bigint, offset: number): void {
  if (pointerBytes === 8) memory.writeBigUInt64LE(address, offset);
  else memory.writeUInt32LE(Number(address), offset);
}
