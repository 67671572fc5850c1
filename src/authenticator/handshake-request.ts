/** A request with a token of Negotiate, Kerberos, NTLM or CredSSP: one leg of its connection's handshake. */
import { encodeBase64 } from '../formats/base64.ts';
import { leadsToNtlm } from '../formats/client-token.ts';
import { beginsHandshake } from '../formats/initial-token.ts';
import { isClientHello, isHelloRetryRequest } from '../formats/tls-hello.ts';
import { parseToken } from '../http/authorization.ts';
import type { Credentials } from '../http/authorization.ts';
import { channelBindingsOf, hasTls } from '../http/channel-bindings.ts';
import { challengeOutcome, refusedOutcome } from '../http/outcome.ts';
import type { Outcome } from '../http/outcome.ts';
import { announcedLength, legBodyBytes } from '../http/request-body.ts';
import { heldBytes, SEC_E_INVALID_TOKEN } from '../sspi/index.ts';
import type { Diagnosis } from '../sspi/index.ts';
import type { Attempt, Conclusions } from './conclusions.ts';
import { interruptedDiagnosis, mixedDiagnosis } from './interruption.ts';
import type { OfferedScheme } from './offered-scheme.ts';
import { messageRequirements } from './sealed-bodies.ts';
import { discard, verifyToken } from './verification.ts';
import type { VerificationResult } from './verification.ts';

/** One leg of a handshake. */
interface Leg extends Attempt {
  /** `late`: it continues a handshake that is not there. `replacing`: its handshake took the place of another one. */
  readonly place: 'in order' | 'late' | 'replacing';
}

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
  if (scheme.packages?.includes('NTLM') === false && leadsToNtlm(parsed.token)) {
    // Before the call: Windows would verify the password first, and a wrong one would count against the account (G11).
    return conclusions.refuse(attempt, 401, 'package-not-allowed', scheme);
  }
  const { phase } = connection;
  const isPending = phase.type === 'negotiating';
  const retriesHello = isPending && phase.scheme === credentials.scheme && phase.retriesHello === true;
  const begins =
    scheme.innerTls === undefined ? beginsHandshake(parsed.token) : isClientHello(parsed.token) && !retriesHello;
  const continued = isPending && phase.scheme === credentials.scheme && !begins ? phase : undefined;
  // A new first token ends the handshake or identity before it, even before it is verified itself (attack C04).
  if (continued === undefined) {
    connection.interrupt(begins ? 'first-token' : 'other-scheme');
    pending.release(connection);
  }
  const leg: Leg = {
    ...(continued === undefined ? { ...attempt, startedAt: settings.clock.elapsed() } : attempt),
    place: continued === undefined && !begins ? 'late' : (continued?.replaced ?? isPending) ? 'replacing' : 'in order',
  };
  const mode = settings.channelBinding;
  const bindings = mode === 'never' ? undefined : channelBindingsOf(exchange.socket);
  if (mode === 'whenSupported' && bindings === undefined && hasTls(exchange.socket)) conclusions.warnOfNoBindings();
  const { abandonments } = connection;
  const abandoned = (): boolean => connection.abandonments !== abandonments;
  const further = messageRequirements(exchange.socket);
  const result = verifyToken(scheme, continued?.context, parsed.token, { mode, bindings }, abandoned, further);
  return conclusions.whenVerified(leg, scheme, result, (settled) => conclude(conclusions, leg, scheme, settled));
}

function conclude(conclusions: Conclusions, attempt: Leg, scheme: OfferedScheme, result: VerificationResult): Outcome {
  const { connection, exchange } = attempt;
  const { settings, pending, audit } = conclusions;
  if (exchange.socket.destroyed === true) {
    discard(result);
    pending.release(connection);
    return refusedOutcome(401);
  }
  switch (result.type) {
    case 'refused':
      return conclusions.refuse(attempt, 401, { ...result, diagnosis: diagnosisOf(attempt, result.diagnosis) }, scheme);
    case 'continue': {
      const { context, tokens } = result;
      const [token] = tokens;
      if (scheme.innerTls !== undefined && (token === undefined || token.byteLength === 0)) {
        // The client has sent a part of a message. Its rest would need an answer first, and there is none.
        discard(result);
        const diagnosis = { text: 'a token of CredSSP ends in the middle of a message' };
        return conclusions.refuse(attempt, 401, { status: SEC_E_INVALID_TOKEN, diagnosis }, scheme);
      }
      const bodyLength = announcedLength(exchange.rawHeaders);
      const bodyLimit = legBodyBytes(settings.limits);
      if (bodyLength !== undefined && bodyLength > bodyLimit) {
        // The connection has to be closed after such a body, and the handshake cannot go on over another one.
        discard(result);
        const text = `the body of this leg has ${bodyLength} bytes, more than limits.handshakeBodyBytes (${bodyLimit})`;
        return conclusions.refuse(attempt, 401, { reason: 'body-too-large', diagnosis: { text } }, scheme);
      }
      connection.enter({
        type: 'negotiating',
        scheme: scheme.name.toLowerCase(),
        context,
        startedAt: attempt.startedAt,
        retriesHello: scheme.innerTls !== undefined && token !== undefined && isHelloRetryRequest(token),
        replaced: attempt.place === 'replacing',
      });
      // Only a request with a body needs a listener for 'end'. On others it would make Node's event emitters slower for
      // all.
      pending.add(connection, exchange.socket, bodyLength === 0 ? undefined : exchange, heldBytes(context));
      if (audit.hasHandshakeListeners) audit.handshake(conclusions.record(attempt, scheme, 'SEC_I_CONTINUE_NEEDED'));
      const challenges = tokens.slice(0, 1).map((token) => `${scheme.name} ${encodeBase64(token)}`);
      return challengeOutcome(challenges, true);
    }
    case 'accepted':
      return conclusions.accept(attempt, scheme, result);
  }
}

function diagnosisOf({ connection, place }: Leg, known: Diagnosis | undefined): Diagnosis | undefined {
  if (place === 'late') return interruptedDiagnosis(connection.interruption, known);
  return place === 'replacing' ? mixedDiagnosis(known) : known;
}
