/** Carries an outcome into a node:http response; what the adapters of frameworks built on it share. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnonymousOutcome, AuthenticatedOutcome, Outcome } from './outcome.ts';
import { sendContinue } from './expect-continue.ts';
import { discardBody, endAndClose } from './request-body.ts';

/** Whether the handler may run. */
export function mayProceed(outcome: Outcome): outcome is AuthenticatedOutcome | AnonymousOutcome {
  return outcome.type === 'authenticated' || outcome.type === 'anonymous';
}

/**
 * Writes an outcome.
 *
 * @param limit largest request body in bytes that is read and thrown away for a response of our own
 * @returns true where the handler may run, with the outcome's fields set on its response; false where the response is
 *   done
 */
export function writeOutcome(
  message: IncomingMessage,
  response: ServerResponse,
  outcome: Outcome,
  limit: number,
): outcome is AuthenticatedOutcome | AnonymousOutcome {
  if (mayProceed(outcome)) {
    if (outcome.type === 'authenticated' && outcome.headers.length > 0) {
      for (const [name, value] of outcome.headers) response.setHeader(name, value);
    }
    sendContinue(response);
    return true;
  }
  if (response.headersSent || response.destroyed) return false;
  response.statusCode = outcome.status;
  for (const [name, value] of outcome.headers) response.setHeader(name, value);
  if (discardBody(message, limit)) response.end(outcome.body);
  else endAndClose(message, response, outcome.body);
  return false;
}
