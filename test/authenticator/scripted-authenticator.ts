/** An authenticator over a scripted package, with sockets, clock and logger that a test holds in its hands. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { Authenticator } from '../../src/authenticator/authenticator.ts';
import { isStanding } from '../../src/http/outcome.ts';
import type { Exchange } from '../../src/http/exchange.ts';
import type { OfferedScheme } from '../../src/authenticator/offered-scheme.ts';
import type { Outcome } from '../../src/http/outcome.ts';
import { parseOptions } from '../../src/authenticator/options.ts';
import type { SspiAuthOptions } from '../../src/authenticator/options.ts';
import { acquireCredentialsHandle, SEC_E_LOGON_DENIED, SEC_I_CONTINUE_NEEDED } from '../../src/sspi/index.ts';
import type { Clock, CredentialHandle } from '../../src/sspi/index.ts';
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
  readonly remoteAddress: string = '192.0.2.7';
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

/** What a request may have beside Authorization. */
export interface RequestExtras {
  readonly httpVersionMajor?: number;
  /** Names and values in turn. */
  readonly fields?: readonly string[];
  /** What `skip` and `authorize` are given. */
  readonly request?: unknown;
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
    more?: RequestExtras,
  ): Outcome | Promise<Outcome>;
  /** The same for a request whose outcome must be there at once. */
  now(socket: FakeSocket, authorization?: string | readonly string[], more?: RequestExtras): Outcome;
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
  { httpVersionMajor = 1, fields = [] }: RequestExtras = {},
): Exchange {
  const values = authorization === undefined ? [] : [authorization].flat();
  const rawHeaders = ['Host', 'localhost', ...fields, ...values.flatMap((value) => ['Authorization', value])];
  return { socket, method: 'GET', rawHeaders, httpVersionMajor };
}

/** Answers that most tests need. */
export const usualScript: Script = {
  hello: { status: SEC_I_CONTINUE_NEEDED, output: 'challenge' },
  more: { status: SEC_I_CONTINUE_NEEDED, output: 'another challenge' },
  right: {},
  bob: { account: { userName: 'bob' } },
  wrong: { status: SEC_E_LOGON_DENIED },
};

/** A field of an outcome, by its name. */
export function field(outcome: Outcome, name: string): string | readonly string[] | undefined {
  if (outcome.type === 'anonymous') return undefined;
  return outcome.headers.find(([candidate]) => candidate === name)?.[1];
}

/** The name of the user of an outcome that was there at once. */
export function userOf(outcome: Outcome | Promise<Outcome>): string | undefined {
  assert.ok(!(outcome instanceof Promise), 'the answer was there at once');
  return outcome.type === 'authenticated' ? outcome.user.name : undefined;
}

const bare = {
  status: 401,
  headers: [
    ['WWW-Authenticate', ['NTLM', 'Negotiate']],
    ['Cache-Control', 'no-store'],
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Length', '17'],
  ],
  body: '401 Unauthorized\n',
};

/** Asserts the 401 that says nothing but what is offered. */
export function assertBare401(outcome: Outcome | Promise<Outcome>): void {
  assert.ok(!(outcome instanceof Promise));
  assert.ok(outcome.type === 'refused' || outcome.type === 'challenge', outcome.type);
  const { status, headers, body } = outcome;
  assert.deepEqual({ status, headers, body }, bare);
}

/**
 * Sets up an authenticator that offers NTLM, and Digest where a script for it is given.
 *
 * @param more what else the schemes that are bound to their connection have
 */
export function scripted(
  script: Script,
  options: SspiAuthOptions = {},
  digestScript?: Script,
  more: Partial<OfferedScheme> = {},
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
    { name: 'NTLM', provider: 'scripted', boundTo: 'connection', credential: credential(scriptedPackage), ...more },
    {
      name: 'Negotiate',
      provider: 'scripted',
      boundTo: 'connection',
      credential: credential(scriptedPackage),
      ...more,
    },
  ];
  if (digestScript !== undefined) {
    schemes.push({ name: 'Digest', provider: 'scripted', boundTo: 'request', credential: credential(digest) });
  }
  const authenticator = new Authenticator(parseOptions({ clock, logger, ...options }), schemes);
  const request: Scripted['request'] = (socket, authorization, more = {}) => {
    const exchange = exchangeOf(socket, authorization, more);
    const outcome = authenticator.authenticate(exchange, '/', more.request);
    // Adapters write nothing for a standing outcome: every test asserts that there is nothing to be written.
    if (isStanding(outcome)) assert.deepEqual([outcome.type, outcome.headers], ['authenticated', []]);
    return outcome;
  };
  const now: Scripted['now'] = (socket, authorization, more) => {
    const outcome = request(socket, authorization, more);
    assert.ok(!(outcome instanceof Promise), 'the outcome was there at once');
    return outcome;
  };
  return { authenticator, package: scriptedPackage, digest, clock, log, request, now };
}
