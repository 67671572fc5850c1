/**
 * Says for the server's log why Windows has refused a client, as far as its token and the status tell. Windows itself
 * tells no more to a server. These texts are never sent to the client.
 */
import { encryptionTypeName } from '../../formats/kerberos/kerberos-token.ts';
import type { TicketHeader } from '../../formats/kerberos/kerberos-token.ts';
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
            ? 'the token is neither an NTLM message nor a Kerberos ticket'
            : undefined;
  if (account === undefined && text === undefined) return undefined;
  return {
    ...(account === undefined ? undefined : { account }),
    ...(text === undefined ? undefined : { text }),
    ...(facts.ticket !== undefined ? { package: 'Kerberos' } : facts.isNtlm ? { package: 'NTLM' } : undefined),
  };
}

const otherChannel =
  'the client bound its sign-in to another TLS certificate than this server has: a proxy or a virus scanner between ' +
  'them ends the TLS connection, or the sign-in was relayed from another server';
const noChannel =
  'the program of the client sends no channel bindings although its Windows knows them, as curl.exe --negotiate does up ' +
  'to version 8.21, or the sign-in was relayed from a connection without TLS';
const bindingCure = "; if that is how it has to be, set channelBinding: 'never'";

function bindingsText(fault: BindingFault): string {
  if (fault === 'mismatch') return otherChannel + bindingCure;
  if (fault === 'missing') return noChannel + bindingCure;
  return `either ${otherChannel}; or ${noChannel}${bindingCure}`;
}

/** The service is quoted and cut if it is not a plain name: the client wrote it. */
function ticketText(ticket: TicketHeader, { status, processAccount }: Refusal): string {
  const { serviceName, realm, encryptionType, keyVersion } = ticket;
  const service = plain(`${serviceName}@${realm}`);
  const key = `${encryptionTypeName(encryptionType)}${keyVersion === undefined ? '' : `, kvno ${keyVersion}`}`;
  const what = `the client's ticket is for ${service} (${key})`;
  const owner = processAccount === undefined ? 'the account of this process' : `this process runs as ${processAccount}`;
  if (status === Status.SEC_E_TIME_SKEW) {
    return `${what}; the clocks of client and server are too far apart: w32tm /query /status on both`;
  }
  if (status === Status.SEC_E_CONTEXT_EXPIRED)
    return `${what}, and has expired; compare the clocks of client and server`;
  if (status === Status.SEC_E_NO_AUTHENTICATING_AUTHORITY) {
    return `${what}; no domain controller answered: nltest /sc_verify:DOMAIN on this server`;
  }
  return (
    `${what}, and ${owner}, whose key has to open it; setspn -Q ${plain(serviceName)} tells whose the name is. Give the ` +
    'name to the account of this process and to no other. If it is there already, its password was changed: restart the ' +
    'service, and run klist purge on the client'
  );
}

function ntlmText({ status, first }: Refusal): string | undefined {
  switch (status) {
    case Status.SEC_E_LOGON_DENIED:
      return "wrong password, or the account may not sign in here; event 4625 of this server's security log says which";
    case Status.SEC_E_INVALID_TOKEN:
    case Status.SEC_E_INVALID_HANDLE:
      return first
        ? 'the message is malformed, or the last one of a handshake that did not begin on this connection: a proxy opens a connection for each request'
        : 'the message is malformed, or is not the answer to the challenge of this connection';
    case Status.SEC_E_NO_AUTHENTICATING_AUTHORITY:
      return "no domain controller verified the password: nltest /sc_verify:DOMAIN on this server, and is the client's domain trusted?";
    case Status.SEC_E_UNSUPPORTED_FUNCTION:
    case STATUS_NTLM_BLOCKED:
      return 'a policy "Network security: Restrict NTLM" forbids it here or on the domain controller: the client needs a ticket for this name';
    default:
      return undefined;
  }
}

function plain(text: string): string {
  return /^[\p{L}\p{N}/@._:$-]{1,300}$/u.test(text) ? text : JSON.stringify(text.slice(0, 300));
}
