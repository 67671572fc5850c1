/** A Kerberos client of its own process: MIT krb5 through python3-gssapi, driven line by line. */
import { fileURLToPath } from 'node:url';
import { startProcess } from '../../lab/process.ts';

/** What a client asks its library for. */
export interface InitiateOptions {
  /** `service@host`, default `HTTP@localhost`. */
  readonly target?: string;
  readonly mech?: 'kerberos' | 'spnego';
  /** Names of gssapi.RequirementFlag. Default mutual, integrity and confidentiality, replay and sequence detection. */
  readonly flags?: readonly string[];
  /** Application data of the channel bindings. */
  readonly bindings?: Uint8Array;
}

/** A client that can start one context after the other. */
export interface GssClient extends AsyncDisposable {
  /** First token of a new context. */
  initiate(options?: InitiateOptions): Promise<Buffer>;
  /** Takes the server's answer. */
  step(token: Uint8Array): Promise<{ readonly token: Buffer; readonly complete: boolean }>;
  wrap(data: Uint8Array, encrypt?: boolean): Promise<Buffer>;
  unwrap(data: Uint8Array): Promise<Buffer>;
  sign(data: Uint8Array): Promise<Buffer>;
  /** @throws Error of GSSAPI where the signature does not verify */
  verify(data: Uint8Array, mic: Uint8Array): Promise<void>;
}

const script = fileURLToPath(new URL('gss-client.py', import.meta.url));
const defaultFlags = [
  'mutual_authentication',
  'integrity',
  'confidentiality',
  'replay_detection',
  'out_of_sequence_detection',
];

/**
 * Starts a client.
 *
 * @param env of Kdc.signIn
 * @param wrapper words before the interpreter, such as `['faketime', '+10m']`
 */
export async function startGssClient(
  env: Readonly<Record<string, string>>,
  wrapper: readonly string[] = [],
): Promise<GssClient> {
  // Debian's own interpreter: another python3 on the path would lack the module.
  const words = [...wrapper, '/usr/bin/python3', script];
  const client = await startProcess(words[0] ?? '', words.slice(1), { env });
  let asked = 0;
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
  return {
    async initiate({ target = 'HTTP@localhost', mech = 'kerberos', flags = defaultFlags, bindings } = {}) {
      const bound = bindings === undefined ? {} : { bindings: base64(bindings) };
      return bytes((await ask('init', { target, mech, flags, ...bound }))['token']);
    },
    async step(token) {
      const answer = await ask('step', { token: base64(token) });
      return { token: bytes(answer['token']), complete: answer['complete'] === true };
    },
    wrap: async (data, encrypt = true) => bytes((await ask('wrap', { data: base64(data), encrypt }))['data']),
    unwrap: async (data) => bytes((await ask('unwrap', { data: base64(data) }))['data']),
    sign: async (data) => bytes((await ask('sign', { data: base64(data) }))['mic']),
    async verify(data, mic) {
      await ask('verify', { data: base64(data), mic: base64(mic) });
    },
    async [Symbol.asyncDispose]() {
      await client.stop();
    },
  };
}
