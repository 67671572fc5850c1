/**
 * How the handshake of a connection ended before its client's last token. Only for the log: a last token that comes too
 * late, or meets the handshake of another client, looks like a wrong one.
 */
import { reason } from '../identity/reasons/reason.ts';
import type { Diagnosis } from '../sspi/index.ts';

const reasonIds = {
  /** Another first token came. */
  'first-token': 'interrupted-by-first-token',
  'no-credentials': 'interrupted-by-no-credentials',
  'other-scheme': 'interrupted-by-other-scheme',
  refused: 'interrupted-by-refusal',
  deadline: 'interrupted-by-deadline',
  evicted: 'interrupted-by-eviction',
} as const;

export type Interruption = keyof typeof reasonIds;

/** For a token that continues a handshake which is not there any more. */
export function interruptedDiagnosis(
  how: Interruption | undefined,
  known: Diagnosis | undefined,
): Diagnosis | undefined {
  return how === undefined ? known : { ...known, text: reason(reasonIds[how]) };
}

/** For a token that was refused in a handshake which had taken the place of another one. */
export function mixedDiagnosis(known: Diagnosis | undefined): Diagnosis {
  const own = reason('took-place-of-another');
  return { ...known, text: known?.text === undefined ? own : `${known.text}; ${own}` };
}
