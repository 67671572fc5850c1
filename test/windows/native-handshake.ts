/**
 * A handshake of a library with itself, straight through its functions and past sspi-auth: InitializeSecurityContextW
 * makes the tokens, AcceptSecurityContext takes them. So what is seen is what the library does.
 */
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import type { Credentials } from './settings.ts';

const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;

const SECPKG_CRED_INBOUND = 1;
const SECPKG_CRED_OUTBOUND = 2;
const SEC_WINNT_AUTH_IDENTITY_UNICODE = 2;
const SEC_WINNT_AUTH_IDENTITY_VERSION = 0x200;
const SECURITY_NATIVE_DREP = 0x10;
const ISC_REQ_CONNECTION = 0x800;
const ISC_REQ_INTEGRITY = 0x10000;
const ASC_REQ_CONNECTION = 0x800;
const SECBUFFER_TOKEN = 2;
export const SECBUFFER_CHANNEL_BINDINGS = 14;
const SECBUFFER_CHANNEL_BINDINGS_RESULT = 30;
const SECPKG_ATTR_CLIENT_SPECIFIED_TARGET = 27;
const SEC_I_CONTINUE_NEEDED = 0x00090312;
const SEC_I_COMPLETE_NEEDED = 0x00090313;
const ROOM = 65536;

/** SEC_CHANNEL_BINDINGS with application data alone. */
export function channelBindings(text: string): Buffer {
  const data = Buffer.from(`tls-server-end-point:${text}`);
  const header = Buffer.alloc(32);
  header.writeUInt32LE(data.byteLength, 24);
  header.writeUInt32LE(header.byteLength, 28);
  return Buffer.concat([header, data]);
}

/** How a handshake is made. */
export interface Handshake {
  readonly package: string;
  /** Undefined: as the user that runs this process. */
  readonly credentials: Credentials | undefined;
  /** What the client asks for, such as `HTTP/localhost`. */
  readonly target: string;
  readonly clientBindings?: Buffer;
  readonly serverBindings?: Buffer;
  /** Type of the server's buffer. */
  readonly bindingsType?: number;
  /** ASC_REQ_* of the server, beside ASC_REQ_CONNECTION. */
  readonly requirements?: number;
  /** PackageList of SEC_WINNT_AUTH_IDENTITY_EXW for the server's credential. */
  readonly packageList?: string;
}

/** What came of it. */
export interface HandshakeResult {
  /** The first status that is no success, or 0. */
  readonly status: number;
  /** Which function gave it. */
  readonly from: string;
  /** Size of the client's last token, in bytes. */
  readonly tokenBytes: number;
  /** SEC_CHANNEL_BINDINGS_RESULT, if the library wrote into its buffer. */
  readonly bindingsFlags: number | undefined;
  /** Attribute 27; a status if there is none. */
  readonly target: string;
  /** ptsExpiry as it is: 100 ns since 1601. */
  readonly expiry: bigint;
}

type Call = (...values: unknown[]) => number;
interface Buffered {
  readonly type: number;
  readonly data: Uint8Array;
}

export class NativeLibrary {
  readonly #functions: Readonly<Record<string, Call>>;
  readonly #buffer: Koffi.TypeObject;
  readonly #isWindows: boolean;

  /** @param path such as `C:\Windows\System32\secur32.dll` */
  constructor(path: string) {
    this.#isWindows = path.toLowerCase().endsWith('secur32.dll');
    const library = koffi.load(path);
    const handle = koffi.pointer(koffi.struct({ dwLower: 'uintptr_t', dwUpper: 'uintptr_t' }));
    this.#buffer = koffi.struct({ cbBuffer: 'uint32', BufferType: 'uint32', pvBuffer: 'void *' });
    const description = koffi.struct({
      ulVersion: 'uint32',
      cBuffers: 'uint32',
      pBuffers: koffi.pointer(this.#buffer),
    });
    const [input, output] = [koffi.pointer(description), koffi.inout(koffi.pointer(description))];
    const [made, changed, pointer] = [koffi.out(handle), koffi.inout(handle), 'void *'];
    const parameters = {
      AcquireCredentialsHandleW: ['str16', 'str16', 'uint32', pointer, pointer, pointer, pointer, made, pointer],
      InitializeSecurityContextW: [
        ...[handle, handle, 'str16', 'uint32', 'uint32', 'uint32', input, 'uint32'],
        ...[changed, output, pointer, pointer],
      ],
      AcceptSecurityContext: [handle, handle, input, 'uint32', 'uint32', changed, output, pointer, pointer],
      CompleteAuthToken: [handle, input],
      QueryContextAttributesW: [handle, 'uint32', pointer],
      DeleteSecurityContext: [handle],
      FreeCredentialsHandle: [handle],
      FreeContextBuffer: [pointer],
    };
    this.#functions = Object.fromEntries(
      Object.entries(parameters).map(([name, types]) => [name, library.func(name, 'int32', types) as Call]),
    );
  }

