/**
 * Records for each connection what client and server sent until the client was known, so that the demo can show it. It
 * only watches: no decision of the library depends on it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { MalformedTokenError } from '../foundation/errors.ts';
import { describeHeader } from './header-description.ts';
import type { DescribedHeader, HeaderKind } from './header-description.ts';

/** One HTTP message with the credentials or challenges in it. */
export interface Leg {
  readonly from: 'client' | 'server';
  /** `GET /` or `401 Unauthorized`. */
  readonly line: string;
  /** Milliseconds since the first leg. */
  readonly milliseconds: number;
  readonly headers: readonly DescribedHeader[];
  /** `Persistent-Auth` of the response that signed the client in. */
  readonly persistent?: string;
}

/** A request and its response, which may still be on its way. */
interface Exchange {
  readonly line: string;
  readonly startedAt: number;
  readonly credentials: readonly DescribedHeader[];
  /** The response until its header fields were read; undefined once `answer` is there. */
  response: ServerResponse | undefined;
  finishedAt: number | undefined;
  answer: { readonly status: number; readonly challenges: readonly DescribedHeader[]; persistent?: string } | undefined;
}

/** What was recorded on one connection. */
interface Conversation {
  exchanges: Exchange[];
  /** Whether the last recorded exchange signed the client in. */
  concluded: boolean;
  /** Requests without credentials since then. */
  silentRequests: number;
}

/** A handshake as the page shows it. */
export interface RecordedHandshake {
  readonly legs: readonly Leg[];
  /** Requests on the connection since then that needed no handshake. */
  readonly silentRequests: number;
}

/**
 * At most this many exchanges are kept for a connection. If a client fails again and again, its oldest ones are
 * dropped.
 */
const MAX_EXCHANGES = 12;
/** Longest request line that is shown, in characters. */
const MAX_LINE = 120;

/** Records the handshakes of one authenticator. */
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
    const line = `${request.method ?? ''} ${request.url ?? ''}`.slice(0, MAX_LINE);
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
    if (conversation.exchanges.length > MAX_EXCHANGES) conversation.exchanges.shift();
    response.once('finish', () => takeAnswer(exchange));
  }

  /**
   * The handshake that signed a request in. Call it in the request's listener, after the authenticator has set its
   * fields on the response.
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

/** Describes a value, or says why it cannot be described. */
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
