/** The application of application.ts on a Windows of its own, as a test starts it, asks it and signs in to it. */
import assert from 'node:assert/strict';
import { copyFile, cp } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { curl } from '../../lab/curl.ts';
import type { CurlResult } from '../../lab/curl.ts';
import { startKdc } from '../../lab/kdc.ts';
import { listen } from '../../lab/ports.ts';
import { RawConnection } from '../../lab/raw-connection.ts';
import { makeWineMachine, winePassword } from '../../lab/wine.ts';
import type { ShimPlace, WineMachine, WineProcess } from '../../lab/wine.ts';
import { authenticateMessage, CURL_FLAGS, negotiateMessage } from '../../packages/ntlm/ntlm-client.ts';

/** What is held of a kind of handle. */
export interface Counts {
  readonly credentials: number;
  readonly contexts: number;
  readonly buffers?: number;
  readonly tokens?: number;
  readonly impersonations?: number;
}

/** What the application holds, and what it has logged since it was last asked. */
export interface State {
  readonly platform: string;
  readonly records: readonly {
    readonly reason: string;
    readonly account?: string;
    readonly package?: string;
    readonly diagnosis?: string;
  }[];
  readonly contract: Counts;
  readonly native: Counts;
  readonly shim: Counts | null;
}

/** What a protected route answers. */
export interface WhoAmI {
  readonly user: {
    readonly name: string;
    readonly userName: string;
    readonly domain?: string;
    readonly sid?: string;
    readonly groups: readonly { readonly sid?: string; readonly name?: string; readonly denyOnly: boolean }[];
    readonly package: string;
  };
  readonly scheme: string;
  readonly package: string;
  readonly provider: string;
}

const alice = `LAB\\alice:${winePassword}`;
const application = fileURLToPath(new URL('application.ts', import.meta.url));
const kit = fileURLToPath(new URL('../../windows', import.meta.url));

/** A running application. */
export class WindowsApplication {
  readonly process: WineProcess;
  readonly port: number;
  readonly #tickets: Readonly<Record<string, string>>;

  /** @param tickets environment of clients with a ticket */
  constructor(process: WineProcess, port: number, tickets: Readonly<Record<string, string>>) {
    this.process = process;
    this.port = port;
    this.#tickets = tickets;
  }

  url(path: string): string {
    return `http://localhost:${this.port}/${path}`;
  }

  ntlm(path: string, credentials = alice): Promise<CurlResult> {
    return curl(['--ntlm', '-u', credentials, this.url(path)]);
  }