  /** Runs a handshake to its end, and gives everything back. */
  run(handshake: Handshake): HandshakeResult {
    const [clientCredential, serverCredential] = [{}, {}];
    const [clientContext, serverContext] = [{}, {}];
    const result = {
      ...{ status: 0, from: '', tokenBytes: 0, target: '', expiry: 0n },
      bindingsFlags: undefined as number | undefined,
    };
    const over = (from: string, status: number): HandshakeResult => ({ ...result, status: status >>> 0, from });
    const kept: Uint8Array[] = [];
    const acquire = (use: number, identity: Buffer | null, credential: object): number =>
      this.#call('AcquireCredentialsHandleW')(
        ...[null, handshake.package, use, null, identity, null, null, credential, Buffer.alloc(8)],
      );
    const { credentials, packageList } = handshake;
    const client = credentials === undefined ? null : authIdentity(credentials, undefined, kept);
    const server = packageList === undefined ? null : authIdentity(undefined, packageList, kept);
    let status = acquire(SECPKG_CRED_OUTBOUND, client, clientCredential);
    if (status !== 0) return over('AcquireCredentialsHandleW of the client', status);
    status = acquire(SECPKG_CRED_INBOUND, server, serverCredential);
    let isClientMade = false;
    let isServerMade = false;
    try {
      if (status !== 0) return over('AcquireCredentialsHandleW of the server', status);
      let fromServer: Uint8Array | undefined;
      for (let leg = 0; leg < 8; leg++) {
        // Libraries other than Windows' take any input of the first leg for a token.
        const bound = handshake.clientBindings !== undefined && (this.#isWindows || leg > 0);
        const input = [
          ...(fromServer === undefined ? [] : [{ type: SECBUFFER_TOKEN, data: fromServer }]),
          ...(bound ? [{ type: SECBUFFER_CHANNEL_BINDINGS, data: handshake.clientBindings }] : []),
        ];
        const token = Buffer.alloc(ROOM);
        const output = describe([{ type: SECBUFFER_TOKEN, data: token }]);
        status = this.#call('InitializeSecurityContextW')(
          ...[clientCredential, isClientMade ? { ...clientContext } : null, handshake.target],
          ...[ISC_REQ_CONNECTION | ISC_REQ_INTEGRITY, 0, SECURITY_NATIVE_DREP],
          ...[input.length === 0 ? null : describe(input), 0, clientContext, output, Buffer.alloc(4), Buffer.alloc(8)],
        );
        if (status < 0) return over('InitializeSecurityContextW', status);
        isClientMade = true;
        const [length = 0] = this.#lengths(output, 1);
        if (length === 0) return over('the client, which has no token to send', status);
        result.tokenBytes = length;

        const reply = Buffer.alloc(ROOM);
        const flags = Buffer.alloc(4, 0xff);
        const expiry = Buffer.alloc(8);
        const { serverBindings, bindingsType = SECBUFFER_CHANNEL_BINDINGS, requirements = 0 } = handshake;
        const answer = describe([
          { type: SECBUFFER_TOKEN, data: reply },
          ...(serverBindings === undefined ? [] : [{ type: SECBUFFER_CHANNEL_BINDINGS_RESULT, data: flags }]),
        ]);
        status = this.#call('AcceptSecurityContext')(
          ...[serverCredential, isServerMade ? { ...serverContext } : null],
          describe([
            { type: SECBUFFER_TOKEN, data: token.subarray(0, length) },
            ...(serverBindings === undefined ? [] : [{ type: bindingsType, data: serverBindings }]),
          ]),
          ...[(ASC_REQ_CONNECTION | requirements) >>> 0, SECURITY_NATIVE_DREP, serverContext, answer],
          ...[Buffer.alloc(4), expiry],
        );
        const seen = flags.readUInt32LE(0);
        result.bindingsFlags = seen === 0xffffffff ? undefined : seen;
        result.expiry = expiry.readBigInt64LE(0);
        if (status < 0) return over('AcceptSecurityContext', status);
        isServerMade = true;
        if (status === SEC_I_COMPLETE_NEEDED) {
          status = this.#call('CompleteAuthToken')(serverContext, answer);
          if (status < 0) return over('CompleteAuthToken', status);
        }
        if (status !== SEC_I_CONTINUE_NEEDED) {
          result.target = this.#target(serverContext);
          return over('AcceptSecurityContext', status);
        }
        fromServer = Uint8Array.from(reply.subarray(0, this.#lengths(answer, 1)[0]));
      }
      return over('eight legs without an end', SEC_I_CONTINUE_NEEDED);
    } finally {
      if (isClientMade) this.#call('DeleteSecurityContext')(clientContext);
      if (isServerMade) this.#call('DeleteSecurityContext')(serverContext);
      this.#call('FreeCredentialsHandle')(clientCredential);
      if (Object.keys(serverCredential).length > 0) this.#call('FreeCredentialsHandle')(serverCredential);
    }
  }

