/** An authenticator over a scripted package, with sockets, clock and logger that a test holds in its hands. */
import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { Authenticator } from '../src/authenticator.ts';
import type { Exchange } from '../src/authenticator.ts';
import type { OfferedScheme } from '../src/http/offered-scheme.ts';
import type { Outcome } from '../src/http/outcome.ts';
import { parseOptions } from '../src/options.ts';
import type { SspiAuthOptions } from '../src/options.ts';
import { acquireCredentialsHandle } from '../src/sspi/index.ts';
import type { Clock, CredentialHandle } from '../src/sspi/index.ts';
import { firstToken, ScriptedPackage } from './scripted-package.ts';
import type { Script } from './scripted-package.ts';

/** Time that passes when told to. */
export class HandClock implements Clock {
  #milliseconds = 1_000_000;

  now(): number {
    return this.#milliseconds;
  }

  elapsed(): number {
    return this.#milliseconds;
  }

  advance(milliseconds: number): void {
    this.#milliseconds += milliseconds;
  }
}

/** The connection of one client. */
export class FakeSocket extends EventEmitter {
  destroyed = false;
  readonly remoteAddress = '192.0.2.7';
  readonly remotePort = 4711;

  /** The client goes away. */
  close(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

/** One line of the log. */
export interface LogLine {
  readonly level: 'info' | 'warn' | 'error' | 'debug';
  readonly record: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** What a test has in its hands. */
export interface Scripted {
  readonly authenticator: Authenticator;
  readonly package: ScriptedPackage;
  readonly clock: HandClock;
  readonly log: LogLine[];
  /** A request on a connection; `authorization` is the whole field, or several of them. */
  request(
    socket: FakeSocket,
    authorization?: string | readonly string[],
    more?: { readonly httpVersionMajor?: number; readonly fields?: readonly string[]; readonly request?: unknown },
  ): Outcome | Promise<Outcome>;
}

/** The Authorization field of a token that begins a handshake. */
export function first(text: string, scheme = 'NTLM'): string {
  return `${scheme} ${Buffer.from(firstToken(text), 'latin1').toString('base64')}`;
}

/** The Authorization field of a token that continues one. */
export function later(text: string, scheme = 'NTLM'): string {
  return `${scheme} ${Buffer.from(text, 'latin1').toString('base64')}`;
}

/** Everything that is due has happened: promises that can settle have, and what waits for them has run. */
export async function settled(): Promise<void> {
  await setImmediate();
}

/** Exchange of one request, as an adapter would hand it over. */
export function exchangeOf(
  socket: FakeSocket,
  authorization: string | readonly string[] | undefined,
  { httpVersionMajor = 1, fields = [] }: { httpVersionMajor?: number; fields?: readonly string[] } = {},
): Exchange {
  const values = authorization === undefined ? [] : [authorization].flat();
  const rawHeaders = ['Host', 'localhost', ...fields, ...values.flatMap((value) => ['Authorization', value])];
  return { socket, method: 'GET', rawHeaders, httpVersionMajor };
}

/** Sets up an authenticator that offers NTLM, and Digest where a script for it is given. */
export function scripted(
  script: Script,
  options: SspiAuthOptions = {},
  digestScript?: Script,
): Scripted & { readonly digest: ScriptedPackage } {
  const clock = new HandClock();
  const log: LogLine[] = [];
  const logger = Object.fromEntries(
    (['info', 'warn', 'error', 'debug'] as const).map((level) => [
      level,
      (record: object, message: string) => void log.push({ level, record: { ...record }, message }),
    ]),
  ) as unknown as NonNullable<Exclude<SspiAuthOptions['logger'], false>>;
  const scriptedPackage = new ScriptedPackage(script);
  const digest = new ScriptedPackage(digestScript ?? {}, 'Digest');
  const credential = (owner: ScriptedPackage): CredentialHandle =>
    acquireCredentialsHandle({ package: owner, credentialUse: 'inbound' }) as CredentialHandle;
  const schemes: OfferedScheme[] = [
    { name: 'NTLM', provider: 'scripted', boundTo: 'connection', credential: credential(scriptedPackage) },
    { name: 'Negotiate', provider: 'scripted', boundTo: 'connection', credential: credential(scriptedPackage) },
  ];
  if (digestScript !== undefined) {
    schemes.push({ name: 'Digest', provider: 'scripted', boundTo: 'request', credential: credential(digest) });
  }
  const authenticator = new Authenticator(parseOptions({ clock, logger, ...options }), schemes);
  return {
    authenticator,
    package: scriptedPackage,
    digest,
    clock,
    log,
    request: (socket, authorization, more = {}) =>
      authenticator.authenticate(exchangeOf(socket, authorization, more), '/', more.request),
  };
}
