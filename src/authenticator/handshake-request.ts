/** A request with a token of Negotiate, Kerberos or NTLM: one leg of its connection's handshake. */
import { encodeBase64 } from '../formats/base64.ts';
import { beginsHandshake } from '../formats/initial-token.ts';
import { parseToken } from '../http/authorization.ts';
import type { Credentials } from '../http/authorization.ts';
import { channelBindingsOf } from '../http/channel-bindings.ts';
import { challengeOutcome, refusedOutcome } from '../http/outcome.ts';
import type { Outcome } from '../http/outcome.ts';
import { announcesBody } from '../http/request-body.ts';
import { heldBytes } from '../sspi/index.ts';
import type { Attempt, Conclusions } from './conclusions.ts';
import type { OfferedScheme } from './offered-scheme.ts';
import { discard, verifyToken } from './verification.ts';
import type { VerificationResult } from './verification.ts';

/** Verifies the token with the context of its connection's handshake, or begins a handshake. */
export function acceptHandshakeRequest(
  conclusions: Conclusions,
  attempt: Attempt,
  scheme: OfferedScheme,
  credentials: Credentials,
): Outcome | Promise<Outcome> {
  const { exchange, connection } = attempt;
  const { settings, pending } = conclusions;
  const parsed = parseToken(credentials.parameters, settings.limits.tokenBytes);
  switch (parsed.type) {
    case 'empty':
    case 'malformed':
      return conclusions.refuse(attempt, 401, 'malformed-authorization', scheme);
    case 'tooLarge':
      return conclusions.refuse(attempt, 401, 'token-too-large', scheme);
    case 'list':
      return conclusions.refuse(attempt, 400, 'malformed-authorization', scheme);
    case 'token':
      break;
  }
  const { phase } = connection;
  const continued =
    phase.type === 'negotiating' && phase.scheme === credentials.scheme && !beginsHandshake(parsed.token)
      ? phase
      : undefined;
  // A new first token ends the handshake or identity before it, even before it is verified itself (attack C04).
  if (continued === undefined) pending.release(connection);
  const leg: Attempt = continued === undefined ? { ...attempt, startedAt: settings.clock.elapsed() } : attempt;
  const mode = settings.channelBinding;
  const bindings = mode === 'never' ? undefined : channelBindingsOf(exchange.socket);
  const result = verifyToken(scheme, continued?.context, parsed.token, { mode, bindings });
  return conclusions.whenVerified(leg, result, (settled) => conclude(conclusions, leg, scheme, settled));
}

function conclude(
  conclusions: Conclusions,
  attempt: Attempt,
  scheme: OfferedScheme,
  result: VerificationResult,
): Outcome {
  const { connection, exchange } = attempt;
  const { pending, audit } = conclusions;
  if (exchange.socket.destroyed === true) {
    discard(result);
    pending.release(connection);
    return refusedOutcome(401);
  }
  switch (result.type) {
    case 'refused':
      return conclusions.refuse(attempt, 401, result, scheme);
    case 'continue': {
      const { context, tokens } = result;
      connection.enter({
        type: 'negotiating',
        scheme: scheme.name.toLowerCase(),
        context,
        startedAt: attempt.startedAt,
      });
      // Only a request with a body needs a listener for 'end'. On others it would make Node's event emitters slower for
      // all.
      const arriving = announcesBody(exchange.rawHeaders) ? exchange : undefined;
      pending.add(connection, exchange.socket, arriving, heldBytes(context));
      if (audit.hasHandshakeListeners) audit.handshake(conclusions.record(attempt, scheme, 'SEC_I_CONTINUE_NEEDED'));
      const challenges = tokens.slice(0, 1).map((token) => `${scheme.name} ${encodeBase64(token)}`);
      return challengeOutcome(challenges, true);
    }
    case 'accepted':
      return conclusions.accept(attempt, scheme, result);
  }
}
