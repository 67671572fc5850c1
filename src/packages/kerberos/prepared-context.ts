/** A context that is verified but for replay: its keys and its answer are made, and nobody has them yet. */
import { keyOfType } from '../../crypto/kerberos/key-of-type.ts';
import { encryptionProfile, KEY_USAGE_AP_REP } from '../../crypto/kerberos/kerberos-key.ts';
import type { KerberosKey } from '../../crypto/kerberos/kerberos-key.ts';
import type { RandomSource } from '../../foundation/clock.ts';
import { MalformedTokenError } from '../../foundation/errors.ts';
import { encodeApReplyToken, encodeEncApReplyPart } from '../../formats/kerberos/acceptor-messages.ts';
import * as Krb from '../../formats/kerberos/error-code.ts';
import { GSS_C_MUTUAL_FLAG } from '../../formats/kerberos/gss-flags.ts';
import { bindingsResult, contextAttributes } from '../../kerberos/accept-results.ts';
import type { DelegatedCaches } from '../../kerberos/delegation/delegated-caches.ts';
import { describeService } from '../../kerberos/diagnosis.ts';
import type { Exchange } from '../../kerberos/exchange.ts';
import type { TicketAccount } from '../../kerberos/ticket-account.ts';
import { SECBUFFER_TOKEN } from '../../sspi/buffers.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import type { AcceptReply } from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import { CfxProtection } from './cfx-protection.ts';
import { forwardedCache, writeCache } from './forwarded-tickets.ts';
import { readGssRequest } from './gss-request.ts';
import type { GssRequest } from './gss-request.ts';
import { PortableKerberosContext } from './kerberos-context.ts';
import type { MessageProtection } from './message-protection.ts';
import type { OpenedTicket } from './opened-ticket.ts';
import type { PortableSettings } from './portable-auth-data.ts';
import { Rc4Protection } from './rc4-protection.ts';
import type { ReceivedAuthenticator } from './received-authenticator.ts';
import { refuse } from './refusal.ts';
import type { OrRefusal } from './refusal.ts';

const RC4 = 23;

/** The parts of a context. */
interface Parts {
  readonly exchange: Exchange;
  readonly asked: GssRequest;
  readonly account: TicketAccount;
  /** When the ticket ends, with the allowed clock skew, in milliseconds since 1970-01-01 UTC. */
  readonly end: number;
  readonly start: number;
  readonly protection: MessageProtection;
  /** The AP-REP. */
  readonly answer: Uint8Array | undefined;
  /** A credential cache with the forwarded ticket. */
  readonly cache: Buffer | undefined;
}

export class PreparedContext {
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Verifies what is left to verify, and makes keys and answer. It keeps nothing of the ticket's and takes the subkey. */
  static make(
    exchange: Exchange,
    ticket: OpenedTicket,
    authenticator: ReceivedAuthenticator,
    settings: PortableSettings,
  ): OrRefusal<PreparedContext> {
    const verified = verify(exchange, ticket, authenticator, settings);
    if ('refusal' in verified) {
      authenticator.subkey?.wipe();
      return verified;
    }
    const { account, asked, cache } = verified;
    const { clock, clockSkewMilliseconds } = settings;
    const { protection, answer } = makeKeys(ticket.sessionKey, authenticator, asked.flags, settings.random);
    return new PreparedContext({
      exchange,
      asked,
      account,
      start: clock.now(),
      end: ticket.endTime + clockSkewMilliseconds,
      protection,
      answer,
      cache,
    });
  }

