/**
 * NTLM clients on WinPR's own InitializeSecurityContextW (libwinpr2.so.2 of FreeRDP): an implementation of NTLM that
 * shares nothing with ours. Memory is laid out by hand, x64.
 */
import koffi from 'koffi';

/** Name of the library for the loader; Debian package libwinpr2-2. */
export const winprLibrary = 'libwinpr2.so.2';

export const ISC_REQ_CONFIDENTIALITY = 0x10;
export const ISC_REQ_INTEGRITY = 0x10000;
const ISC_REQ_CONNECTION = 0x800;

const SECPKG_CRED_OUTBOUND = 2;
const SEC_WINNT_AUTH_IDENTITY_UNICODE = 2;
const SECURITY_NATIVE_DREP = 0x10;
const DATA = 1;
const TOKEN = 2;
const CHANNEL_BINDINGS = 14;

type Call = (...values: readonly unknown[]) => number;

/** One call of WinPR with its arguments as koffi takes them. */
function load(): Record<'acquire' | 'initialize' | 'encrypt' | 'decrypt' | 'deleteContext' | 'freeCredential', Call> {
  const library = koffi.load(winprLibrary);
  const declare = (prototype: string): Call => library.func(prototype);
  return {
    acquire: declare(
      'int32_t AcquireCredentialsHandleW(void *principal, void *package, uint32_t use, void *logonId, void *authData, ' +
        'void *getKey, void *getKeyArgument, void *credential, void *expiry)',
    ),
    initialize: declare(
      'int32_t InitializeSecurityContextW(void *credential, void *context, void *target, uint32_t requirements, ' +
        'uint32_t reserved1, uint32_t dataRep, void *input, uint32_t reserved2, void *newContext, void *output, ' +
        'void *attributes, void *expiry)',
    ),
    encrypt: declare('int32_t EncryptMessage(void *context, uint32_t quality, void *message, uint32_t sequence)'),
    decrypt: declare('int32_t DecryptMessage(void *context, void *message, uint32_t sequence, void *quality)'),
    deleteContext: declare('int32_t DeleteSecurityContext(void *context)'),
    freeCredential: declare('int32_t FreeCredentialsHandle(void *credential)'),
  };
}

let loaded: ReturnType<typeof load> | undefined;
const winpr = (): ReturnType<typeof load> => (loaded ??= load());

const wide = (text: string): Buffer => Buffer.from(`${text}\0`, 'utf16le');

/** A pointer to bytes; the bytes must stay referenced while it is used. */
const address = (bytes: Uint8Array): bigint => koffi.address(bytes);

interface NativeBuffer {
  readonly type: number;
  readonly data: Uint8Array;
}

/** SecBufferDesc over SecBuffers: 4 bytes version, 4 count, 8 pointer; each buffer 4 bytes size, 4 type, 8 pointer. */
class Descriptor {
  readonly bytes = Buffer.alloc(16);
  readonly #entries: Buffer;
  readonly #buffers: readonly NativeBuffer[];

