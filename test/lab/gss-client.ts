/**
 * A GSS client of its own process: python3-gssapi over MIT's libgssapi, driven line by line. Kerberos, SPNEGO, and NTLM by
 * Debian's gss-ntlmssp.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runChecked, startProcess } from './process.ts';
import { scratchFolder } from './scratch.ts';

/** Debian packages of clients with Kerberos, and SPNEGO over it. */
export const gssClientPackages: readonly string[] = ['python3', 'python3-gssapi'];
/** Those of clients with NTLM besides. */
export const ntlmGssClientPackages: readonly string[] = [...gssClientPackages, 'gss-ntlmssp'];

/** Debian's Python, which has python3-gssapi; another one may come first in PATH. */
export const debianPython = '/usr/bin/python3';

/** A mechanism, by name. */
export type GssMechanism = 'kerberos' | 'spnego' | 'ntlm';

/** What a client asks its library for. */
export interface InitiateOptions {
  /** `service@host`, default `HTTP@localhost`. */
  readonly target?: string;
  readonly mech?: GssMechanism;
  /** Mechanisms that SPNEGO offers, in this order. Left out: all it has credentials for. */
  readonly offer?: readonly GssMechanism[];
  /** Names of gssapi.RequirementFlag. Default mutual, integrity and confidentiality, replay and sequence detection. */
  readonly flags?: readonly string[];
  /** Application data of the channel bindings. */
  readonly bindings?: Uint8Array;
}

/** A client that can start one context after the other. */
export interface GssClient extends AsyncDisposable {
  /** Whether the context stands on the client's side, as of its last token. */
  readonly complete: boolean;
  /** First token of a new context. */
  initiate(options?: InitiateOptions): Promise<Buffer>;
  /**
   * Takes the server's answer. The token is empty where the client has no more to say.
   *
   * @throws Error of GSSAPI where the client refuses the answer, or the answer refuses the client
   */
  step(token: Uint8Array): Promise<{ readonly token: Buffer; readonly complete: boolean }>;
  wrap(data: Uint8Array, encrypt?: boolean): Promise<Buffer>;
  /** @throws Error where the message was changed, or not encrypted */
  unwrap(data: Uint8Array): Promise<Buffer>;
  sign(data: Uint8Array): Promise<Buffer>;
  /** @throws Error of GSSAPI where the signature does not verify */
  verify(data: Uint8Array, mic: Uint8Array): Promise<void>;
}

const script = fileURLToPath(new URL('gss-client.py', import.meta.url));

/** Flags of a client that does not ask the server to prove itself. */
export const notMutual: readonly string[] = [
  'integrity',
  'confidentiality',
  'replay_detection',
  'out_of_sequence_detection',
];
/** The default flags. */
export const mutual: readonly string[] = ['mutual_authentication', ...notMutual];

/**
 * Starts a client.
 *
 * @param env of Kdc.signIn, NtlmGssAccount, or both
 * @param wrapper words before the interpreter, such as `['faketime', '+10m']`
 */
export async function startGssClient(
  env: Readonly<Record<string, string>>,
  wrapper: readonly string[] = [],
): Promise<GssClient> {
  const words = [...wrapper, debianPython, script];
  const client = await startProcess(words[0] ?? '', words.slice(1), { env });
  let asked = 0;
  let complete = false;
  const ask = async (command: string, rest: object = {}): Promise<Record<string, unknown>> => {
    const id = ++asked;
    client.write(`${JSON.stringify({ id, command, ...rest })}\n`);
    const [line] = await client.waitForLine(new RegExp(`^\\{"id": ${id},.*$`));
    const answer = JSON.parse(line) as Record<string, unknown>;
    if (answer['error'] !== undefined) throw new Error(`gss client: ${JSON.stringify(answer['error'])}`);
    return answer;
  };
  const base64 = (data: Uint8Array): string => Buffer.from(data).toString('base64');
  const bytes = (value: unknown): Buffer => Buffer.from(String(value), 'base64');
  /** A token of the handshake. */
  const next = async (command: string, rest: object): Promise<Buffer> => {
    complete = false;
    const answer = await ask(command, rest);
    complete = answer['complete'] === true;
    return bytes(answer['token']);
  };
  return {
    get complete() {
      return complete;
    },
    initiate({ target = 'HTTP@localhost', mech = 'kerberos', offer, flags = mutual, bindings } = {}) {
      const bound = bindings === undefined ? {} : { bindings: base64(bindings) };
      return next('init', { target, mech, offer, flags, ...bound });
    },
    async step(token) {
      return { token: await next('step', { token: base64(token) }), complete };
    },
    wrap: async (data, encrypt = true) => bytes((await ask('wrap', { data: base64(data), encrypt }))['data']),
    async unwrap(data) {
      const answer = await ask('unwrap', { data: base64(data) });
      if (answer['encrypted'] !== true) throw new Error('gss client: the message is in the clear');
      return bytes(answer['data']);
    },
    sign: async (data) => bytes((await ask('sign', { data: base64(data) }))['mic']),
    async verify(data, mic) {
      await ask('verify', { data: base64(data), mic: base64(mic) });
    },
    async [Symbol.asyncDispose]() {
      await client.stop();
    },
  };
}

/** Where gss-ntlmssp takes its account from; ends with the folder. */
export interface NtlmGssAccount extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
}

/** Lets clients use gss-ntlmssp, which libgssapi loads only where GSS_MECH_CONFIG names it. */
export async function ntlmGssAccount(domain: string, userName: string, password: string): Promise<NtlmGssAccount> {
  const files = await runChecked('dpkg', ['-L', 'gss-ntlmssp']);
  const library = files.split('\n').find((path) => path.endsWith('/gssntlmssp.so'));
  if (library === undefined) throw new Error('gss-ntlmssp has no gssntlmssp.so');
  const folder = await scratchFolder('gss-ntlmssp');
  const env = {
    GSS_MECH_CONFIG: folder.file('mech'),
    NTLM_USER_FILE: folder.file('users'),
    KRB5_CONFIG: folder.file('krb5.conf'),
    KRB5CCNAME: `FILE:${folder.file('no-ticket')}`,
  };
  await writeFile(env.GSS_MECH_CONFIG, `gssntlmssp_v1 1.3.6.1.4.1.311.2.2.10 ${library}\n`);
  await writeFile(env.NTLM_USER_FILE, `${domain}:${userName}:${password}\n`);
  await writeFile(env.KRB5_CONFIG, '[libdefaults]\n default_realm = NOWHERE.TEST\n dns_lookup_kdc = false\n');
  return { env, [Symbol.asyncDispose]: () => folder.remove() };
}
