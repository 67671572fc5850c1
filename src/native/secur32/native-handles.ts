/**
 * Native resources of this process: credentials, contexts, access tokens, buffers, certificates and their stores. Each has one owner, which
 * releases it exactly once (attack G09). They are counted, so that tests can find leaks.
 */
import { koffi } from '../koffi.ts';
import { layouts, pointerBytes } from './declarations.ts';
import type { Secur32Library, WindowsFunctions } from './library.ts';

/** Kinds of native resources. */
export type NativeKind = 'credentials' | 'contexts' | 'tokens' | 'buffers' | 'certificates';

const live: Record<NativeKind, number> = { credentials: 0, contexts: 0, tokens: 0, buffers: 0, certificates: 0 };

/** How many resources of each kind are not released yet. For tests, and to find leaks. */
export function liveNativeHandles(): Readonly<Record<NativeKind, number>> {
  return { ...live };
}

/** Memory of one SecHandle. */
interface HandleSlot {
  readonly memory: Buffer;
  readonly address: bigint;
}

/**
 * Slots are parts of a larger block and are reused. To allocate memory for each handle would cost more than the call.
 */
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

/** A CredHandle or CtxtHandle at an address that does not change, so that native code may keep a pointer to it. */
export class NativeHandle implements Disposable {
  readonly #slot: HandleSlot;
  readonly #kind: 'credentials' | 'contexts';
  readonly #library: Secur32Library;
  #held = true;

  /**
   * @param value the SecHandle that the library filled. It is copied
   */
  constructor(library: Secur32Library, kind: 'credentials' | 'contexts', value: Uint8Array) {
    this.#slot = takeSlot();
    this.#slot.memory.set(value);
    this.#kind = kind;
    this.#library = library;
    live[kind]++;
  }

  /** Address of the SecHandle. 0 after its release: every function of SSPI answers SEC_E_INVALID_HANDLE to that. */
  get address(): bigint {
    return this.#held ? this.#slot.address : 0n;
  }

  /** The bytes of the SecHandle, not a copy. */
  get value(): Uint8Array {
    return this.#slot.memory;
  }

  /** Stores the handle that a later leg returned. It may differ from the handle that was passed in. */
  replace(value: Uint8Array): void {
    this.#slot.memory.set(value);
  }

  /** Calls FreeCredentialsHandle or DeleteSecurityContext once. Later calls do nothing. */
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

/** Whether a SecHandle is valid: neither all zeros, as it was initialised, nor the value of SecInvalidateHandle. */
export function isHandle(value: Buffer): boolean {
  return !value.equals(noHandle) && !value.equals(invalidatedHandle);
}

/** Calls `use` with memory that the library allocated, and FreeContextBuffer afterwards, also if `use` throws. */
export function withContextBuffer<T>(library: Secur32Library, address: bigint, use: (address: bigint) => T): T {
  live.buffers++;
  try {
    return use(address);
  } finally {
    library.security.FreeContextBuffer(address);
    live.buffers--;
  }
}

/** Calls `use`, and LsaFreeMemory afterwards for each address that is not null, also if `use` throws. */
export function withLsaMemory<T>(functions: WindowsFunctions, addresses: readonly bigint[], use: () => T): T {
  const allocated = addresses.filter((address) => address !== 0n);
  live.buffers += allocated.length;
  try {
    return use();
  } finally {
    for (const address of allocated) functions.LsaFreeMemory(address);
    live.buffers -= allocated.length;
  }
}

/** Calls `use` with an access token, and CloseHandle afterwards, also if `use` throws. */
export function withAccessToken<T>(token: WindowsFunctions, handle: bigint, use: (handle: bigint) => T): T {
  live.tokens++;
  try {
    return use(handle);
  } finally {
    token.CloseHandle(handle);
    live.tokens--;
  }
}

/** A certificate or a certificate store was given out (1) or given back (-1). */
export function countCertificates(change: 1 | -1): void {
  live.certificates += change;
}

/** A copy of native memory. */
export function nativeBytes(address: bigint, length: number): Uint8Array {
  return length === 0
    ? new Uint8Array(0)
    : Uint8Array.from(koffi().decode(address, 'uint8', length) as ArrayLike<number>);
}

/** Reads a pointer of this process at an offset. */
export function readPointer(memory: Buffer, offset: number): bigint {
  return pointerBytes === 8 ? memory.readBigUInt64LE(offset) : BigInt(memory.readUInt32LE(offset));
}

/** Writes a pointer of this process at an offset. */
export function writePointer(memory: Buffer, address: bigint, offset: number): void {
  if (pointerBytes === 8) memory.writeBigUInt64LE(address, offset);
  else memory.writeUInt32LE(Number(address), offset);
}
