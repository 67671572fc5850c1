/** EncryptMessage and DecryptMessage of a stream of TLS: one record a call. They ask nobody, so they run synchronously. */
import { SECPKG_ATTR_STREAM_SIZES } from '../../sspi/attributes.ts';
import type { StreamSizes } from '../../sspi/attributes.ts';
import * as Buffers from '../../sspi/buffers.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import type { Answer, MessageAnswer } from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import { queryContextAttribute } from './context-attributes.ts';
import type { Secur32Library } from './library.ts';
import type { NativeHandle } from './native-handles.ts';
import { giveBackCallMemory, takeCallMemory } from './security-buffers.ts';
import type { CallMemory } from './security-buffers.ts';

const empty = { type: Buffers.SECBUFFER_EMPTY, size: 0 } as const;

/** Statuses of DecryptMessage beside SEC_E_OK that are no failure of the record. */
const informational: readonly number[] = [Status.SEC_I_CONTEXT_EXPIRED, Status.SEC_I_RENEGOTIATE];

export class StreamMessages {
  readonly #library: Secur32Library;
  readonly #handle: NativeHandle;
  #sizes: StreamSizes | undefined;

  constructor(library: Secur32Library, handle: NativeHandle) {
    this.#library = library;
    this.#handle = handle;
  }

  encrypt(message: readonly SecBuffer[]): MessageAnswer {
    const datas = message.filter(({ type }) => (type & Buffers.SECBUFFER_TYPE_MASK) === Buffers.SECBUFFER_DATA);
    if (datas.length === 0) return { status: Status.SEC_E_INVALID_TOKEN };
    const sizes = this.#streamSizes();
    if (sizes.value === undefined) return { status: sizes.status };
    const { header, trailer, maximumMessage } = sizes.value;
    const data = Buffer.concat(datas.map((buffer) => buffer.data));
    if (data.byteLength > maximumMessage) return { status: Status.SEC_E_BUFFER_TOO_SMALL };
    if (data.byteLength === 0) return { status: Status.SEC_E_OK, value: [] };
    const memory = takeCallMemory(header + data.byteLength + trailer);
    try {
      // One behind the other: Schannel writes a record in place.
      const descriptor = memory.describe(
        0,
        [
          { type: Buffers.SECBUFFER_STREAM_HEADER, size: header },
          { type: Buffers.SECBUFFER_DATA, data },
          { type: Buffers.SECBUFFER_STREAM_TRAILER, size: trailer },
          empty,
        ],
        1,
      );
      const status = this.#library.security.EncryptMessage(this.#handle.address, 0, descriptor, 0) >>> 0;
      if (status !== Status.SEC_E_OK) return { status: failed(status) };
      const parts = [0, 1, 2].map((index) => memory.read(0, index));
      const record = parts.filter((part) => part !== undefined);
      if (record.length < parts.length) return { status: Status.SEC_E_INTERNAL_ERROR };
      if (Buffers.findBuffer(message, Buffers.SECBUFFER_STREAM_HEADER) !== undefined) return { status, value: record };
      const whole = Buffer.concat(record.map((part) => part.data));
      return { status, value: [{ type: Buffers.SECBUFFER_TOKEN, data: whole }] };
    } finally {
      data.fill(0);
      giveBackCallMemory(memory);
    }
  }

  decrypt(message: readonly SecBuffer[]): MessageAnswer {
    const data = received(message);
    if (data === undefined) return { status: Status.SEC_E_INVALID_TOKEN };
    const memory = takeCallMemory(data.byteLength);
    try {
      const descriptor = memory.describe(0, [{ type: Buffers.SECBUFFER_DATA, data }, empty, empty, empty]);
      const { DecryptMessage } = this.#library.security;
      const status = DecryptMessage(this.#handle.address, descriptor, 0, memory.attributesAddress) >>> 0;
      if (status === Status.SEC_E_INCOMPLETE_MESSAGE) return { status, missing: missingOf(memory) };
      if (status !== Status.SEC_E_OK && !informational.includes(status)) return { status: failed(status) };
      const value = opened(memory, data.byteLength, status === Status.SEC_E_OK);
      return value === undefined ? { status: Status.SEC_E_INTERNAL_ERROR } : { status, value };
    } finally {
      giveBackCallMemory(memory);
    }
  }

  #streamSizes(): Answer<StreamSizes> {
    if (this.#sizes !== undefined) return { status: Status.SEC_E_OK, value: this.#sizes };
    const answer = queryContextAttribute(this.#library, this.#handle.address, SECPKG_ATTR_STREAM_SIZES);
    const { header = 0, trailer = 0, maximumMessage = 0 } = answer.value ?? {};
    // RFC 8446 section 5.1 and 5.2, with room to spare: no record is longer.
    if (header > 1024 || trailer > 1024 || maximumMessage > 0x10000) return { status: Status.SEC_E_INTERNAL_ERROR };
    this.#sizes = answer.value;
    return answer;
  }
}

function received(message: readonly SecBuffer[]): Uint8Array | undefined {
  for (const type of [Buffers.SECBUFFER_DATA, Buffers.SECBUFFER_TOKEN, Buffers.SECBUFFER_STREAM]) {
    const found = Buffers.findBuffer(message, type);
    if (found !== undefined) return found.data;
  }
  return undefined;
}

/** No success without SEC_E_OK. */
function failed(status: number): number {
  return status < 0x80000000 || status === Status.SEC_E_INCOMPLETE_MESSAGE ? Status.SEC_E_INTERNAL_ERROR : status;
}

function missingOf(memory: CallMemory): number | undefined {
  for (let index = 0; index < 4; index++) {
    const { type, size } = memory.header(0, index);
    if (type === Buffers.SECBUFFER_MISSING) return size;
  }
  return undefined;
}

/** DATA, then EXTRA: the end of the input. Undefined if the library points outside of it. */
function opened(memory: CallMemory, length: number, withData: boolean): readonly SecBuffer[] | undefined {
  const value: SecBuffer[] = [];
  let extra: SecBuffer | undefined;
  for (let index = 0; index < 4; index++) {
    const { type, size } = memory.header(0, index);
    if (type === Buffers.SECBUFFER_DATA && (withData || index > 0)) {
      const buffer = memory.read(0, index);
      if (buffer === undefined) return undefined;
      value.push({ type, data: buffer.data });
    } else if (type === Buffers.SECBUFFER_EXTRA && size > 0) {
      if (size > length) return undefined;
      extra = { type, data: memory.input(0, length - size, size) };
    }
  }
  if (withData && value.length === 0) value.push({ type: Buffers.SECBUFFER_DATA, data: new Uint8Array(0) });
  return extra === undefined ? value : [...value, extra];
}
