/** Requests whose result may come later: the script that makes it late, and what became of them. */
import type { Outcome } from '../../src/http/outcome.ts';
import * as Sspi from '../../src/sspi/index.ts';
import type { Script } from './scripted-package.ts';

/** Answers that come at once, and such that wait until they are settled. */
export const waitingScript: Script = {
  hello: { status: Sspi.SEC_I_CONTINUE_NEEDED, output: 'challenge' },
  slowHello: { status: Sspi.SEC_I_CONTINUE_NEEDED, output: 'challenge', waits: true },
  right: {},
  slow: { waits: true },
  slowBob: { waits: true, account: { userName: 'bob' } },
  slowWrong: { waits: true, status: Sspi.SEC_E_LOGON_DENIED },
  slowToComplete: { status: Sspi.SEC_I_COMPLETE_NEEDED, waits: true, completion: { waits: true } },
};

/** What became of a request, as soon as it is known. */
export function watch(outcome: Outcome | Promise<Outcome>): { readonly result: string | undefined } {
  const seen: { result: string | undefined } = { result: undefined };
  const note = (settledOutcome: Outcome): void => {
    seen.result = settledOutcome.type === 'authenticated' ? settledOutcome.user.name : settledOutcome.type;
  };
  if (outcome instanceof Promise) outcome.then(note, () => (seen.result = 'rejected'));
  else note(outcome);
  return seen;
}
