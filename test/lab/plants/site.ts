/**
 * Servers of plants: in the test's own process, and in processes of their own where clock, user, files or environment
 * are part of the mistake.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, ServerOptions } from 'node:http';
import { fileURLToPath } from 'node:url';
import { sspiAuth } from '../../../adapters/node.ts';
import { SspiAuthError } from '../../../src/foundation/errors.ts';
import { recommendedServerOptions } from '../../../src/index.ts';
import type { SspiAuthOptions } from '../../../src/index.ts';
import { listen } from '../ports.ts';
import { startProcess } from '../process.ts';
import { programWords } from '../program.ts';
import { PlantLog, plantLogger } from './plant-log.ts';

/** A server that runs, and what it told. */
export interface Site extends AsyncDisposable {
  readonly port: number;
  readonly log: PlantLog;
  /** The URL of its first page under a name, default the one that its users write. */
  url(host?: string): string;
}

/** A site over a log, a port and what has to be ended. The last part is ended first. */
export function siteOf(port: number, log: PlantLog, parts: readonly AsyncDisposable[], name = 'localhost'): Site {
  return {
    port,
    log,
    url: (host = name) => `http://${host}:${port}/`,
    async [Symbol.asyncDispose]() {
      for (const part of [...parts].reverse()) await part[Symbol.asyncDispose]();
    },
  };
}

/** The same site, whose users write another name. */
export function named(site: Site, name: string): Site {
  return siteOf(site.port, site.log, [site], name);
}

/** The same site, reached through something else. */
export function behind(site: Site, port: number, ...parts: readonly AsyncDisposable[]): Site {
  return siteOf(port, site.log, [site, ...parts]);
}

/** Serves a listener with a log that the test makes. */
export async function serveListener(
  listener: RequestListener,
  log: PlantLog,
  parts: readonly AsyncDisposable[] = [],
  serverOptions: ServerOptions = recommendedServerOptions,
): Promise<Site> {
  const server = await listen(createServer(serverOptions, listener));
  return siteOf(server.port, log, [...parts, server]);
}

/** A listener that serves the user's name behind sspiAuth. @throws SspiAuthError where it does not start */
export function protectedListener(
  options: SspiAuthOptions<IncomingMessage>,
  log: PlantLog,
): { readonly listener: RequestListener; readonly parts: readonly AsyncDisposable[] } {
  const protect = sspiAuth({ logger: plantLogger((line) => log.add(line)), ...options });
  const listener = protect((request, response) => response.end(request.user?.name ?? 'no user'));
  const closing = {
    [Symbol.asyncDispose]: () => {
      protect.close();
      return Promise.resolve();
    },
  };
  return { listener, parts: [closing] };
}

/** Serves that in this process. @throws SspiAuthError where it does not start */
export async function serve(
  options: SspiAuthOptions<IncomingMessage>,
  serverOptions: ServerOptions = recommendedServerOptions,
  log = new PlantLog(),
): Promise<Site> {
  const { listener, parts } = protectedListener(options, log);
  return serveListener(listener, log, parts, serverOptions);
}

/** How a server is started in a process of its own. */
export interface ApartOptions {
  /** Options of sspiAuth as JSON has them; `accounts` as memoryAccounts takes them. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The user it runs as, by number: it was started as root. */
  readonly uid?: number;
  /** What it tells are process warnings. */
  readonly withoutLogger?: boolean;
  /** Another copy of this program, beside sources and packages of its own. */
  readonly program?: string;
  readonly parts?: readonly AsyncDisposable[];
}

const ownProgram = fileURLToPath(new URL('plant-server.ts', import.meta.url));

/** Serves the same in a process of its own. @throws SspiAuthError with the message of the process that did not start */
export async function serveApart(apart: ApartOptions): Promise<Site> {
  const { env = {}, options, uid, withoutLogger, program = ownProgram, parts = [] } = apart;
  const words = [...programWords(program), JSON.stringify({ options, uid, withoutLogger })];
  const running = await startProcess(process.execPath, words, { env });
  try {
    const [, what = '', text = ''] = await running.waitForLine(/^(port|refused) (.*)$/, 60_000);
    if (what === 'refused') throw new SspiAuthError('ERR_SSPI_AUTH_NO_ACCEPTOR', JSON.parse(text) as string);
    const log = new PlantLog();
    running.follow((line) => {
      if (line.startsWith('log ')) log.add(line.slice(4));
    });
    return siteOf(Number(text), log, [...parts, running]);
  } catch (error) {
    await running.stop();
    for (const part of parts) await part[Symbol.asyncDispose]();
    throw error;
  }
}
