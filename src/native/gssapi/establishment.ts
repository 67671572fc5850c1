/** What follows when the library has accepted a token: the rest is verified, and the context is made. */
import { anonymousAccount } from '../../identity/kerberos-account.ts';
import { reason } from '../../identity/reasons/reason.ts';
import { SECBUFFER_TOKEN } from '../../sspi/buffers.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import * as Requirements from '../../sspi/requirements.ts';
import type { AcceptReply } from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import type { HeldCredential } from './acceptor-credential.ts';
import { bindingsResult, contextAttributes } from '../../kerberos/accept-results.ts';
import type { KerberosProvider } from './call/extensions.ts';
import type { Frame } from './call/frame.ts';
import * as Gss from './call/gss-status.ts';
import type { DelegatedCaches } from '../../kerberos/delegation/delegated-caches.ts';
import { refused } from '../../kerberos/exchange.ts';
import type { Exchange } from '../../kerberos/exchange.ts';
import { KerberosContext } from './kerberos-context.ts';
import { serviceOf } from '../../kerberos/diagnosis.ts';
import { readAccount } from './name-attributes.ts';
import type { AccountResult, TicketAccount } from '../../kerberos/ticket-account.ts';
import type { TicketAccounts } from './ticket-accounts.ts';

/** A token that the library accepted. */
export interface AcceptedExchange {
  readonly exchange: Exchange;
  /** The credential that accepted it. */
  readonly held: HeldCredential;
  /** The account of its ticket, if it was read before. */
  readonly known: TicketAccount | undefined;
  /** Where accounts are kept for the next token with the same ticket. */
  readonly accounts: TicketAccounts;
  /** Where forwarded tickets are stored. Undefined if option `delegate` is off. */
  readonly delegatedCaches: DelegatedCaches | undefined;
}

/**
 * Verifies what the library does not verify, and makes the context.
 *
 * @returns a reply with the context, or a refusal. The results in the frame are still the caller's to free
 */
export function establish(frame: Frame, provider: KerberosProvider, accepted: AcceptedExchange): AcceptReply {
  const { extensions, settings } = provider;
  const { exchange, held, known } = accepted;
  const { call, request, bindings, delegate } = exchange;
  const refusal = extensions.verifyAccepted(frame, exchange, settings);
  if (refusal !== undefined) return refused(refusal.status, refusal.diagnosis);
  const target = extensions.clientTarget(frame, request);
  if (target !== undefined && !settings.acceptsService(target.replace(/@[^@]*$/, ''), request.ticket.realm)) {
    return refused(
      Status.SEC_E_WRONG_PRINCIPAL,
      reason('target-not-accepted', { target, services: settings.services }),
    );
  }
  const flags = frame.contextFlags;
  const missingAllowed = (call.requirements & Requirements.ASC_REQ_ALLOW_MISSING_BINDINGS) !== 0;
  const binding =
    bindings === undefined ? 'missing' : extensions.channelBinding(frame, held.handle, exchange, bindings);
  if (binding === 'withheld' || (bindings !== undefined && binding === 'missing' && !missingAllowed)) {
    const why = binding === 'withheld' ? 'bindings-withheld' : 'bindings-missing';
    return refused(Status.SEC_E_BAD_BINDINGS, reason(why, { service: serviceOf(request) }));
  }
  const isAnonymous = (flags & Gss.GSS_C_ANON_FLAG) !== 0;
  const account = known ?? accountOf(frame, provider, accepted, isAnonymous);
  if ('refusal' in account) return refused(Status.SEC_E_LOGON_DENIED, account.refusal);

  const start = settings.clock.now();
  const { lifetime } = frame;
  const expiry = lifetime === 0xffffffff ? undefined : new Date(start + lifetime * 1000);
  const answer = frame.takeOutput();
  const output: SecBuffer[] = [];
  if (answer !== undefined && answer.byteLength > 0) output.push({ type: SECBUFFER_TOKEN, data: answer });
  if (bindings !== undefined) output.push(bindingsResult(binding === 'bound'));
  const handle = frame.contextHandle;
  const delegatedHandle = delegate ? frame.delegatedHandle : 0n;
  const delegated =
    delegatedHandle === 0n
      ? undefined
      : accepted.delegatedCaches?.store(
          (path) => extensions.storeDelegated(frame, delegatedHandle, `FILE:${path}`),
          expiry,
        );
  const attributes = contextAttributes(flags, delegated !== undefined, call.requirements);
  const context = new KerberosContext(provider.frame, extensions, {
    handle,
    flags,
    attributes,
    token: isAnonymous ? anonymousAccount(account.token) : account.token,
    client: account.client,
    service: account.service,
    encryptionType: request.sessionEncryptionType,
    start,
    expiry,
    delegated,
  });
  return { status: Status.SEC_E_OK, context, output, attributes, expiry };
}

/** Reads the account of a ticket and keeps it for the next token with the same ticket. */
function accountOf(
  frame: Frame,
  { extensions, settings }: KerberosProvider,
  { exchange, held, accounts }: AcceptedExchange,
  isAnonymous: boolean,
): AccountResult {
  const account = readAccount(frame, extensions, exchange.request, isAnonymous, settings);
  // Only an account from a verified PAC is kept. Without a PAC in the ticket, the result also depends on
  // authorization data that the client itself put into its token.
  if ('token' in account && account.hasPac && !isAnonymous) accounts.set(exchange.request, held.keytab, account);
  return account;
}
