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

/** Memory of one SecHandle. */
interface HandleSlot {
  readonly memory: Buffer;
  readonly address: bigint;
}

/** Slots are cut from blocks and used again: a block of its own for each handle would cost more than the call. */
const SLOTS_IN_BLOCK = 256;
const freeSlots: HandleSlot[] = [];

function takeSlot(): HandleSlot {
  const free = freeSlots.pop();
  if (free !== undefined) return free;
  const { size } = layouts.SecHandle;
  const block = Buffer.allocUnsafeSlow(SLOTS_IN_BLOCK * size);
  const address = koffi().address(block);
  for (let index = 1; index < SLOTS_IN_BLOCK; index++) freeSlots.push(slotOf(block, address, index * size));
  return slotOf(block, address, 0);
}

function slotOf(block: Buffer, address: bigint, at: number): HandleSlot {
  return { memory: block.subarray(at, at + layouts.SecHandle.size), address: address + BigInt(at) };
}

/** A CredHandle or CtxtHandle in memory of its own, which native code may keep pointing to. */
export class NativeHandle implements Disposable {
  readonly #slot: HandleSlot;
  readonly #kind: 'credentials' | 'contexts';
  readonly #library: Secur32Library;
  #held = true;

  /**
   * @param value the SecHandle as the library filled it; copied
   */
  constructor(library: Secur32Library, kind: 'credentials' | 'contexts', value: Uint8Array) {
    this.#slot = takeSlot();
    this.#slot.memory.set(value);
    this.#kind = kind;
    this.#library = library;
    live[kind]++;
  }

  /** Where the SecHandle lies; 0 once it was given back, which every function answers with SEC_E_INVALID_HANDLE. */
  get address(): bigint {
    return this.#held ? this.#slot.address : 0n;
  }

  /** The SecHandle's bytes; not a copy. */
  get value(): Uint8Array {
    return this.#slot.memory;
  }

  /** Takes over the handle a later leg gave: it may differ from the one that went in. */
  replace(value: Uint8Array): void {
    this.#slot.memory.set(value);
  }

  /** FreeCredentialsHandle or DeleteSecurityContext, once; later calls do nothing. */
  [Symbol.dispose](): void {
    if (!this.#held) return;
    this.#held = false;
    live[this.#kind]--;
    const { FreeCredentialsHandle, DeleteSecurityContext } = this.#library.security;
    const { memory, address } = this.#slot;
    if (this.#kind === 'credentials') FreeCredentialsHandle(address);
    else DeleteSecurityContext(address);
    memory.fill(0xff);
    freeSlots.push(this.#slot);
  }
}

const noHandle = Buffer.alloc(layouts.SecHandle.size);
const invalidatedHandle = Buffer.alloc(layouts.SecHandle.size, 0xff);

/** Whether a SecHandle stands for something: not what it was initialised with, not SecInvalidateHandle's value. */
export function isHandle(value: Buffer): boolean {
  return !value.equals(noHandle) && !value.equals(invalidatedHandle);
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