  constructor(buffers: readonly NativeBuffer[]) {
    this.#buffers = buffers;
    this.#entries = Buffer.alloc(16 * buffers.length);
    for (const [index, { type, data }] of buffers.entries()) {
      this.#entries.writeUInt32LE(data.byteLength, 16 * index);
      this.#entries.writeUInt32LE(type, 16 * index + 4);
      this.#entries.writeBigUInt64LE(address(data), 16 * index + 8);
    }
    this.bytes.writeUInt32LE(buffers.length, 4);
    this.bytes.writeBigUInt64LE(address(this.#entries), 8);
  }

  /** A copy of what the call left in a buffer. */
  content(index: number): Uint8Array {
    const length = this.#entries.readUInt32LE(16 * index);
    return Uint8Array.from(this.#buffers[index]!.data.subarray(0, length));
  }
}

/** One leg of the client. */
export interface WinprLeg {
  /** SEC_*, unsigned. */
  readonly status: number;
  readonly token: Uint8Array;
  /** ISC_RET_* bits. */
  readonly attributes: number;
}

export interface WinprNtlmOptions {
  readonly userName: string;
  readonly domain: string;
  readonly password: string;
  /** ISC_REQ_* bits besides ISC_REQ_CONNECTION. */
  readonly requirements?: number;
  readonly target?: string;
  /** SEC_CHANNEL_BINDINGS bytes. */
  readonly channelBindings?: Uint8Array;
}

/** A client context of WinPR's NTLM. */
export class WinprNtlmClient {
  readonly #credential = Buffer.alloc(16);
  readonly #context = Buffer.alloc(16);
  readonly #identity = Buffer.alloc(48);
  readonly #kept: Buffer[];
  readonly #options: WinprNtlmOptions;
  #started = false;

  constructor(options: WinprNtlmOptions) {
    this.#options = options;
    // SEC_WINNT_AUTH_IDENTITY_W: three times pointer and length in UTF-16 units, then flags.
    this.#kept = [options.userName, options.domain, options.password].map(wide);
    for (const [index, text] of this.#kept.entries()) {
      this.#identity.writeBigUInt64LE(address(text), 16 * index);
      this.#identity.writeUInt32LE(text.length / 2 - 1, 16 * index + 8);
    }
    this.#identity.writeUInt32LE(SEC_WINNT_AUTH_IDENTITY_UNICODE, 44);
    const status = winpr().acquire(
      ...[null, wide('NTLM'), SECPKG_CRED_OUTBOUND, null, this.#identity, null, null],
      ...[this.#credential, Buffer.alloc(8)],
    );
    if (status !== 0) throw new Error(`AcquireCredentialsHandleW: 0x${(status >>> 0).toString(16)}`);
  }

  /** InitializeSecurityContextW with the server's token, or without one at the beginning. */
  next(serverToken?: Uint8Array): WinprLeg {
    const { requirements = 0, target = 'HTTP/server.test', channelBindings } = this.#options;
    const buffers: NativeBuffer[] = [];
    if (serverToken !== undefined) buffers.push({ type: TOKEN, data: serverToken });
    // On its first leg WinPR takes any input for a token.
    if (serverToken !== undefined && channelBindings !== undefined)
      buffers.push({ type: CHANNEL_BINDINGS, data: channelBindings });
    const input = new Descriptor(buffers);
    const output = new Descriptor([{ type: TOKEN, data: Buffer.alloc(8192) }]);
    const attributes = Buffer.alloc(4);
    const status = winpr().initialize(
      ...[this.#credential, this.#started ? this.#context : null, wide(target)],
      ...[ISC_REQ_CONNECTION | requirements, 0, SECURITY_NATIVE_DREP],
      ...[buffers.length === 0 ? null : input.bytes, 0, this.#context, output.bytes, attributes, Buffer.alloc(8)],
    );
    this.#started = true;
    return { status: status >>> 0, token: output.content(0), attributes: attributes.readUInt32LE(0) };
  }

  /** EncryptMessage: the signature and the sealed data. */
  seal(plain: Uint8Array, sequence: number): { readonly signature: Uint8Array; readonly data: Uint8Array } {
    const message = new Descriptor([
      { type: TOKEN, data: Buffer.alloc(16) },
      { type: DATA, data: Buffer.from(plain) },
    ]);
    const status = winpr().encrypt(this.#context, 0, message.bytes, sequence);
    if (status !== 0) throw new Error(`EncryptMessage: 0x${(status >>> 0).toString(16)}`);
    return { signature: message.content(0), data: message.content(1) };
  }

  /** DecryptMessage: its status and the data. */
  open(
    signature: Uint8Array,
    data: Uint8Array,
    sequence: number,
  ): { readonly status: number; readonly data: Uint8Array } {
    const message = new Descriptor([
      { type: TOKEN, data: Buffer.from(signature) },
      { type: DATA, data: Buffer.from(data) },
    ]);
    const status = winpr().decrypt(this.#context, message.bytes, sequence, Buffer.alloc(4));
    return { status: status >>> 0, data: message.content(1) };
  }

  /** Deletes the context and frees the credential. */
  [Symbol.dispose](): void {
    if (this.#started) winpr().deleteContext(this.#context);
    winpr().freeCredential(this.#credential);
  }
}
