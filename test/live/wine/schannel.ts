/**
 * Runs under Wine: a TLS client on Wine's own Schannel (InitializeSecurityContextW) against the Schannel of this library,
 * then Wine's Schannel as far as a server gets with it. Prints one line of JSON.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as Sspi from 'sspi-auth/sspi';

interface Koffi {
  load(name: string): {
    func(name: string, result: string, parameters: readonly string[]): (...values: unknown[]) => number;
  };
  address(memory: Buffer): bigint;
  decode(address: bigint, type: string, length: number): ArrayLike<number>;
}
const koffi = createRequire(import.meta.url)('koffi') as Koffi;
const given = JSON.parse(readFileSync(join(import.meta.dirname, 'certificates.json'), 'utf8')) as {
  readonly cert: string;
  readonly key: string;
  readonly pfx: string;
};

const P = 'void *';
const U = 'uint32';
const secur32 = koffi.load('secur32.dll');
const AcquireCredentialsHandleW = secur32.func('AcquireCredentialsHandleW', 'int32', [P, 'str16', U, P, P, P, P, P, P]);
const InitializeSecurityContextW = secur32.func('InitializeSecurityContextW', 'int32', [
  ...[P, P, 'str16', U, U, U, P, U, P, P, P, P],
]);
const QueryContextAttributesW = secur32.func('QueryContextAttributesW', 'int32', [P, U, P]);
const EncryptMessage = secur32.func('EncryptMessage', 'int32', [P, U, P, U]);
const DecryptMessage = secur32.func('DecryptMessage', 'int32', [P, P, U, P]);
const ApplyControlToken = secur32.func('ApplyControlToken', 'int32', [P, P]);
const FreeContextBuffer = secur32.func('FreeContextBuffer', 'int32', [P]);
const DeleteSecurityContext = secur32.func('DeleteSecurityContext', 'int32', [P]);
const FreeCredentialsHandle = secur32.func('FreeCredentialsHandle', 'int32', [P]);

const status = (value: number): string => Sspi.statusName(value >>> 0);

/** A SecBufferDesc and its buffers. */
class Descriptor {
  readonly memory = Buffer.alloc(16);
  readonly #array: Buffer;
  readonly #kept: readonly (Buffer | undefined)[];

