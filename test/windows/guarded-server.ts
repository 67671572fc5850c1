/** A server behind sspi-auth that keeps what was logged. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { IncomingMessage } from 'node:http';
import { memoryAccounts, recommendedServerOptions } from 'sspi-auth';
import type { AuditRecord, SspiAuthOptions } from 'sspi-auth';
import { sspiAuth } from 'sspi-auth/node';
import type { AuthenticatedRequest, Protect } from 'sspi-auth/node';
import type { Certificate } from './certificate.ts';
import { isWindows } from './programs.ts';
import type { Settings } from './settings.ts';

/** What the server answers a user. */
export interface WhoAmI {
  readonly name: string;
  readonly sid: string | undefined;
  readonly groups: readonly { readonly sid?: string; readonly name?: string }[];
  readonly scheme: string;
  readonly package: string;
  readonly channelBound: boolean;
  readonly attributes: number;
  readonly expiry: string | undefined;
  /** Length of the last Authorization field, in characters. */
  readonly fieldLength: number;
}

/** A response, as a client or the server itself saw it. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface ServerParts {
  readonly certificate?: Certificate;
  /** The address to listen on. Default 127.0.0.1. */
  readonly host?: string;
  /** Answers in place of `whoAmI`. */
  readonly answer?: (request: AuthenticatedRequest) => unknown;
  /** A connection ends with its sign-in, so that every request signs in anew. */
  readonly endsConnections?: boolean;
}

export class GuardedServer {
  readonly signIns: AuditRecord[] = [];
  readonly refusals: AuditRecord[] = [];
  readonly #protect: Protect;
  readonly #server: ReturnType<typeof createServer>;
  readonly #scheme: 'http' | 'https';
  #watcher: ((answer: Answer) => void) | undefined;

  private constructor(options: SspiAuthOptions<IncomingMessage>, parts: ServerParts) {
    const refused = (record: AuditRecord): void => {
      this.refusals.push(record);
      this.#watcher?.({ status: 401, body: '' });
    };
    const logger = {
      info: (record: object) => {
        if ('reason' in record) this.signIns.push(record as AuditRecord);
      },
      // A warning at start has no record of a request.
      warn: (record: object) => ('reason' in record ? refused(record as AuditRecord) : console.log(record)),
      error: (record: object, message: string) => console.log('error', message, record),
    };
    this.#protect = sspiAuth({ ...options, logger });
    const listener = this.#protect((request, response) => {
      const body = JSON.stringify((parts.answer ?? whoAmI)(request) ?? null);
      if (parts.endsConnections === true) response.setHeader('Connection', 'close');
      response.setHeader('Content-Type', 'application/json');
      response.end(body);
      this.#watcher?.({ status: 200, body });
    });
    this.#scheme = parts.certificate === undefined ? 'http' : 'https';
    this.#server =
      parts.certificate === undefined
        ? createServer(recommendedServerOptions, listener)
        : createTlsServer({ ...recommendedServerOptions, ...parts.certificate }, listener);
  }

  /**
   * Starts a server, and closes it when `run` has ended.
   *
   * On systems other than Windows, the account of the command line is verified by sspi-auth itself: to try the scripts,
   * which then say nothing of Windows.
   */
  static async serve(
    settings: Settings,
    options: SspiAuthOptions<IncomingMessage>,
    parts: ServerParts,
    run: (server: GuardedServer) => Promise<void>,
  ): Promise<void> {
    const server = new GuardedServer(isWindows ? options : { ...options, ...accountsOf(settings) }, parts);
    server.#server.listen(settings.port, parts.host ?? '127.0.0.1');
    await once(server.#server, 'listening');
    try {
      await run(server);
    } finally {
      await server.#close();
    }
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(host = 'localhost'): string {
    return `${this.#scheme}://${host}:${this.port}/`;
  }

  /** The next answer to a user, or the next refusal. */
  nextAnswer(): Promise<Answer> {
    return new Promise((resolve) => {
      this.#watcher = resolve;
    });
  }

  async #close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
    this.#protect.close();
  }
}

/** Who sent a request, and how that was verified. */
export function whoAmI({ user, sspi, headers }: AuthenticatedRequest): WhoAmI | undefined {
  if (user === undefined || sspi === undefined) return undefined;
  return {
    name: user.name,
    sid: user.sid,
    groups: user.groups,
    scheme: sspi.scheme,
    package: sspi.package,
    channelBound: sspi.channelBound,
    attributes: sspi.attributes,
    expiry: sspi.expiry?.toISOString(),
    fieldLength: headers.authorization?.length ?? 0,
  };
}

/** The answer of `whoAmI`; undefined for a refusal. */
export function readWhoAmI({ status, body }: Answer): WhoAmI | undefined {
  return status === 200 ? (JSON.parse(body) as WhoAmI) : undefined;
}

function accountsOf({ credentials }: Settings): SspiAuthOptions<IncomingMessage> {
  if (credentials === undefined) throw new Error('on this system the scripts need --user');
  const [domain = '', userName = ''] = credentials.user.split('\\');
  return { domain, accounts: memoryAccounts([{ userName, domain, password: credentials.password }]) };
}
