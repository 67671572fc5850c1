/**
 * Raw NTLM or Kerberos tokens in place of SPNEGO: some clients leave SPNEGO out, and the replies must be raw as well.
 * The inner package handles all legs.
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
import { innerStatus, NegotiatedContext, whenAnswered } from './negotiated-context.ts';

/** First leg of a raw handshake. */
export function acceptDirect(running: InnerCredential, call: AcceptCall): AcceptReply | Promise<AcceptReply> {
  return whenAnswered(running.credential.accept(call), (reply) => {
    const result = { ...reply, status: innerStatus(reply) };
    const { context } = reply;
    if (result.status !== SEC_E_OK && result.status !== SEC_I_CONTINUE_NEEDED) {
      context?.delete();
      return { ...result, context: undefined, diagnosis: diagnosisOf(running, reply) };
    }
    if (context === undefined) return { status: SEC_E_INTERNAL_ERROR };
    return { ...result, context: new DirectContext(running, context, result.status === SEC_E_OK) };
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
      const result = { ...reply, status: innerStatus(reply) };
      this.#established = result.status === SEC_E_OK;
      if (keepsContext(result.status)) return result;
      return { ...result, diagnosis: diagnosisOf(this.running, reply) };
    });
  }
}
