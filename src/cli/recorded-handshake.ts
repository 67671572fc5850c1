/**
 * What clients and server said to each other until a client was known, kept for each connection so that the demo can show
 * it. It only watches: nothing that the library decides depends on it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { MalformedTokenError } from '../foundation/errors.ts';
import { describeHeader } from './header-description.ts';
import type { DescribedHeader, HeaderKind } from './header-description.ts';

/** One message of HTTP with the credentials or challenges in it. */
export interface Leg {
  readonly from: 'client' | 'server';
  /** `GET /` or `401 Unauthorized`. */
  readonly line: string;
  /** Milliseconds since the first leg. */
  readonly milliseconds: number;
  readonly headers: readonly DescribedHeader[];
  /** `Persistent-Auth` of the answer that says yes. */
  readonly persistent?: string;
}

/** A request and its answer while they are on their way. */
interface Exchange {
  readonly line: string;
  readonly startedAt: number;
  readonly credentials: readonly DescribedHeader[];
  /** Taken while the headers can still be read; undefined once `answer` is there. */
  response: ServerResponse | undefined;
  finishedAt: number | undefined;
  answer: { readonly status: number; readonly challenges: readonly DescribedHeader[]; persistent?: string } | undefined;
}

/** What one connection said. */
interface Conversation {
  exchanges: Exchange[];
  /** The last exchange that is kept let the client in. */
  concluded: boolean;
  /** Requests that were let in since, without a word about credentials. */
  silentRequests: number;
}

/** A handshake as the page shows it. */
export interface RecordedHandshake {
  readonly legs: readonly Leg[];
  /** Requests on the connection that needed no handshake of their own since. */
  readonly silentRequests: number;
}

/** A client that fails again and again on one connection pushes out what it did first. */
const MAXIMUM_EXCHANGES = 12;
/** Longest request line that is shown, in characters. */
const MAXIMUM_LINE = 120;

/** Records the handshakes before one authenticator. */
export class HandshakeRecorder {
  readonly #conversations = new WeakMap<object, Conversation>();

  /** Notes a request. Call it before the authenticator sees the request. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    let conversation = this.#conversations.get(socket);
    if (conversation === undefined) {
      conversation = { exchanges: [], concluded: false, silentRequests: 0 };
      this.#conversations.set(socket, conversation);
    }
    const credentials = fieldValues(request.rawHeaders, 'authorization').map((value) =>
      described('credentials', value),
    );
    if (conversation.concluded) {
      if (credentials.length === 0) {
        conversation.silentRequests++;
        return;
      }
      conversation.exchanges = [];
      conversation.concluded = false;
      conversation.silentRequests = 0;
    }
    const line = `${request.method ?? ''} ${request.url ?? ''}`.slice(0, MAXIMUM_LINE);
    const startedAt = performance.now();
    const exchange: Exchange = {
      line,
      startedAt,
      credentials,
      response,
      finishedAt: undefined,
      answer: undefined,
    };
    conversation.exchanges.push(exchange);
    if (conversation.exchanges.length > MAXIMUM_EXCHANGES) conversation.exchanges.shift();
    response.once('finish', () => takeAnswer(exchange));
  }

  /**
   * The handshake that let a request in. Call it in the request's listener, once the authenticator has set its fields on
   * the response.
   */
  conclude(request: IncomingMessage): RecordedHandshake {
    const conversation = this.#conversations.get(request.socket);
    if (conversation === undefined) return { legs: [], silentRequests: 0 };
    if (!conversation.concluded) {
      for (const exchange of conversation.exchanges) takeAnswer(exchange);
      conversation.concluded = true;
    }
    const { exchanges, silentRequests } = conversation;
    const start = exchanges[0]?.startedAt ?? 0;
    return { legs: exchanges.flatMap((exchange) => legsOf(exchange, start)), silentRequests };
  }
}

function takeAnswer(exchange: Exchange): void {
  const { response } = exchange;
  exchange.finishedAt ??= performance.now();
  if (response === undefined) return;
  const values = [response.getHeader('www-authenticate') ?? []].flat();
  const persistent = response.getHeader('persistent-auth');
  exchange.answer = {
    status: response.statusCode,
    challenges: values.map((value) => described('challenge', String(value))),
    ...(persistent === undefined ? undefined : { persistent: String(persistent) }),
  };
  exchange.response = undefined;
}

function legsOf(exchange: Exchange, start: number): readonly Leg[] {
  const { line, startedAt, finishedAt, credentials, answer } = exchange;
  const request: Leg = { from: 'client', line, milliseconds: startedAt - start, headers: credentials };
  if (answer === undefined) return [request];
  const { status, challenges, persistent } = answer;
  const response: Leg = {
    from: 'server',
    line: statusLines.get(status) ?? String(status),
    milliseconds: (finishedAt ?? startedAt) - start,
    headers: challenges,
    ...(persistent === undefined ? undefined : { persistent }),
  };
  return [request, response];
}

const statusLines: ReadonlyMap<number, string> = new Map([
  [200, '200 OK'],
  [400, '400 Bad Request'],
  [401, '401 Unauthorized'],
  [403, '403 Forbidden'],
  [404, '404 Not Found'],
]);

function fieldValues(rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}

/** A value described, or why it cannot be. */
function described(kind: HeaderKind, value: string): DescribedHeader {
  try {
    return describeHeader(kind, value);
  } catch (error) {
    if (!(error instanceof MalformedTokenError)) throw error;
    const scheme = /^[!-~]{1,32}/.exec(value)?.[0] ?? '';
    const fields = [{ name: 'malformed', text: error.message }];
    return { scheme, bytes: value.length, description: { title: `${scheme} ${kind}`, highlights: [], fields } };
  }
}
