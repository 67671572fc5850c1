/**
 * `Expect: 100-continue` (RFC 9110 section 10.1.1): a client that waits before it sends its body is told yes or no by the
 * result on its credentials (attack A16). Node says yes by itself unless the server has a `checkContinue` listener.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Node's word of a request, before it says `100 Continue`. */
const requestStart = 'http.server.request.start';

function onRequestStart(message: unknown): void {
  const { request, server } = message as { readonly request: IncomingMessage; readonly server: unknown };
  if (request.headers.expect !== undefined) holdContinue(server);
}

/** How many authenticators have not seen the server they are for. */
let strangers = 0;

/**
 * Makes the server of the next request wait for the result before that very request is told `100 Continue`: an adapter that
 * is not handed its server learns of it from its first request, and that would be one too late. Other servers of the process
 * on which somebody expects a `100 Continue` until then are made to wait as well, and say it as ever.
 *
 * @returns to be called when the server is known, or the authenticator closed
 */
export function holdFirstContinue(): () => void {
  if (strangers++ === 0) subscribe(requestStart, onRequestStart);
  let known = false;
  return () => {
    if (known) return;
    known = true;
    if (--strangers === 0) unsubscribe(requestStart, onRequestStart);
  };
}

/** Servers whose interim responses this module holds back. */
const holding = new WeakSet();
/** How far it is with a client that waits: whether an authenticator has taken charge of it, and has been told yes. */
interface Wait {
  state: 'unclaimed' | 'claimed' | 'answered';
}

/** Property of a response whose client waits. A record, which an object made from the response has in common with it. */
const waiting = Symbol('sspi-auth awaits continue');

interface WaitingResponse extends ServerResponse {
  [waiting]?: Wait;
}

/**
 * Makes a server wait for the result. Once per server; a server whose application listens for `checkContinue` itself is
 * left alone. Requests that no authenticator looks at get their `100 Continue` as ever.
 */
export function holdContinue(server: unknown): void {
  if (!(server instanceof EventEmitter) || holding.has(server)) return;
  holding.add(server);
  if (server.listenerCount('checkContinue') > 0) return;
  server.on('checkContinue', (message: IncomingMessage, response: WaitingResponse) => {
    // A listener that the application has added since answers by itself.
    if (server.listenerCount('checkContinue') > 1) return;
    const wait: Wait = { state: 'unclaimed' };
    response[waiting] = wait;
    server.emit('request', message, response);
    if (wait.state === 'unclaimed') sendContinue(response);
  });
}

/**
 * An authenticator verifies this request, or has: say nothing until its outcome is carried out. Also makes the server of the
 * request wait, where nobody has yet. To be called before anything is awaited or written; there is no need for it where the
 * handler may run at once.
 */
export function awaitResult(message: IncomingMessage, response: WaitingResponse): void {
  const wait = response[waiting];
  if (wait === undefined) holdContinue((message.socket as { readonly server?: unknown }).server);
  else if (wait.state === 'unclaimed') wait.state = 'claimed';
}

/** Whether a client still waits for `100 Continue`. Node ends the connection of a final response to such a client. */
export function awaitsContinue(response: WaitingResponse): boolean {
  const wait = response[waiting];
  return wait !== undefined && wait.state !== 'answered';
}

/** The handler will run: the client may send its body. */
export function sendContinue(response: WaitingResponse): void {
  const wait = response[waiting];
  if (wait === undefined || wait.state === 'answered') return;
  wait.state = 'answered';
  if (!response.headersSent) response.writeContinue();
}
