/**
 * MakeSignature, VerifySignature, EncryptMessage and DecryptMessage of a native context. They ask no other machine, so
 * they run synchronously.
 */
import { SECPKG_ATTR_SIZES } from '../../sspi/attributes.ts';
import type { ContextSizes } from '../../sspi/attributes.ts';
import { SECBUFFER_DATA, SECBUFFER_PADDING, SECBUFFER_TOKEN, SECBUFFER_TYPE_MASK } from '../../sspi/buffers.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import type { Answer } from '../../sspi/security-package.ts';
import { SEC_E_INTERNAL_ERROR, SEC_E_OK } from '../../sspi/status.ts';
import { queryContextAttribute } from './context-attributes.ts';
import type { Secur32Library } from './library.ts';
import type { NativeHandle } from './native-handles.ts';
import { giveBackCallMemory, takeCallMemory } from './security-buffers.ts';
import type { CallMemory, OutputBuffer } from './security-buffers.ts';

/** Message protection of one established context. */
export class MessageProtection {
  readonly #library: Secur32Library;
  readonly #handle: NativeHandle;
  #sizes: ContextSizes | undefined;

  constructor(library: Secur32Library, handle: NativeHandle) {
    this.#library = library;
    this.#handle = handle;
  }

  makeSignature(message: readonly SecBuffer[], sequence = 0): Answer<readonly SecBuffer[]> {
    const sizes = this.#contextSizes();
    if (sizes.value === undefined) return { status: sizes.status };
    const buffers = [...message, { type: SECBUFFER_TOKEN, size: sizes.value.maxSignature }];
    const { MakeSignature } = this.#library.security;
    return this.#call(
      buffers,
      (descriptor) => MakeSignature(this.#handle.address, 0, descriptor, sequence),
      (memory) => buffersOf(memory, buffers.length, [SECBUFFER_TOKEN]),
    );
  }

  verifySignature(message: readonly SecBuffer[], sequence = 0): Answer<number> {
    const { VerifySignature } = this.#library.security;
    return this.#call(
      message,
      (descriptor, memory) => VerifySignature(this.#handle.address, descriptor, sequence, memory.attributesAddress),
      (memory) => memory.attributes,
    );
  }

  encryptMessage(message: readonly SecBuffer[], sequence = 0): Answer<readonly SecBuffer[]> {
    const sizes = this.#contextSizes();
    if (sizes.value === undefined) return { status: sizes.status };
    const { securityTrailer, blockSize } = sizes.value;
    const buffers = [
      { type: SECBUFFER_TOKEN, size: securityTrailer },
      ...message,
      // Only if the package pads: WinPR takes a buffer of a type it does not expect for the data.
      ...(blockSize === 0 ? [] : [{ type: SECBUFFER_PADDING, size: blockSize }]),
    ];
    const { EncryptMessage } = this.#library.security;
    return this.#call(
      buffers,
      (descriptor) => EncryptMessage(this.#handle.address, 0, descriptor, sequence),
      (memory) => buffersOf(memory, buffers.length, [SECBUFFER_TOKEN, SECBUFFER_DATA, SECBUFFER_PADDING]),
    );
  }

  decryptMessage(message: readonly SecBuffer[], sequence = 0): Answer<readonly SecBuffer[]> {
    // A STREAM buffer holds the signature and the data. The library then points the DATA buffer at the plain text
    // inside it.
    const hasData = message.some(({ type }) => (type & SECBUFFER_TYPE_MASK) === SECBUFFER_DATA);
    const buffers = hasData ? message : [...message, { type: SECBUFFER_DATA, size: 0 }];
    const { DecryptMessage } = this.#library.security;
    return this.#call(
      buffers,
      (descriptor, memory) => DecryptMessage(this.#handle.address, descriptor, sequence, memory.attributesAddress),
      (memory) => buffersOf(memory, buffers.length, [SECBUFFER_DATA]),
    );
  }

  #contextSizes(): Answer<ContextSizes> {
    if (this.#sizes !== undefined) return { status: SEC_E_OK, value: this.#sizes };
    const answer = queryContextAttribute(this.#library, this.#handle.address, SECPKG_ATTR_SIZES);
    this.#sizes = answer.value;
    return answer;
  }

  #call<T>(
    buffers: readonly (SecBuffer | OutputBuffer)[],
    native: (descriptor: bigint, memory: CallMemory) => number,
    result: (memory: CallMemory) => T | undefined,
  ): Answer<T> {
    const memory = takeCallMemory(
      buffers.reduce((sum, buffer) => sum + ('data' in buffer ? buffer.data.byteLength : buffer.size), 0),
    );
    try {
      const status = native(memory.describe(0, buffers), memory) >>> 0;
      // Informational codes such as SEC_I_RENEGOTIATE are not a success either.
      if (status !== SEC_E_OK) return { status: status < 0x80000000 ? SEC_E_INTERNAL_ERROR : status };
      const value = result(memory);
      return value === undefined ? { status: SEC_E_INTERNAL_ERROR } : { status: SEC_E_OK, value };
    } finally {
      giveBackCallMemory(memory);
    }
  }
}

/** The buffers of the given types, without empty PADDING. Undefined if a buffer is outside the memory of the call. */
function buffersOf(memory: CallMemory, count: number, types: readonly number[]): readonly SecBuffer[] | undefined {
  const found: SecBuffer[] = [];
  for (let index = 0; index < count; index++) {
    const buffer = memory.read(0, index);
    if (buffer === undefined) return undefined;
    const type = buffer.type & SECBUFFER_TYPE_MASK;
    if (!types.includes(type) || (type === SECBUFFER_PADDING && buffer.data.byteLength === 0)) continue;
    found.push({ type, data: buffer.data });
  }
  return found;
}
