/**
 * How the handshake of a connection ended before its client's last token. Only for the log: a last token that comes too
 * late, or meets the handshake of another client, looks like a wrong one.
 */
import type { Diagnosis } from '../sspi/index.ts';

const shared = 'a proxy seems to share this connection between clients';

const texts = {
  /** Another first token came. */
  'first-token': `another handshake began on this connection before this one had ended: ${shared}`,
  'no-credentials': `a request without credentials came between the legs of this handshake: ${shared}`,
  'other-scheme': `credentials of another scheme came between the legs of this handshake: ${shared}`,
  refused: `the handshake of this connection had ended with the token of another request: ${shared}`,
  deadline: 'the handshake of this connection was abandoned: it took longer than limits.handshakeMilliseconds',
  evicted: 'the handshake of this connection was abandoned: there were more than limits.pendingHandshakes',
} as const;

export type Interruption = keyof typeof texts;

/** For a token that continues a handshake which is not there any more. */
export function interruptedDiagnosis(
  how: Interruption | undefined,
  known: Diagnosis | undefined,
): Diagnosis | undefined {
  return how === undefined ? known : { ...known, text: texts[how] };
}

/** For a token that was refused in a handshake which had taken the place of another one. */
export function mixedDiagnosis(known: Diagnosis | undefined): Diagnosis {
  const own = `this handshake took the place of one that was pending on the same connection: where the client is right, ${shared}`;
  return { ...known, text: known?.text === undefined ? own : `${known.text}; ${own}` };
}