  constructor(buffers: readonly (readonly [type: number, data?: Buffer])[]) {
    this.#array = Buffer.alloc(16 * buffers.length);
    this.#kept = buffers.map(([, data]) => data);
    buffers.forEach(([type, data], index) => {
      this.#array.writeUInt32LE(data?.byteLength ?? 0, 16 * index);
      this.#array.writeUInt32LE(type, 16 * index + 4);
      if (data !== undefined) this.#array.writeBigUInt64LE(koffi.address(data), 16 * index + 8);
    });
    this.memory.writeUInt32LE(buffers.length, 4);
    this.memory.writeBigUInt64LE(koffi.address(this.#array), 8);
  }

  size(index: number): number {
    return this.#array.readUInt32LE(16 * index);
  }

  /** The buffer of a type, copied; undefined if there is none. */
  find(type: number): Buffer | undefined {
    for (let index = 0; index < this.#kept.length; index++) {
      if (this.#array.readUInt32LE(16 * index + 4) !== type) continue;
      const address = this.#array.readBigUInt64LE(16 * index + 8);
      return address === 0n ? Buffer.alloc(0) : Buffer.from(koffi.decode(address, 'uint8', this.size(index)));
    }
    return undefined;
  }

  address(index: number): bigint {
    return this.#array.readBigUInt64LE(16 * index + 8);
  }
}

/** ISC_REQ_ALLOCATE_MEMORY, CONFIDENTIALITY, REPLAY_DETECT, SEQUENCE_DETECT, STREAM. */
const REQUIREMENTS = 0x100 | 0x10 | 0x4 | 0x8 | 0x8000;

class SchannelClient {
  readonly #credential = Buffer.alloc(16);
  readonly context = Buffer.alloc(16);
  #begun = false;

  constructor() {
    const cred = Buffer.alloc(80);
    cred.writeUInt32LE(4, 0); // SCHANNEL_CRED_VERSION
    cred.writeUInt32LE(0x800, 56); // SP_PROT_TLS1_2_CLIENT
    cred.writeUInt32LE(0x18, 72); // SCH_CRED_MANUAL_CRED_VALIDATION, SCH_CRED_NO_DEFAULT_CREDS
    const result = AcquireCredentialsHandleW(
      null,
      'Schannel',
      2,
      null,
      cred,
      null,
      null,
      this.#credential,
      Buffer.alloc(8),
    );
    if (result !== 0) throw new Error(`AcquireCredentialsHandleW: ${status(result)}`);
  }

  next(records: Uint8Array | undefined): { readonly status: string; readonly token: Buffer } {
    const output = new Descriptor([[Sspi.SECBUFFER_TOKEN]]);
    const input =
      records === undefined
        ? undefined
        : new Descriptor([[Sspi.SECBUFFER_TOKEN, Buffer.from(records)], [Sspi.SECBUFFER_EMPTY]]);
    const result = InitializeSecurityContextW(
      ...[this.#credential, this.#begun ? this.context : null, 'localhost', REQUIREMENTS, 0, 0],
      ...[input?.memory ?? null, 0, this.context, output.memory, Buffer.alloc(4), Buffer.alloc(8)],
    );
    this.#begun = true;
    const token = output.find(Sspi.SECBUFFER_TOKEN) ?? Buffer.alloc(0);
    if (output.address(0) !== 0n) FreeContextBuffer(output.address(0));
    return { status: status(result), token };
  }

  /** SEC_CHANNEL_BINDINGS. */
  bindings(attribute: number): Buffer {
    const memory = Buffer.alloc(16);
    const result = QueryContextAttributesW(this.context, attribute, memory);
    if (result !== 0) throw new Error(`attribute ${attribute}: ${status(result)}`);
    const address = memory.readBigUInt64LE(8);
    const value = Buffer.from(koffi.decode(address, 'uint8', memory.readUInt32LE(0)));
    FreeContextBuffer(address);
    return value;
  }

  encrypt(text: string): Buffer {
    const sizes = Buffer.alloc(20);
    QueryContextAttributesW(this.context, Sspi.SECPKG_ATTR_STREAM_SIZES, sizes);
    const [header, trailer] = [sizes.readUInt32LE(0), sizes.readUInt32LE(4)];
    const record = Buffer.alloc(header + text.length + trailer);
    record.write(text, header);
    const end = header + text.length;
    const parts = new Descriptor([
      [Sspi.SECBUFFER_STREAM_HEADER, record.subarray(0, header)],
      [Sspi.SECBUFFER_DATA, record.subarray(header, end)],
      [Sspi.SECBUFFER_STREAM_TRAILER, record.subarray(end)],
      [Sspi.SECBUFFER_EMPTY],
    ]);
    const result = EncryptMessage(this.context, 0, parts.memory, 0);
    if (result !== 0) throw new Error(`EncryptMessage: ${status(result)}`);
    return record.subarray(0, parts.size(0) + parts.size(1) + parts.size(2));
  }

  decrypt(record: Uint8Array): string {
    const buffers = new Descriptor([[Sspi.SECBUFFER_DATA, Buffer.from(record)], [0], [0], [0]]);
    const result = DecryptMessage(this.context, buffers.memory, 0, Buffer.alloc(4));
    return result === 0 ? (buffers.find(Sspi.SECBUFFER_DATA) ?? Buffer.alloc(0)).toString() : status(result);
  }

  /** The close_notify. */
  close(): Buffer {
    ApplyControlToken(this.context, new Descriptor([[Sspi.SECBUFFER_TOKEN, Buffer.of(1, 0, 0, 0)]]).memory);
    return this.next(undefined).token;
  }

  free(): void {
    DeleteSecurityContext(this.context);
    FreeCredentialsHandle(this.#credential);
  }
}

const found = (buffers: readonly Sspi.SecBuffer[] | undefined, type: number): Buffer =>
  Buffer.from(Sspi.findBuffer(buffers ?? [], type)?.data ?? []);
const report: Record<string, unknown> = {};

async function oursAsServer(): Promise<void> {
  const authData = { cert: given.cert, key: given.key };
  const credential = await Sspi.acquireCredentialsHandle({
    ...{ package: Sspi.schannelPackage, credentialUse: 'inbound', authData },
  });
  const client = new SchannelClient();
  let step = client.next(undefined);
  let result: Sspi.AcceptSecurityContextResult | undefined;
  const statuses: string[] = [];
  do {
    result = await Sspi.acceptSecurityContext({
      ...{ credential, context: result?.context, requirements: 0, targetDataRep: Sspi.SECURITY_NETWORK_DREP },
      input: [{ type: Sspi.SECBUFFER_TOKEN, data: step.token }],
    });
    statuses.push(Sspi.statusName(result.status));
    step = client.next(found(result.output, Sspi.SECBUFFER_TOKEN));
  } while (result.status === Sspi.SEC_I_CONTINUE_NEEDED);
  const { context } = result;
  if (context === undefined) throw new Error(statuses.join(' '));
  report['server'] = statuses;
  report['client'] = step.status;
  const kinds = [Sspi.SECPKG_ATTR_UNIQUE_BINDINGS, Sspi.SECPKG_ATTR_ENDPOINT_BINDINGS] as const;
  report['sameBindings'] = kinds.map((attribute) => {
    const { value } = Sspi.queryContextAttributes(context, attribute);
    return value !== undefined && client.bindings(attribute).equals(value);
  });
  const opened = await Sspi.decryptMessage(context, [{ type: Sspi.SECBUFFER_DATA, data: client.encrypt('from Wine') }]);
  report['serverReads'] = found(opened.value, Sspi.SECBUFFER_DATA).toString();
  const sealed = await Sspi.encryptMessage(context, [{ type: Sspi.SECBUFFER_DATA, data: Buffer.from('to Wine') }]);
  report['clientReads'] = client.decrypt(found(sealed.value, Sspi.SECBUFFER_TOKEN));
  const closing = await Sspi.decryptMessage(context, [{ type: Sspi.SECBUFFER_DATA, data: client.close() }]);
  report['closed'] = Sspi.statusName(closing.status);
  Sspi.deleteSecurityContext(context);
  Sspi.freeCredentialsHandle(credential);
  client.free();
}

async function wineAsServer(): Promise<void> {
  const authData = { pfx: Buffer.from(given.pfx, 'base64'), passphrase: 'opens' };
  const own = { package: 'Schannel', credentialUse: 'inbound' } as const;
  const wrong = await Promise.resolve()
    .then(() => Sspi.acquireCredentialsHandle({ ...own, authData: { ...authData, passphrase: 'wrong' } }))
    .then(() => 'acquired')
    .catch((error: unknown) => (error as Error).message);
  report['wrongPassphrase'] = wrong.includes('"authData.pfx" cannot be imported');
  const credential = await Sspi.acquireCredentialsHandle({ ...own, authData });
  report['holds'] = liveCertificates();
  const client = new SchannelClient();
  const result = await Sspi.acceptSecurityContext({
    ...{ credential, context: undefined, requirements: 0, targetDataRep: Sspi.SECURITY_NETWORK_DREP },
    input: [{ type: Sspi.SECBUFFER_TOKEN, data: client.next(undefined).token }],
  });
  report['wineAccepts'] = Sspi.statusName(result.status);
  Sspi.freeCredentialsHandle(credential);
  client.free();
}

function liveCertificates(): readonly number[] {
  const { certificates, credentials } = Sspi.liveNativeHandles();
  return [credentials, certificates];
}

await oursAsServer();
await wineAsServer();
report['held'] = { contract: Sspi.liveHandles(), native: Sspi.liveNativeHandles() };
console.log(JSON.stringify(report));
process.exit(0);
