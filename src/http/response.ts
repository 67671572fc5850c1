/** Carries an outcome into a node:http response; what the adapters of frameworks built on it share. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type {
  AnonymousOutcome,
  AuthenticatedOutcome,
  ChallengeOutcome,
  HeaderField,
  Outcome,
  RefusedOutcome,
} from './outcome.ts';
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
function mustStayOpen(response: ServerResponse, outcome: Outcome): boolean {
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
function discardBodyFor(
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
function bodyOf({ headers, body }: ChallengeOutcome | RefusedOutcome): string | Buffer {
  return headers.some(([, values]) => [values].flat().some(isBeyondAscii)) ? Buffer.from(body) : body;
}

function isBeyondAscii(value: string): boolean {
  return /[^ -~]/.test(value);
}

/** What is to be sent for a request whose handler may not run. */
export interface RefusalResponse {
  readonly status: ChallengeOutcome['status'] | RefusedOutcome['status'];
  readonly headers: readonly HeaderField[];
  readonly body: string | Buffer;
  /** The client's body is longer than is read: the response has to go out by `endAndClose`, and the connection ends with it. */
  readonly closes: boolean;
}

/**
 * The response for a request whose handler may not run, for frameworks that want to send it themselves. From here on the
 * request's body is read and thrown away.
 *
 * @param limits of request bodies that are read and thrown away for a response of our own
 */
export function refusalResponse(
  message: IncomingMessage,
  response: ServerResponse,
  outcome: ChallengeOutcome | RefusedOutcome,
  limits: BodyLimits,
): RefusalResponse {
  const headers = mustStayOpen(response, outcome)
    ? [...outcome.headers, ['Connection', 'keep-alive'] as const]
    : outcome.headers;
  return {
    status: outcome.status,
    headers,
    body: bodyOf(outcome),
    closes: !discardBodyFor(message, outcome, limits),
  };
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
  const { status, headers, body, closes } = refusalResponse(message, response, outcome, limits);
  response.statusCode = status;
  for (const [name, value] of headers) response.setHeader(name, value);
  if (closes) endAndClose(message, response, body);
  else response.end(body);
  return false;
}
