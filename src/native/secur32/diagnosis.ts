/**
 * Says for the server's log why Windows has refused a client, as far as its token and the status tell. Windows itself
 * tells no more to a server. These texts are never sent to the client.
 */
import { encryptionTypeName } from '../../formats/kerberos/kerberos-token.ts';
import type { TicketHeader } from '../../formats/kerberos/kerberos-token.ts';
import { reason } from '../../identity/reasons/reason.ts';
import type { Diagnosis } from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import type { BindingFault } from './channel-binding-check.ts';
import type { TokenFacts } from './token-facts.ts';

/** NTSTATUS that Windows gives where a policy "Restrict NTLM" refuses. */
const STATUS_NTLM_BLOCKED = 0xc0000418;

/** A refusal by the library. */
export interface Refusal {
  readonly status: number;
  readonly facts: TokenFacts;
  /** Whether it was the first token of the handshake. */
  readonly first: boolean;
  /** Why the bindings did not do, if they did not. */
  readonly fault: BindingFault | undefined;
  /** The account that this process runs as. */
  readonly processAccount: string | undefined;
}

/** Says what happened and what to do; undefined if there is nothing to say beyond the status. */
export function diagnose(refusal: Refusal): Diagnosis | undefined {
  const { status, facts } = refusal;
  const account = facts.ntlm?.account || undefined;
  const text =
    status === Status.SEC_E_BAD_BINDINGS
      ? bindingsText(refusal.fault ?? 'unknown')
      : facts.ticket !== undefined
        ? ticketText(facts.ticket, refusal)
        : facts.isNtlm
          ? ntlmText(refusal)
          : status === Status.SEC_E_INVALID_TOKEN
            ? reason('windows-not-a-token')
            : undefined;
  if (account === undefined && text === undefined) return undefined;
  return {
    ...(account === undefined ? undefined : { account }),
    ...(text === undefined ? undefined : { text }),
    ...(facts.ticket !== undefined ? { package: 'Kerberos' } : facts.isNtlm ? { package: 'NTLM' } : undefined),
  };
}

function bindingsText(fault: BindingFault): string {
  if (fault === 'mismatch') return reason('windows-bindings-mismatch');
  return fault === 'missing' ? reason('windows-bindings-missing') : reason('windows-bindings');
}

function ticketText(ticket: TicketHeader, { status, processAccount }: Refusal): string {
  const { serviceName, realm, encryptionType, keyVersion } = ticket;
  const service = `${serviceName}@${realm}`;
  const key = `${encryptionTypeName(encryptionType)}${keyVersion === undefined ? '' : `, kvno ${keyVersion}`}`;
  if (status === Status.SEC_E_TIME_SKEW) return reason('windows-clocks', { service, key });
  if (status === Status.SEC_E_CONTEXT_EXPIRED) return reason('windows-ticket-expired', { service, key });
  if (status === Status.SEC_E_NO_AUTHENTICATING_AUTHORITY) {
    return reason('windows-ticket-no-controller', { service, key });
  }
  return reason('windows-ticket-key', { service, key, spn: serviceName, account: processAccount });
}

function ntlmText({ status, first }: Refusal): string | undefined {
  switch (status) {
    case Status.SEC_E_LOGON_DENIED:
      return reason('windows-logon-denied');
    case Status.SEC_E_INVALID_TOKEN:
    case Status.SEC_E_INVALID_HANDLE:
      return first ? reason('windows-first-message') : reason('windows-next-message');
    case Status.SEC_E_NO_AUTHENTICATING_AUTHORITY:
      return reason('windows-ntlm-no-controller');
    case Status.SEC_E_UNSUPPORTED_FUNCTION:
    case STATUS_NTLM_BLOCKED:
      return reason('windows-ntlm-restricted');
    default:
      return undefined;
  }
}
