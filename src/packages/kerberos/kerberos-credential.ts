/** The credential of the package Kerberos without a library: opens a token, verifies it, and makes the context. */
import { hash } from 'node:crypto';
import * as Krb from '../../formats/kerberos/error-code.ts';
import { encodeKrbErrorToken, skewRecoveryData } from '../../formats/kerberos/acceptor-messages.ts';
import type { ApRequestHeader } from '../../formats/kerberos/kerberos-token.ts';
import { DelegatedCaches } from '../../kerberos/delegation/delegated-caches.ts';
import { reason } from '../../identity/reasons/reason.ts';
import { serviceOf } from '../../kerberos/diagnosis.ts';
import { readExchange } from '../../kerberos/exchange.ts';
import type { Exchange } from '../../kerberos/exchange.ts';
import { TicketCache } from '../../kerberos/ticket-cache.ts';
import { SECBUFFER_TOKEN } from '../../sspi/buffers.ts';
import { ASC_REQ_EXTENDED_ERROR } from '../../sspi/requirements.ts';
import type { AcceptCall, AcceptReply, PackageCredential } from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import { SspiAuthError } from '../../foundation/errors.ts';
import { isThenable } from '../../foundation/thenable.ts';
import { PreparedContext } from './prepared-context.ts';
import { openTicket } from './opened-ticket.ts';
import type { OpenedTicket } from './opened-ticket.ts';
import { forwardedFiles } from './forwarded-files.ts';
import type { PortableSettings } from './portable-auth-data.ts';
import { receiveAuthenticator } from './received-authenticator.ts';
import type { OrRefusal, Refusal } from './refusal.ts';
import { refuse } from './refusal.ts';
import type { ServiceKeys } from './service-keys.ts';
import { StoreAwayError } from '../../stores/store-error.ts';

/** Refusals that other keys might change. */
const aboutKeys: ReadonlySet<number> = new Set([
  Krb.KRB_AP_ERR_NOKEY,
  Krb.KRB_AP_ERR_NOT_US,
  Krb.KRB_AP_ERR_BADKEYVER,
  Krb.KRB_AP_ERR_BAD_INTEGRITY,
]);

/** The ticket of a request. */
interface FoundTicket {
  readonly ticket: OpenedTicket;
  /** Whether it is remembered. If not, its key is wiped after the accept. */
  readonly isKept: boolean;
  /** Whether it was opened for this request. */
  readonly isNew: boolean;
}