  negotiate(path: string): Promise<CurlResult> {
    return curl(['--negotiate', '-u', ':', this.url(path)], { env: this.#tickets });
  }

  /** A request with an Authorization field of the test's own. */
  with(path: string, field: string): Promise<CurlResult> {
    return curl(['-H', `Authorization: ${field}`, this.url(path)]);
  }

  async state(path: 'state' | 'close' = 'state'): Promise<State> {
    return JSON.parse((await curl([this.url(path)])).body) as State;
  }

  /** What was logged since the last time, sign-ins and refusals. */
  async reasons(): Promise<string[]> {
    return (await this.state()).records.map(({ reason }) => reason);
  }
}

/** A Windows with the application in it, and a KDC whose tickets its clients have. */
export interface WindowsNetwork {
  readonly machine: WineMachine;
  /** The environment of a client with a ticket of alice. */
  readonly tickets: Readonly<Record<string, string>>;
  /**
   * Starts the application.
   *
   * @param shim where the proxy DLL is
   * @param env added to its environment
   */
  start(shim: ShimPlace, env?: Readonly<Record<string, string>>): Promise<WindowsApplication>;
  /**
   * Starts a script of the verification kit, with the proxy DLL in place of secur32.dll.
   *
   * @param file its name in test/windows
   * @param words for its command line
   */
  startScript(file: string, words: readonly string[]): Promise<WineProcess>;
  /** The token curl sends for HTTP/localhost, taken by a server that verifies nothing: the KDC never sees it used. */
  curlsToken(): Promise<string>;
  stop(): Promise<void>;
}

/** Makes the Windows and starts the KDC. */
export async function startWindowsNetwork(): Promise<WindowsNetwork> {
  const [machine, kdc] = await Promise.all([makeWineMachine(), startKdc()]);
  const tickets = await kdc.signIn('alice');
  await copyFile(application, machine.application.file('application.ts'));
  await cp(kit, machine.application.file('kit'), { recursive: true });
  const environment = { ...kdc.env, SSPI_SHIM_KERBEROS_NAME: `${kdc.realm}\\alice` };
  return {
    ...{ machine, tickets },
    async start(shim, env = {}) {
      const process = await machine.start('application.ts', { ...environment, ...env }, shim);
      const [, port] = await process.waitForLine(/listening on (\d+) with v22/);
      return new WindowsApplication(process, Number(port), tickets);
    },
    startScript(file, words) {
      const password = { SSPI_AUTH_KIT_PASSWORD: winePassword };
      return machine.start(`kit/${file}`, { ...environment, ...password }, 'system', words);
    },
    curlsToken: () => curlsToken(tickets),
    async stop() {
      await machine[Symbol.asyncDispose]();
      await kdc.stop();
    },
  };
}

async function curlsToken(tickets: Readonly<Record<string, string>>): Promise<string> {
  let field = '';
  const server = createServer((request, response) => {
    field = request.headers.authorization ?? '';
    response.writeHead(field === '' ? 401 : 200, { 'WWW-Authenticate': 'Negotiate' }).end();
  });
  await using listening = await listen(server);
  await curl(['--negotiate', '-u', ':', `http://localhost:${listening.port}/`], { env: tickets });
  assert.match(field, /^Negotiate [A-Za-z0-9+/=]{500,}$/);
  return field.slice('Negotiate '.length);
}

/** A token in Base64 with one bit of its end changed. */
export function tampered(token: string): string {
  const bytes = Buffer.from(token, 'base64');
  const at = bytes.byteLength - 20;
  bytes[at] = bytes[at]! ^ 1;
  return bytes.toString('base64');
}

/** Fails unless everything but credentials has been given back. */
export function assertNothingHeld({ contract, native, shim }: State, what = ''): void {
  assert.equal(contract.contexts, 0, what);
  assert.deepEqual(
    { ...native, credentials: 0 },
    { credentials: 0, contexts: 0, tokens: 0, certificates: 0, buffers: 0 },
    what,
  );
  if (shim !== null) {
    assert.deepEqual({ ...shim, credentials: 0 }, { credentials: 0, contexts: 0, buffers: 0, impersonations: 0 }, what);
  }
}

/** How a sign-in by hand ends. */
export type AttemptKind = 'right' | 'wrong' | 'abandoned';

/** `ntlmByHand` over a connection of its own. */
export async function ntlmOnce(port: number, path: string, kind: AttemptKind): Promise<number> {
  await using connection = await RawConnection.open(port);
  return await ntlmByHand(connection, path, kind);
}

/** Signs in to NTLM by hand, as often and as wrongly as a test wants it. */
export async function ntlmByHand(
  connection: RawConnection,
  path: string,
  kind: AttemptKind,
  user = 'alice',
): Promise<number> {
  const negotiate = negotiateMessage(CURL_FLAGS);
  const field = (token: Uint8Array): string => `Authorization: NTLM ${Buffer.from(token).toString('base64')}`;
  const first = await connection.exchange({ target: `/${path}`, fields: [field(negotiate)] });
  const challenge = /^NTLM (.+)$/.exec(first.headers.get('www-authenticate')?.[0] ?? '')?.[1];
  assert.ok(challenge !== undefined, first.text);
  if (kind === 'abandoned') return first.status;
  const bytes = Buffer.from(challenge, 'base64');
  const { message } = authenticateMessage(negotiate, bytes, {
    userName: user,
    domain: 'LAB',
    password: kind === 'right' ? winePassword : 'wrong',
    // Samba wants its own target information back, every pair of it.
    avBytes: bytes.subarray(bytes.readUInt32LE(44), bytes.readUInt32LE(44) + bytes.readUInt16LE(40)),
  });
  const last = await connection.exchange({ target: `/${path}`, fields: [field(message)] });
  if (kind === 'right') assert.equal((JSON.parse(last.body) as WhoAmI).user.userName, user, last.text);
  return last.status;
}

/** The state once the server has seen its connections close. */
export async function settled(app: WindowsApplication): Promise<State> {
  for (let attempt = 0; ; attempt++) {
    const state = await app.state();
    if (state.contract.contexts === 0 || attempt === 50) return state;
  }
}
