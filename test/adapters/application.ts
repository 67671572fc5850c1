/** The application that the scenarios of this folder are run against: the same behind every adapter. */
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { Authenticator, Identity, SecurityContextInfo, SspiAuthOptions } from '../../src/index.ts';
import { liveHandles } from '../../src/sspi/index.ts';

/** What the application answers, as JSON. */
export interface Answer {
  readonly name: string | null;
  readonly user: Identity | null;
  readonly package: string | null;
  readonly scheme: string | null;
  readonly channelBound: boolean | null;
  /** Length and SHA-like check of the body that arrived: its bytes as sum and count. */
  readonly bodyBytes: number;
  readonly bodySum: number;
}

/** A running application. */
export interface RunningServer extends AsyncDisposable {
  readonly port: number;
  readonly server: Server;
  /** How often the handler ran: 0 where nobody may have got in. */
  readonly handled: () => number;
  readonly authenticator: Authenticator<never>;
  /** Security contexts that lived in the process when the server began: other test files may have left some. */
  readonly contextsBefore: number;
}

/** How an application answers refusals, in the terms of its framework: option `refuse`. */
export type Refusing =
  /** `refuse: 'error'`, with an error handler of the framework that answers 200. */
  | 'error'
  /** A page, with whatever else a function may do to a response. */
  | 'meddling'
  /** A page, later. */
  | 'later'
  | 'throwing'
  | 'rejecting'
  /** Answers long after its deadline. */
  | 'hanging';

/** Options that mean the same to every framework: their functions are given the raw request. */
export interface ScenarioOptions extends SspiAuthOptions<IncomingMessage> {
  readonly refusing?: Refusing;
  /** `requireGroup` for these, on `/group`. */
  readonly group?: string;
}

/** The page of the application for a refusal. */
export const refusalPage = 'a page of the application';

/** Options whose functions are given the framework's request. */
export function optionsFor<R>(options: ScenarioOptions, rawOf: (request: R) => IncomingMessage): SspiAuthOptions<R> {
  const { skip, authorize, schemesFor, enrich, otherSchemes, ...others } = options;
  const rest = Object.fromEntries(Object.entries(others).filter(([name]) => name !== 'refusing' && name !== 'group'));
  return {
    ...(rest as SspiAuthOptions<R>),
    ...(skip && { skip: (request: R) => skip(rawOf(request)) }),
    ...(authorize && { authorize: (user: Identity, request: R) => authorize(user, rawOf(request)) }),
    ...(schemesFor && { schemesFor: (request: R) => schemesFor(rawOf(request)) }),
    ...(enrich && { enrich: (user: Identity, request: R) => enrich(user, rawOf(request)) }),
    ...(otherSchemes && {
      otherSchemes: Object.fromEntries(
        Object.entries(otherSchemes).map(([name, verify]) => [
          name,
          verify === 'pass' ? verify : (request: R) => verify(rawOf(request)),
        ]),
      ),
    }),
  };
}

/** Waits until well after the deadline of scenarios that have one. */
export async function afterDeadline(): Promise<void> {
  await setTimeout(1200);
}

/** What an application does to a response of node:http that it may not do. */
export function meddle(response: ServerResponse): void {
  response.statusCode = 200;
  response.removeHeader('WWW-Authenticate');
  response.setHeader('WWW-Authenticate', 'Basic realm="phish"');
  response.setHeader('Connection', 'close');
  response.setHeader('Cache-Control', 'public, max-age=3600');
}

/** `refuse` for a response of node:http. */
export function refuseOf(refusing: Refusing | undefined): { refuse?: 'error' | ((...given: unknown[]) => unknown) } {
  if (refusing === undefined) return {};
  if (refusing === 'error') return { refuse: 'error' };
  return {
    refuse: (_request, given) => {
      const response = given as ServerResponse;
      switch (refusing) {
        case 'meddling':
          meddle(response);
          response.writeHead(200, 'fine', { 'WWW-Authenticate': 'Basic', 'Content-Type': 'text/html' });
          return response.end(refusalPage);
        case 'later':
          return Promise.resolve().then(() => void response.end(refusalPage));
        case 'throwing':
          response.setHeader('X-Half', 'done');
          throw new Error('the page is broken');
        case 'rejecting':
          return Promise.reject(new Error('the page is broken'));
        case 'hanging':
          return afterDeadline().then(() => {
            response.setHeader('X-Late', 'yes');
            response.end(refusalPage);
          });
      }
    },
  };
}

/** Starts the application behind one adapter. */
export type StartServer = (options: ScenarioOptions) => Promise<RunningServer>;

/** How often handlers ran. */
export interface RequestCount {
  add(): void;
  readonly total: number;
}

/** Called for each run of a handler, where a server counts for another process (scenario-process.ts). */
export const handling: { listener?: () => void } = {};

/** Counts the runs of one server's handlers. */
export function requestCount(): RequestCount {
  let total = 0;
  return {
    add() {
      total++;
      handling.listener?.();
    },
    get total() {
      return total;
    },
  };
}

/** What the application says of a request. */
export function answer(
  user: Identity | null | undefined,
  sspi: SecurityContextInfo | null | undefined,
  body: Buffer,
): Answer {
  let bodySum = 0;
  for (const byte of body) bodySum = (bodySum * 31 + byte) >>> 0;
  return {
    name: user?.name ?? null,
    user: user ?? null,
    package: sspi?.package ?? null,
    scheme: sspi?.scheme ?? null,
    channelBound: sspi?.channelBound ?? null,
    bodyBytes: body.byteLength,
    bodySum,
  };
}

/** The whole body of a request. */
export async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Has a server listen on a free port of this machine. */
export async function listening(
  server: Server,
  authenticator: unknown,
  handled: () => number,
  close: () => void | Promise<void>,
): Promise<RunningServer> {
  if (!server.listening) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  return {
    port: (server.address() as AddressInfo).port,
    server,
    handled,
    authenticator: authenticator as Authenticator<never>,
    contextsBefore: liveHandles().contexts,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await close();
      if (server.listening) {
        server.close();
        await once(server, 'close');
      }
    },
  };
}
