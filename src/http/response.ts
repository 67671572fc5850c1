/** Carries an outcome into a node:http response, for the adapters of all frameworks that are built on it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type {
  AnonymousOutcome,
  AuthenticatedOutcome,
  ChallengeOutcome,
  HeaderField,
  Outcome,
  RefusedOutcome,
  SignedInOutcome,
} from './outcome.ts';
import { holdRefusal } from './held-refusal.ts';
import { awaitsContinue, sendContinue } from './expect-continue.ts';
import { bodyArrival, discardBody, endAndClose, legBodyBytes } from './request-body.ts';
import type { BodyLimits } from './request-body.ts';
import { refusalBody } from './refusal-body.ts';
import { refusalOf } from './refusal.ts';
import type { Refusal, RefusalResponse } from './refusal.ts';

export type { RefusalResponse } from './refusal.ts';

/** Whether the handler may run. */
export function mayProceed(outcome: Outcome): outcome is AuthenticatedOutcome | AnonymousOutcome {
  return outcome.type === 'authenticated' || outcome.type === 'anonymous';
}

/** Whether the client has to go on with its handshake or its requests on this connection. */
function continuesHandshake(outcome: SignedInOutcome | ChallengeOutcome | RefusedOutcome): boolean {
  return outcome.type === 'signedIn' || (outcome.type === 'challenge' && outcome.continuesHandshake);
}

/**
 * The body in the form in which Node should get it. If a field has characters beyond ASCII (a realm of Digest), the
 * body is bytes: Node would write a string together with the fields before it in UTF-8, and fields are not UTF-8.
 * Otherwise the body is a string, as most handlers give it: passing both types makes Node slower for all.
 */
function bytesOf(headers: readonly HeaderField[], body: string): string | Buffer {
  return headers.some(([, values]) => [values].flat().some(isBeyondAscii)) ? Buffer.from(body) : body;
}

function isBeyondAscii(value: string): boolean {
  return /[^ -~]/.test(value);
}

/** Body and fields of a refusal, in the type that the client accepts. */
function accepted(
  { headers, body }: SignedInOutcome | ChallengeOutcome | RefusedOutcome,
  message: IncomingMessage,
): { readonly headers: readonly HeaderField[]; readonly body: string } {
  const accept = (message.headers as IncomingMessage['headers'] | undefined)?.accept;
  const own = refusalBody(body, accept);
  if (own.body === body) return { headers, body };
  const bodyFields: Readonly<Record<string, string>> = {
    'Content-Type': own.type,
    'Content-Length': String(Buffer.byteLength(own.body)),
  };
  return { headers: headers.map(([name, value]) => [name, bodyFields[name] ?? value] as const), body: own.body };
}

/** Who answers a refusal in place of this library. */
export interface Refuser {
  /** Answers. What it throws, and what its promise is rejected with, has the bare answer sent. */
  readonly answer: (refusal: Refusal) => unknown;
  /** How long it may take, in milliseconds. */
  readonly milliseconds: number;
  /** Told of what `answer` throws, and that it was too late. */
  readonly failed: (error: unknown) => void;
}

/**
 * The response for a request whose handler may not run, for frameworks that send it themselves. From this call on, the
 * request's body is read and discarded. A client that waits for `100 Continue` on a leg of a handshake gets it.
 *
 * @param limits of request bodies that are read and discarded for a response of this library
 */
export function refusalResponse(
  message: IncomingMessage,
  response: ServerResponse,
  outcome: SignedInOutcome | ChallengeOutcome | RefusedOutcome,
  limits: BodyLimits,
): RefusalResponse {
  // A challenge that continues a handshake is useless if the connection is closed, because the client's next token must
  // come over it. So more is read than for a refusal.
  const goesOn = continuesHandshake(outcome);
  const closes = !discardBody(message, goesOn ? legBodyBytes(limits) : limits.discardedBodyBytes);
  let ready: Promise<void> | undefined;
  if (goesOn && !closes) {
    // If a client that waits for `100 Continue` got the challenge first, nobody could say whether its body or its next
    // request comes after it.
    const invited = awaitsContinue(response);
    if (invited) sendContinue(response);
    ready = bodyArrival(message, invited);
  }
  const { headers, body } = goesOn ? outcome : accepted(outcome, message);
  return { status: outcome.status, headers, body: bytesOf(headers, body), closes, ready };
}

/**
 * Carries out an outcome: lets the handler run, or writes the response.
 *
 * @param limits of request bodies that are read and discarded for a response of this library
 * @param refuser answers refusals, if the application wants to
 * @returns true if the handler may run; the outcome's fields are then set on its response. False if the response is
 *   done, by this function or by other code that did not wait for the result (a timeout of the application)
 */
export function writeOutcome(
  message: IncomingMessage,
  response: ServerResponse,
  outcome: Outcome,
  limits: BodyLimits,
  refuser?: Refuser,
): outcome is AuthenticatedOutcome | AnonymousOutcome {
  if (response.writableEnded) return false;
  if (mayProceed(outcome)) {
    if (!response.headersSent) setFields(response, outcome.headers);
    sendContinue(response);
    return true;
  }
  if (response.headersSent || response.destroyed) return false;
  const refusal = refusalResponse(message, response, outcome, limits);
  const asked = refuser === undefined ? undefined : refusalOf(outcome);
  if (refuser !== undefined && asked !== undefined) {
    const held = holdRefusal(message, response, refusal, refuser.milliseconds, refuser);
    const answered = held.run(() => refuser.answer(asked));
    if (answered instanceof Promise) answered.catch(() => undefined);
    return false;
  }
  const send = (): void => sendRefusal(message, response, refusal);
  if (refusal.ready === undefined) send();
  else refusal.ready.then(send, send);
  return false;
}

/**
 * Sets fields of this library. To a Vary that the application has set, ours is added (RFC 9110 section 12.5.5), and so are
 * cookies to its own.
 */
export function setFields(response: ServerResponse, fields: readonly HeaderField[]): void {
  for (const [name, value] of fields) {
    if (name === 'Vary') response.setHeader(name, varyOf(response.getHeader(name), String(value)));
    else if (name === 'Set-Cookie') response.setHeader(name, cookiesOf(response.getHeader(name), value));
    else response.setHeader(name, value);
  }
}

function cookiesOf(
  before: number | string | readonly string[] | undefined,
  values: string | readonly string[],
): string[] {
  return [...new Set([...[before ?? []].flat().map(String), ...[values].flat()])];
}

function varyOf(before: number | string | readonly string[] | undefined, name: string): string {
  if (before === undefined) return name;
  const names = [before].flat().join(', ');
  const known = names.toLowerCase().split(/\s*,\s*/);
  return known.includes('*') || known.includes(name.toLowerCase()) ? names : `${names}, ${name}`;
}

function sendRefusal(
  message: IncomingMessage,
  response: ServerResponse,
  { status, headers, body, closes }: RefusalResponse,
): void {
  if (response.headersSent || response.destroyed) return;
  response.statusCode = status;
  setFields(response, headers);
  if (closes) endAndClose(message, response, body);
  else response.end(body);
}
