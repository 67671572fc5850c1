/**
 * A raw NTLM or Kerberos token under Negotiate: some clients leave SPNEGO out and must be answered the same way. All legs
 * are the inner package's own.
 */
import {
  keepsContext,
  SEC_E_INTERNAL_ERROR,
  SEC_E_INVALID_TOKEN,
  SEC_E_OK,
  SEC_I_CONTINUE_NEEDED,
} from '../../sspi/status.ts';
import type { AcceptCall, AcceptReply, Diagnosis, PackageContext } from '../../sspi/index.ts';
import type { InnerCredential } from './auth-data.ts';
import { innerVerdict, NegotiatedContext, whenAnswered } from './negotiated-context.ts';

/** First leg of a raw handshake. */
export function acceptDirect(running: InnerCredential, call: AcceptCall): AcceptReply | Promise<AcceptReply> {
  return whenAnswered(running.credential.accept(call), (reply) => {
    const verdict = { ...reply, status: innerVerdict(reply) };
    const { context } = reply;
    if (verdict.status !== SEC_E_OK && verdict.status !== SEC_I_CONTINUE_NEEDED) {
      context?.delete();
      return { ...verdict, context: undefined, diagnosis: diagnosisOf(running, reply) };
    }
    if (context === undefined) return { status: SEC_E_INTERNAL_ERROR };
    return { ...verdict, context: new DirectContext(running, context, verdict.status === SEC_E_OK) };
  });
}

function diagnosisOf(running: InnerCredential, { diagnosis }: AcceptReply): Diagnosis {
  return { ...diagnosis, package: running.package.info.name };
}

class DirectContext extends NegotiatedContext {
  #established: boolean;

  constructor(running: InnerCredential, inner: PackageContext, established: boolean) {
    super(running, inner);
    this.#established = established;
  }

  accept(call: AcceptCall): AcceptReply | Promise<AcceptReply> {
    if (this.inner === undefined || this.#established) return { status: SEC_E_INVALID_TOKEN };
    return whenAnswered(this.inner.accept(call), (reply) => {
      const verdict = { ...reply, status: innerVerdict(reply) };
      this.#established = verdict.status === SEC_E_OK;
      if (keepsContext(verdict.status)) return verdict;
      return { ...verdict, diagnosis: diagnosisOf(this.running, reply) };
    });
  }
}
