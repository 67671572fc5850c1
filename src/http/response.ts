/** Carries an outcome into a node:http response; what the adapters of frameworks built on it share. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnonymousOutcome, AuthenticatedOutcome, ChallengeOutcome, Outcome, RefusedOutcome } from './outcome.ts';
import { awaitsContinue, sendContinue } from './expect-continue.ts';
import { discardBody, endAndClose } from './request-body.ts';
import type { BodyLimits } from './request-body.ts';

/** Whether the handler may run. */
export function mayProceed(outcome: Outcome): outcome is AuthenticatedOutcome | AnonymousOutcome {
  return outcome.type === 'authenticated' || outcome.type === 'anonymous';
}

/**
 * Whether Node would end the connection, with the handshake that goes on over it: the client waits for `100 Continue` and
 * is given a challenge in its place. Then the response has to say `Connection: keep-alive`. A client of such a scheme
 * sends its body all the same, or closes the connection itself.
 */
export function mustStayOpen(response: ServerResponse, outcome: Outcome): boolean {
  return outcome.type === 'challenge' && outcome.continuesHandshake && awaitsContinue(response);
}

/**
 * Reads and throws away the body of a request that is answered without its handler.
 *
 * A challenge that goes on with a handshake is worth nothing on a connection that ends: the client's next token has to come
 * over it, so more is read there than for a refusal.
 *
 * @returns false where the body is announced to be longer than that: then the connection has to end with the response
 */
export function discardBodyFor(
  message: IncomingMessage,
  outcome: ChallengeOutcome | RefusedOutcome,
  { discardedBodyBytes, handshakeBodyBytes }: BodyLimits,
): boolean {
  const goesOn = outcome.type === 'challenge' && outcome.continuesHandshake;
  return discardBody(message, goesOn ? Math.max(discardedBodyBytes, handshakeBodyBytes) : discardedBodyBytes);
}

/**
 * The body as it is to be given to Node: as bytes where a field is beyond ASCII (a realm of Digest). Node would write a text
 * and the fields before it as one, in UTF-8, and fields are not UTF-8. Otherwise as text, which is what most handlers give:
 * whoever gives both makes Node slower for all.
 */
export function bodyOf({ headers, body }: ChallengeOutcome | RefusedOutcome): string | Buffer {
  return headers.some(([, values]) => [values].flat().some(isBeyondAscii)) ? Buffer.from(body) : body;
}

function isBeyondAscii(value: string): boolean {
  return /[^ -~]/.test(value);
}

/**
 * Writes an outcome.
 *
 * @param limits of request bodies that are read and thrown away for a response of our own
 * @returns true where the handler may run, with the outcome's fields set on its response; false where the response is
 *   done, by this function or by somebody who did not wait for the result (a timeout of the application)
 */
export function writeOutcome(
  message: IncomingMessage,
  response: ServerResponse,
  outcome: Outcome,
  limits: BodyLimits,
): outcome is AuthenticatedOutcome | AnonymousOutcome {
  if (response.writableEnded) return false;
  if (mayProceed(outcome)) {
    if (outcome.type === 'authenticated' && !response.headersSent) {
      for (const [name, value] of outcome.headers) response.setHeader(name, value);
    }
    sendContinue(response);
    return true;
  }
  if (response.headersSent || response.destroyed) return false;
  response.statusCode = outcome.status;
  for (const [name, value] of outcome.headers) response.setHeader(name, value);
  if (mustStayOpen(response, outcome)) response.setHeader('Connection', 'keep-alive');
  const body = bodyOf(outcome);
  if (discardBodyFor(message, outcome, limits)) response.end(body);
  else endAndClose(message, response, body);
  return false;
}
