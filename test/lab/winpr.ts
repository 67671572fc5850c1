/**
 * WinPR (FreeRDP's libwinpr2) as counterpart: the accounts its acceptor reads, and a client on its own
 * InitializeSecurityContextW.
 *
 * WinPR reads accounts from /etc/winpr/SAM and from nowhere else. A test therefore runs in a mount namespace of its own,
 * whose /etc is a copy with that file in it; the machine's /etc is never written.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import type { ContractClient } from '../sspi/contract-subject.ts';

const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;

/** Name of the library for the loader. */
export const winprLibrary = 'libwinpr2.so.2';

/** The accounts of the namespace. */
export const winprAccounts = {
  alice: { domain: 'LAB', password: 'alice-password' },
  bob: { domain: '', password: 'bob-password' },
} as const;

const variable = 'SSPI_AUTH_WINPR_NAMESPACE';

const namespaceWords = (): readonly string[] =>
  process.getuid?.() === 0 ? ['--mount'] : ['--user', '--map-root-user', '--mount'];

/** A probe for `tier`: throws where this process may not make a mount namespace. */
export function canEnterWinprNamespace(): void {
  if (process.env[variable] === '1') return;
  const { status, stderr, error } = spawnSync('unshare', [...namespaceWords(), 'true'], { encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`no mount namespace of its own: ${stderr.trim()}`);
}

/**
 * Runs the calling test file once more in a namespace with WinPR's accounts, and ends this process with its result. In
 * that namespace it returns at once. Call it before any test is declared.
 *
 * @throws Error where this process may not make a mount namespace
 */
export function enterWinprNamespace(): void {
  if (process.env[variable] === '1') return;
  const lines = Object.entries(winprAccounts).map(
    ([user, { domain, password }]) => `winpr-hash -u ${user} -p ${password}${domain && ` -d ${domain}`} -f sam; echo`,
  );
  const script = [
    'set -e',
    'copy=$(mktemp -d)',
    'mount -t tmpfs -o mode=755 sspi-auth "$copy"',
    'cp -a /etc "$copy/etc" 2>/dev/null || true',
    'mkdir -p "$copy/etc/winpr"',
    `{ ${lines.join('; ')}; } > "$copy/etc/winpr/SAM"`,
    'mount --bind "$copy/etc" /etc',
    'umount -l "$copy"',
    'rmdir "$copy"',
    'exec "$@"',
  ].join('\n');
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const { status, error } = spawnSync('unshare', [...namespaceWords(), 'sh', '-c', script, 'sh', ...command], {
    stdio: 'inherit',
    env: { ...process.env, [variable]: '1', WLOG_LEVEL: 'OFF' },
  });
  if (error !== undefined) throw error;
  process.exit(status ?? 1);
}

/** Who a client says it is. */
export interface WinprIdentity {
  readonly user: string;
  readonly domain: string;
  readonly password: string;
}

const SECPKG_CRED_OUTBOUND = 2;
const SEC_WINNT_AUTH_IDENTITY_UNICODE = 2;
const SECURITY_NATIVE_DREP = 0x10;
const ISC_REQ_REPLAY_DETECT = 0x4;
const ISC_REQ_SEQUENCE_DETECT = 0x8;
const ISC_REQ_CONFIDENTIALITY = 0x10;
export const ISC_REQ_CONNECTION = 0x800;
const ISC_REQ_INTEGRITY = 0x10000;
const CLIENT_REQUIREMENTS =
  ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_CONFIDENTIALITY | ISC_REQ_CONNECTION | ISC_REQ_INTEGRITY;

type Call = (...values: unknown[]) => number;

interface ClientFunctions {
  readonly SecBuffer: Koffi.TypeObject;
  readonly AcquireCredentialsHandleW: Call;
  readonly InitializeSecurityContextW: Call;
  readonly MakeSignature: Call;
  readonly VerifySignature: Call;
  readonly EncryptMessage: Call;
  readonly DecryptMessage: Call;
  readonly DeleteSecurityContext: Call;
  readonly FreeCredentialsHandle: Call;
}

const functionsOf = new Map<string, ClientFunctions>();

/** Declared by koffi's own structures, not by the provider's layouts: a mistake there is not shared by its test. */
function clientFunctions(path: string): ClientFunctions {
  const known = functionsOf.get(path);
  if (known !== undefined) return known;
  const library = koffi.load(path);
  const SecHandle = koffi.struct({ dwLower: 'uintptr_t', dwUpper: 'uintptr_t' });
  const TimeStamp = koffi.struct({ LowPart: 'uint32_t', HighPart: 'int32_t' });
  const SecBuffer = koffi.struct({ cbBuffer: 'uint32_t', BufferType: 'uint32_t', pvBuffer: 'void *' });
  const SecBufferDesc = koffi.struct({
    ulVersion: 'uint32_t',
    cBuffers: 'uint32_t',
    pBuffers: koffi.pointer(SecBuffer),
  });
  const identity = koffi.struct({
    User: 'str16',
    UserLength: 'uint32_t',
    Domain: 'str16',
    DomainLength: 'uint32_t',
    Password: 'str16',
    PasswordLength: 'uint32_t',
    Flags: 'uint32_t',
  });
  const pointer = koffi.pointer;
  const U = 'uint32_t';
  const handle = pointer(SecHandle);
  const call = (name: string, parameters: Koffi.TypeObject[] | unknown[]): Call =>
    library.func(name, 'int32_t', parameters as string[]);
  const functions: ClientFunctions = {
    SecBuffer,
    AcquireCredentialsHandleW: call('AcquireCredentialsHandleW', [
      ...['str16', 'str16', U, 'void *', pointer(identity), 'void *', 'void *'],
      koffi.out(handle),
      koffi.out(pointer(TimeStamp)),
    ]),
    InitializeSecurityContextW: call('InitializeSecurityContextW', [
      ...[handle, handle, 'str16', U, U, U, pointer(SecBufferDesc), U],
      koffi.inout(handle),
      koffi.inout(pointer(SecBufferDesc)),
      koffi.out(pointer('uint32_t')),
      koffi.out(pointer(TimeStamp)),
    ]),
    MakeSignature: call('MakeSignature', [handle, U, koffi.inout(pointer(SecBufferDesc)), U]),
    VerifySignature: call('VerifySignature', [handle, pointer(SecBufferDesc), U, koffi.out(pointer('uint32_t'))]),
    EncryptMessage: call('EncryptMessage', [handle, U, koffi.inout(pointer(SecBufferDesc)), U]),
    DecryptMessage: call('DecryptMessage', [
      handle,
      koffi.inout(pointer(SecBufferDesc)),
      U,
      koffi.out(pointer('uint32_t')),
    ]),
    DeleteSecurityContext: call('DeleteSecurityContext', [handle]),
    FreeCredentialsHandle: call('FreeCredentialsHandle', [handle]),
  };
  functionsOf.set(path, functions);
  return functions;
}

interface Descriptor {
  readonly ulVersion: 0;
  readonly cBuffers: number;
  pBuffers: unknown;
}

const descriptor = (buffers: readonly { readonly type: number; readonly data: Uint8Array }[]): Descriptor => ({
  ulVersion: 0,
  cBuffers: buffers.length,
  pBuffers: buffers.map(({ type, data }) => ({ cbBuffer: data.byteLength, BufferType: type, pvBuffer: data })),
});

/** How many bytes a call left in each buffer. */
function lengths({ SecBuffer }: ClientFunctions, described: Descriptor, count: number): number[] {
  const buffers = koffi.decode(described.pBuffers, SecBuffer, count) as { cbBuffer: number }[];
  return buffers.map(({ cbBuffer }) => cbBuffer);
}

/** SEC_WINNT_AUTH_IDENTITY_W. */
function authIdentity({ user, domain, password }: WinprIdentity): object {
  return {
    User: user,
    UserLength: user.length,
    Domain: domain,
    DomainLength: domain.length,
    Password: password,
    PasswordLength: password.length,
    Flags: SEC_WINNT_AUTH_IDENTITY_UNICODE,
  };
}

const ROOM = 16384;
const TOKEN = 2;
const DATA = 1;
const CHANNEL_BINDINGS = 14;

/** How a client differs from the usual. */
export interface WinprClientOptions {
  /** Default `HTTP/localhost`. */
  readonly target?: string;
  /** Another library with the same interface, such as `secur32.dll`. */
  readonly library?: string;
  /** ISC_REQ_* bits. Default all that protect messages, and ISC_REQ_CONNECTION. */
  readonly requirements?: number;
  /** SEC_CHANNEL_BINDINGS. */
  readonly channelBindings?: Uint8Array;
}

/** A client context of WinPR. */
export class WinprClient implements ContractClient {
  readonly #credential = {};
  #context: object | null = null;
  readonly #functions: ClientFunctions;
  readonly #options: WinprClientOptions;
  readonly #trailerBytes: number;
  #over = false;
  #sent = 0;
  #received = 0;

  /**
   * @param packageName `NTLM`, `Negotiate`, or `Kerberos` where the library has it
   * @param identity undefined: whoever the ticket cache says
   * @throws Error where the library gives no credential
   */
  constructor(packageName: string, identity: WinprIdentity | undefined, options: WinprClientOptions = {}) {
    this.#options = options;
    this.#functions = clientFunctions(options.library ?? winprLibrary);
    // Kerberos signs with more bytes and says how many; WinPR's NTLM always uses these.
    this.#trailerBytes = packageName === 'Kerberos' ? 256 : 16;
    const status = this.#functions.AcquireCredentialsHandleW(
      null,
      packageName,
      SECPKG_CRED_OUTBOUND,
      null,
      identity === undefined ? null : authIdentity(identity),
      null,
      null,
      this.#credential,
      {},
    );
    if (status !== 0) throw new Error(`AcquireCredentialsHandleW(${packageName}): 0x${(status >>> 0).toString(16)}`);
  }

  /** Whether the context stands on the client's side. */
  get complete(): boolean {
    return this.#over;
  }

  next(serverToken: Uint8Array | undefined): Uint8Array | undefined {
    if (this.#over) return undefined;
    const { target = 'HTTP/localhost', requirements = CLIENT_REQUIREMENTS, channelBindings } = this.#options;
    const room = Buffer.alloc(ROOM);
    const output = descriptor([{ type: TOKEN, data: room }]);
    // On its first leg WinPR takes any input for a token.
    const bound = channelBindings === undefined ? [] : [{ type: CHANNEL_BINDINGS, data: channelBindings }];
    const input = serverToken && descriptor([{ type: TOKEN, data: serverToken }, ...bound]);
    const context = this.#context === null ? {} : { ...this.#context };
    const status = this.#functions.InitializeSecurityContextW(
      this.#credential,
      this.#context,
      target,
      requirements,
      0,
      SECURITY_NATIVE_DREP,
      input ?? null,
      0,
      context,
      output,
      [0],
      {},
    );
    if (status < 0) throw new Error(`InitializeSecurityContextW: 0x${(status >>> 0).toString(16)}`);
    this.#context = context;
    if (status === 0) this.#over = true;
    const [length = 0] = lengths(this.#functions, output, 1);
    return length === 0 ? undefined : Uint8Array.from(room.subarray(0, length));
  }

  makeSignature(message: Uint8Array): Uint8Array {
    const signature = Buffer.alloc(this.#trailerBytes);
    const buffers = descriptor([
      { type: DATA, data: message },
      { type: TOKEN, data: signature },
    ]);
    this.#check('MakeSignature', this.#functions.MakeSignature(this.#context, 0, buffers, this.#sent++));
    return signature.subarray(0, lengths(this.#functions, buffers, 2)[1]);
  }

  verifySignature(message: Uint8Array, signature: Uint8Array): boolean {
    const buffers = descriptor([
      { type: DATA, data: message },
      { type: TOKEN, data: signature },
    ]);
    return this.#functions.VerifySignature(this.#context, buffers, this.#received++, [0]) === 0;
  }

  encryptMessage(message: Uint8Array): { token: Uint8Array; data: Uint8Array } {
    const token = Buffer.alloc(this.#trailerBytes);
    const data = Buffer.from(message);
    const buffers = descriptor([
      { type: TOKEN, data: token },
      { type: DATA, data },
    ]);
    this.#check('EncryptMessage', this.#functions.EncryptMessage(this.#context, 0, buffers, this.#sent++));
    return { token: token.subarray(0, lengths(this.#functions, buffers, 1)[0]), data };
  }

  decryptMessage(token: Uint8Array, data: Uint8Array): Uint8Array {
    const plain = Buffer.from(data);
    const buffers = descriptor([
      { type: TOKEN, data: Buffer.from(token) },
      { type: DATA, data: plain },
    ]);
    this.#check('DecryptMessage', this.#functions.DecryptMessage(this.#context, buffers, this.#received++, [0]));
    return plain;
  }

  [Symbol.dispose](): void {
    if (this.#context !== null) this.#functions.DeleteSecurityContext(this.#context);
    this.#functions.FreeCredentialsHandle(this.#credential);
  }

  #check(name: string, status: number): void {
    if (status !== 0) throw new Error(`${name}: 0x${(status >>> 0).toString(16)}`);
  }
}
