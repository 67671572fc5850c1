/**
 * `Expect: 100-continue` (RFC 9110 section 10.1.1). A client that waits before it sends its body gets its answer only
 * when its credentials have been verified (attack A16). If the server has no `checkContinue` listener, Node sends `100
 * Continue` by itself.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Node's diagnostics channel for a new request. Node publishes before it sends `100 Continue`. */
const requestStart = 'http.server.request.start';

function onRequestStart(message: unknown): void {
  const { request, server } = message as { readonly request: IncomingMessage; readonly server: unknown };
  if (request.headers.expect === undefined || !mayHold(server)) return;
  // For this one request. If the server is ours, the authenticator makes it hold back from then on; if it is not,
  // nothing of this stays, and its client sees what it would have seen without.
  const listener = listenerFor(server);
  server.once('checkContinue', listener);
  process.nextTick(() => server.off('checkContinue', listener));
}

/** How many authenticators do not know their server yet. */
let withoutServer = 0;

/**
 * Makes the server of the next request hold back `100 Continue`, including for that request. An adapter that is not
 * given its server learns of it from its first request, which would be one request too late. Until then, requests with
 * Expect to other servers of the process are looked at as well; no authenticator handles these, and they get their `100
 * Continue` before their response, as usual.
 *
 * @returns a function to call when the server is known, or the authenticator is closed
 */
export function holdFirstContinue(): () => void {
  if (withoutServer++ === 0) subscribe(requestStart, onRequestStart);
  let known = false;
  return () => {
    if (known) return;
    known = true;
    if (--withoutServer === 0) unsubscribe(requestStart, onRequestStart);
  };
}

/** Servers whose `100 Continue` this module holds back. */
const holding = new WeakSet();
/** The state of a client that waits: no authenticator has taken its request yet, one has, or `100 Continue` was due. */
interface Wait {
  state: 'unclaimed' | 'claimed' | 'answered';
}

/**
 * Property of a response whose client waits. Its value is an object, so that an object derived from the response shares
 * the state.
 */
const waiting = Symbol('sspi-auth awaits continue');

interface WaitingResponse extends ServerResponse {
  [waiting]?: Wait;
}

/** Whether a server can be made to hold back: an application that listens for `checkContinue` itself is left alone. */
function mayHold(server: unknown): server is EventEmitter {
  return server instanceof EventEmitter && !holding.has(server) && server.listenerCount('checkContinue') === 0;
}

/**
 * Makes a server hold back `100 Continue` until the client's credentials have been verified. Further calls for the same
 * server do nothing. A server whose application has its own `checkContinue` listener is left alone. Requests that no
 * authenticator handles get their `100 Continue` before their response, as usual.
 *
 * @param server a net.Server; anything that is not an EventEmitter is ignored
 */
export function holdContinue(server: unknown): void {
  if (!mayHold(server)) return;
  holding.add(server);
  server.on('checkContinue', listenerFor(server));
}

function listenerFor(server: EventEmitter): (message: IncomingMessage, response: WaitingResponse) => void {
  return (message, response) => {
    // If the application has added its own listener since then, that one answers.
    if (server.listenerCount('checkContinue') > (holding.has(server) ? 1 : 0)) return;
    const wait: Wait = { state: 'unclaimed' };
    response[waiting] = wait;
    continueBeforeHead(response, wait);
    server.emit('request', message, response);
    if (wait.state === 'unclaimed') sendContinue(response);
  };
}

/**
 * A handler may answer at once, without an authenticator. Without this module Node would have sent `100 Continue` before
 * that response, and would not close the connection after it. So it is sent before the head of the response.
 */
function continueBeforeHead(response: WaitingResponse, wait: Wait): void {
  const writeHead = response.writeHead.bind(response) as (...head: unknown[]) => ServerResponse;
  response.writeHead = (...head: unknown[]) => {
    if (wait.state === 'unclaimed') sendContinue(response);
    return writeHead(...head);
  };
}

/**
 * Says that an authenticator handles this request: `100 Continue` is held back until its outcome is carried out. Also
 * makes the request's server hold back, if nothing has done so yet. Call it before anything is awaited or written. It
 * is not needed if the handler may run at once.
 */
export function awaitResult(message: IncomingMessage, response: WaitingResponse): void {
  const wait = response[waiting];
  if (wait?.state === 'unclaimed') wait.state = 'claimed';
  holdContinue((message.socket as { readonly server?: unknown } | undefined)?.server);
}

/**
 * Whether a client still waits for `100 Continue`. After a final response to such a client, Node closes the connection.
 */
export function awaitsContinue(response: WaitingResponse): boolean {
  const wait = response[waiting];
  return wait !== undefined && wait.state !== 'answered';
}

/** Sends `100 Continue` to a client that waits for it. */
export function sendContinue(response: WaitingResponse): void {
  const wait = response[waiting];
  if (wait === undefined || wait.state === 'answered') return;
  wait.state = 'answered';
  if (!response.headersSent) response.writeContinue();
}