  #call(name: string): Call {
    const found = this.#functions[name];
    if (found === undefined) throw new TypeError(`${name} is not declared`);
    return found;
  }

  #lengths(described: { readonly pBuffers: unknown }, count: number): number[] {
    const buffers = koffi.decode(described.pBuffers, this.#buffer, count) as { readonly cbBuffer: number }[];
    return buffers.map(({ cbBuffer }) => cbBuffer);
  }

  /** SECPKG_ATTR_CLIENT_SPECIFIED_TARGET: a structure with a pointer to a text. */
  #target(context: object): string {
    const memory = Buffer.alloc(64);
    const status = this.#call('QueryContextAttributesW')(context, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, memory);
    if (status !== 0) return `no attribute 27: 0x${(status >>> 0).toString(16)}`;
    const address = memory.readBigUInt64LE(0);
    if (address === 0n) return 'a null pointer';
    const text = koffi.decode.string16(address);
    this.#call('FreeContextBuffer')(address);
    return JSON.stringify(text);
  }
}

function describe(buffers: readonly Buffered[]): { readonly pBuffers: unknown } {
  const list = buffers.map(({ type, data }) => ({ cbBuffer: data.byteLength, BufferType: type, pvBuffer: data }));
  return Object.assign({ ulVersion: 0, cBuffers: list.length }, { pBuffers: list });
}

/**
 * SEC_WINNT_AUTH_IDENTITY_W for a password, SEC_WINNT_AUTH_IDENTITY_EXW for a list of packages, on a 64-bit system.
 *
 * @param kept takes what the structure points at, which must live as long as it
 */
function authIdentity(credentials: Credentials | undefined, packages: string | undefined, kept: Uint8Array[]): Buffer {
  const texts = credentials === undefined ? ['', '', ''] : partsOf(credentials);
  const memory = Buffer.alloc(packages === undefined ? 56 : 72);
  let at = 0;
  if (packages !== undefined) {
    memory.writeUInt32LE(SEC_WINNT_AUTH_IDENTITY_VERSION, 0);
    memory.writeUInt32LE(72, 4);
    at = 8;
  }
  const put = (text: string): void => {
    if (credentials !== undefined || text !== '') {
      const units = Buffer.from(`${text}\0`, 'utf16le');
      kept.push(units);
      memory.writeBigUInt64LE(koffi.address(units), at);
      memory.writeUInt32LE(text.length, at + 8);
    }
    at += 16;
  };
  for (const text of texts) put(text);
  if (packages === undefined) {
    memory.writeUInt32LE(SEC_WINNT_AUTH_IDENTITY_UNICODE, 48 - 4);
    return memory;
  }
  memory.writeUInt32LE(SEC_WINNT_AUTH_IDENTITY_UNICODE, at - 4);
  put(packages);
  kept.push(memory);
  return memory;
}

function partsOf({ user, password }: Credentials): [string, string, string] {
  const [domain = '', name = ''] = user.includes('\\') ? user.split('\\') : ['', user];
  return [name, domain, password];
}