  /** Makes the context. Called once, or `wipe` is. */
  establish(caches: DelegatedCaches | undefined): AcceptReply {
    const { exchange, asked, account, start, protection, answer, cache } = this.#parts;
    const { call, request, bindings, delegate } = exchange;
    const expiry = new Date(this.#parts.end);
    const delegated =
      delegate && cache !== undefined ? caches?.store((path) => writeCache(path, cache), expiry) : undefined;
    cache?.fill(0);
    const output: SecBuffer[] = [];
    if (answer !== undefined) output.push({ type: SECBUFFER_TOKEN, data: answer });
    if (bindings !== undefined) output.push(bindingsResult(asked.isBound));
    const attributes = contextAttributes(asked.flags, delegated !== undefined, call.requirements);
    const context = new PortableKerberosContext({
      flags: asked.flags,
      attributes,
      token: account.token,
      client: account.client,
      service: account.service,
      encryptionType: request.sessionEncryptionType,
      start,
      expiry,
      protection,
      delegated,
    });
    return { status: Status.SEC_E_OK, context, output, attributes, expiry };
  }

  wipe(): void {
    this.#parts.protection.wipe();
    this.#parts.cache?.fill(0);
  }
}

interface Verified {
  readonly asked: GssRequest;
  readonly account: TicketAccount;
  readonly cache: Buffer | undefined;
}

function verify(
  exchange: Exchange,
  ticket: OpenedTicket,
  authenticator: ReceivedAuthenticator,
  settings: PortableSettings,
): OrRefusal<Verified> {
  const { request } = exchange;
  const asked = readGssRequest(exchange, authenticator, ticket.sessionKey);
  if ('refusal' in asked) return asked;
  for (const target of [authenticator.target, ticket.target]) {
    if (target === undefined || settings.acceptsService(target.replace(/@[^@]*$/, ''), request.ticket.realm)) continue;
    const meant = JSON.stringify(target.slice(0, 300));
    const text = `the client means ${meant}, but this server accepts ${settings.services}`;
    return refuse(Krb.KRB_AP_ERR_NOT_US, text, Status.SEC_E_WRONG_PRINCIPAL);
  }
  const { account } = ticket;
  if ('refusal' in account) return refuse(Krb.KRB_ERR_GENERIC, account.refusal);
  if (!ticket.hasPac && authenticator.hasPac) {
    const text = `the PAC in the ticket of ${account.client} does not verify with the key of the service`;
    return refuse(Krb.KRB_ERR_GENERIC, text);
  }
  if (asked.delegation === undefined) return { asked, account, cache: undefined };
  try {
    // Read even if nobody wants it: a token with a forwarded ticket that is none is not a good token.
    const cache = forwardedCache(asked.delegation, [authenticator.subkey, ticket.sessionKey]);
    if (exchange.delegate) return { asked, account, cache };
    cache.fill(0);
    return { asked, account, cache: undefined };
  } catch (error) {
    if (!(error instanceof MalformedTokenError)) throw error;
    const text = `the ticket that the client of ${describeService(request)} forwards cannot be read: ${error.message}`;
    return refuse(Krb.KRB_ERR_GENERIC, text);
  }
}

/** Keys of messages, and the AP-REP if the client wants one: RFC 4120 section 3.2.4, RFC 4121 section 2. */
function makeKeys(
  sessionKey: KerberosKey,
  { subkey, time, microseconds, sequenceNumber }: ReceivedAuthenticator,
  flags: number,
  random: RandomSource,
): { readonly protection: MessageProtection; readonly answer: Uint8Array | undefined } {
  const initiatorKey = subkey ?? copyOf(sessionKey);
  const isRc4 = initiatorKey.encryptionType === RC4;
  const isMutual = (flags & GSS_C_MUTUAL_FLAG) !== 0;
  // The tokens of RC4 cannot say which key they use, so there the client's stays.
  const acceptorKey = isMutual && !isRc4 ? randomKey(initiatorKey.encryptionType, random) : undefined;
  const sendSequence = isMutual ? randomNumber(random) : sequenceNumber;
  const Protection = isRc4 ? Rc4Protection : CfxProtection;
  const protection = new Protection({
    initiatorKey,
    acceptorKey,
    flags,
    sendSequence,
    receiveSequence: sequenceNumber,
    random,
  });
  if (!isMutual) return { protection, answer: undefined };
  const part = encodeEncApReplyPart({
    time,
    microseconds,
    subkey: acceptorKey ?? subkey,
    sequenceNumber: sendSequence,
  });
  const { encryptionType } = sessionKey;
  const cipher = sessionKey.encrypt(KEY_USAGE_AP_REP, part, random(confounderBytes(encryptionType)));
  part.fill(0);
  return { protection, answer: encodeApReplyToken(encryptionType, cipher) };
}

function confounderBytes(encryptionType: number): number {
  return encryptionProfile(encryptionType)?.confounderBytes ?? 16;
}

function keyFrom(encryptionType: number, value: Uint8Array): KerberosKey {
  const key = keyOfType(encryptionType, value);
  // Its type is that of a key which exists.
  if (key === undefined) throw new RangeError(`no key of encryption type ${encryptionType}`);
  return key;
}

function copyOf({ encryptionType, value }: KerberosKey): KerberosKey {
  return keyFrom(encryptionType, value);
}

function randomKey(encryptionType: number, random: RandomSource): KerberosKey {
  const value = random(encryptionProfile(encryptionType)?.keyBytes ?? 0);
  const key = keyFrom(encryptionType, value);
  value.fill(0);
  return key;
}

/** 1 to 2^30: other implementations take such a number as signed, too. */
function randomNumber(random: RandomSource): number {
  const bytes = random(4);
  return (new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) & 0x3fff_ffff) + 1;
}