export class PortableKerberosCredential implements PackageCredential {
  readonly #settings: PortableSettings;
  readonly #keys: ServiceKeys;
  readonly #delegatedCaches: DelegatedCaches | undefined;
  /** Tickets that were opened before. Most clients send the same one with every request. */
  readonly #tickets = new TicketCache<OpenedTicket>(({ sessionKey }) => {
    sessionKey.wipe();
  });

  /** @throws OptionError if there are no keys */
  constructor(settings: PortableSettings) {
    this.#settings = settings;
    this.#keys = settings.keys(settings);
    this.#delegatedCaches = settings.delegate ? new DelegatedCaches(forwardedFiles(), settings.onWarning) : undefined;
  }

  free(): void {
    this.#tickets.clear();
    this.#keys.free();
  }

  accept(call: AcceptCall): AcceptReply | Promise<AcceptReply> {
    const read = readExchange(call, this.#settings);
    if ('refusal' in read) return read.refusal;
    const { exchange } = read;
    const opened = this.#open(exchange.request);
    if ('refusal' in opened) return this.#refused(exchange, opened.refusal);
    const { sessionKey } = opened.ticket;
    try {
      return this.#acceptWith(exchange, opened.ticket);
    } finally {
      if (!opened.isKept) sessionKey.wipe();
      // Many tickets come once. Only what comes again keeps its derived keys and cipher objects.
      else if (opened.isNew) sessionKey.rest();
    }
  }

  /** The ticket of a request: known from before, or opened now. */
  #open(request: ApRequestHeader): OrRefusal<FoundTicket> {
    const known = this.#tickets.get(request);
    if (known !== undefined) {
      if (this.#keys.holds(known.serviceKey)) return { ticket: known, isKept: true, isNew: false };
      this.#tickets.delete(request);
    }
    let opened = openTicket(request, this.#keys, this.#settings);
    // Its key may be new.
    if ('refusal' in opened && this.#keys.refreshAfterRefusal())
      opened = openTicket(request, this.#keys, this.#settings);
    if ('refusal' in opened) return opened;
    return { ticket: opened, isKept: this.#tickets.set(request, opened), isNew: true };
  }

  #acceptWith(exchange: Exchange, ticket: OpenedTicket): AcceptReply | Promise<AcceptReply> {
    const { request } = exchange;
    const authenticator = receiveAuthenticator(request, ticket, this.#settings);
    if ('refusal' in authenticator) return this.#refused(exchange, authenticator.refusal);
    // All that needs the ticket is done at once: it may be forgotten while the replay memory is asked.
    const prepared = PreparedContext.make(exchange, ticket, authenticator, this.#settings);
    const { replay } = this.#settings;
    if (replay === undefined) return this.#conclude(exchange, prepared, true);
    try {
      // An authenticator counts as used whatever else is wrong with its token, as with libkrb5.
      const claimed = replay.claim(
        // By a string, which takes half the time.
        Buffer.from(hash('sha256', request.authenticatorCipher, 'binary'), 'latin1'),
        authenticator.time + Math.floor(authenticator.microseconds / 1000),
      );
      if (!isThenable(claimed)) return this.#conclude(exchange, prepared, claimed);
      return claimed.then(
        (isNew) => this.#conclude(exchange, prepared, isNew),
        (error: unknown) => this.#replayFailed(exchange, prepared, error),
      );
    } catch (error) {
      return this.#replayFailed(exchange, prepared, error);
    }
  }

  /** @param isNew only true is a yes */
  #conclude(exchange: Exchange, prepared: OrRefusal<PreparedContext>, isNew: unknown): AcceptReply {
    if (isNew !== true) {
      if (!('refusal' in prepared)) prepared.wipe();
      const text = reason('replay', { service: serviceOf(exchange.request) });
      return this.#refused(exchange, refuse(Krb.KRB_AP_ERR_REPEAT, text).refusal);
    }
    if ('refusal' in prepared) return this.#refused(exchange, prepared.refusal);
    return prepared.establish(this.#delegatedCaches);
  }

  /** The replay memory could not answer: no. */
  #replayFailed({ request }: Exchange, prepared: OrRefusal<PreparedContext>, error: unknown): AcceptReply {
    if (!('refusal' in prepared)) prepared.wipe();
    const detail = error instanceof Error ? error.message : String(error);
    // The memories of this library say what to do.
    const text =
      error instanceof SspiAuthError && error.code === 'ERR_SSPI_AUTH_STORE'
        ? detail.replace(/^sspi-auth: /, '')
        : reason('replay-cache-away', { service: serviceOf(request), detail });
    // An outage has its own lines in the log, and ends by itself: the client may come again.
    if (error instanceof StoreAwayError)
      return { status: Status.SEC_E_NO_AUTHENTICATING_AUTHORITY, diagnosis: { text } };
    return {
      status: Status.SEC_E_INTERNAL_ERROR,
      diagnosis: { text, failure: { where: 'the replay cache', error } },
    };
  }

  /** A reply without a context. With ASC_REQ_EXTENDED_ERROR a client that waits for an answer gets a KRB-ERROR. */
  #refused({ call, request }: Exchange, { status, code, text, wantsAnswer = false }: Refusal): AcceptReply {
    const { reloadFailure } = this.#keys;
    const diagnosis = {
      // The keys in use may be old: what keeps the new ones out comes first.
      text: reloadFailure === undefined || !aboutKeys.has(code) ? text : `${reloadFailure}; ${text}`,
    };
    const isAwaited = request.mutualRequired || wantsAnswer;
    if ((call.requirements & ASC_REQ_EXTENDED_ERROR) === 0 || !isAwaited) return { status, diagnosis };
    const { realm, serviceName } = request.ticket;
    const time = this.#settings.clock.now();
    const data = code === Krb.KRB_AP_ERR_SKEW ? skewRecoveryData() : undefined;
    const token = encodeKrbErrorToken({ code, time, realm, serviceName, data });
    return { status, output: [{ type: SECBUFFER_TOKEN, data: token }], diagnosis };
  }
}
