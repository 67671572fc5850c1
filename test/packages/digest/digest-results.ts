/** What the Digest package says to credentials that differ from right ones. */
import * as Sspi from '../../../src/sspi/index.ts';
import { answerChallenge, readChallenge } from './digest-client.ts';
import type { AnswerOptions } from './digest-client.ts';
import { DigestServer, asHeader, texts } from './digest-server.ts';

/** Names of the statuses that the tests of attacks expect. */
export const OK = 'SEC_E_OK';
export const DENIED = 'SEC_E_LOGON_DENIED';
export const MALFORMED = 'SEC_E_INVALID_TOKEN';
export const CHALLENGED = 'SEC_I_CONTINUE_NEEDED';

/** How credentials differ from right ones. */
export interface Deviation extends AnswerOptions {
  /** Of the challenge that is answered. */
  readonly algorithm?: string;
  /** Request target and method that the server sees. */
  readonly target?: string;
  readonly wire?: string;
}

/** Status of credentials that are right but for the options. */
export const statusOf = (options: Deviation = {}): string => {
  const server = new DigestServer();
  const answer = answerChallenge(server.challenge(options.algorithm), options);
  return server.status(asHeader(answer), {
    ...(options.target === undefined ? undefined : { target: options.target }),
    ...(options.wire === undefined ? undefined : { method: options.wire }),
  });
};

/** Verifies on a new context and tells whether the answer is a challenge with stale=true, one without, or a status. */
export const verified = (server: DigestServer, answer: string): string => {
  const { status, output, context } = server.verify(asHeader(answer));
  if (context !== undefined) Sspi.deleteSecurityContext(context);
  const stale = texts(output).map((text) => readChallenge(text)['stale']);
  if (Sspi.statusName(status) !== CHALLENGED) return Sspi.statusName(status);
  return stale.length > 0 && stale.every((value) => value === 'true') ? 'stale' : CHALLENGED;
};
