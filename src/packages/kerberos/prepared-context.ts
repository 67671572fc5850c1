/** A context that is verified but for replay: its keys and its answer are made, and nobody has them yet. */
import { keyOfType } from '../../crypto/kerberos/key-of-type.ts';
import { encryptionProfile, KEY_USAGE_AP_REP } from '../../crypto/kerberos/kerberos-key.ts';
import type { KerberosKey } from '../../crypto/kerberos/kerberos-key.ts';
import { MalformedTokenError } from '../../foundation/errors.ts';
import { encodeApReplyToken, encodeEncApReplyPart } from '../../formats/kerberos/acceptor-messages.ts';
import * as Krb from '../../formats/kerberos/error-code.ts';
import { GSS_C_MUTUAL_FLAG } from '../../formats/kerberos/gss-flags.ts';
import { reason } from '../../identity/reasons/reason.ts';
import { bindingsResult, contextAttributes } from '../../kerberos/accept-results.ts';
import type { DelegatedCaches } from '../../kerberos/delegation/delegated-caches.ts';
import { serviceOf } from '../../kerberos/diagnosis.ts';
import type { Exchange } from '../../kerberos/exchange.ts';
import type { TicketAccount } from '../../kerberos/ticket-account.ts';
import { SECBUFFER_TOKEN } from '../../sspi/buffers.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import type { AcceptReply } from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import { CfxProtection } from './cfx-protection.ts';
import { forwardedCache, writeCache } from './forwarded-tickets.ts';
import { readGssRequest, wantsAnswer } from './gss-request.ts';
import type { GssRequest } from './gss-request.ts';
import { PortableKerberosContext } from './kerberos-context.ts';
import type { MessageProtection, ProtectionParameters } from './message-protection.ts';
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
  /** Encryption type of the key that protects messages. */
  readonly messageType: number;
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
      return { refusal: { ...verified.refusal, wantsAnswer: wantsAnswer(authenticator.checksum) } };
    }
    const { account, asked, cache } = verified;
    const { clock, clockSkewMilliseconds } = settings;
    const keys = makeKeys(ticket.sessionKey, authenticator, asked.flags, settings);
    return new PreparedContext({
      exchange,
      asked,
      account,
      start: clock.now(),
      end: ticket.endTime + clockSkewMilliseconds,
      ...keys,
      cache,
    });
  }

  /** Makes the context. Called once, or `wipe` is. */
  establish(caches: DelegatedCaches | undefined): AcceptReply {
    const { exchange, asked, account, start, protection, messageType, answer, cache } = this.#parts;
    const { call, bindings, delegate } = exchange;
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
      encryptionType: messageType,
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
    const text = reason('target-not-accepted', { target, services: settings.services });
    return refuse(Krb.KRB_AP_ERR_NOT_US, text, Status.SEC_E_WRONG_PRINCIPAL);
  }
  const { account } = ticket;
  if ('refusal' in account) return refuse(Krb.KRB_ERR_GENERIC, account.refusal);
  if (!ticket.hasPac && authenticator.hasPac) {
    return refuse(Krb.KRB_ERR_GENERIC, reason('pac-unverified', { client: account.client }));
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
    const fields = { service: serviceOf(request), detail: error.message };
    return refuse(Krb.KRB_ERR_GENERIC, reason('forwarded-ticket-invalid', fields));
  }
}

type MessageKeys = Pick<Parts, 'protection' | 'messageType' | 'answer'>;

/** Keys of messages, and the AP-REP if the client wants one: RFC 4120 section 3.2.4, RFC 4121 section 2. */
function makeKeys(
  sessionKey: KerberosKey,
  { subkey, time, microseconds, sequenceNumber, offeredTypes }: ReceivedAuthenticator,
  flags: number,
  { random, encryptionTypes }: PortableSettings,
): MessageKeys {
  const initiatorKey = subkey ?? copyOf(sessionKey);
  const isMutual = (flags & GSS_C_MUTUAL_FLAG) !== 0;
  const messageType = isMutual
    ? negotiatedType(initiatorKey.encryptionType, sessionKey.encryptionType, offeredTypes, encryptionTypes)
    : initiatorKey.encryptionType;
  const isRc4 = messageType === RC4;
  const { encryptionType } = sessionKey;
  const confounderSize = confounderBytes(encryptionType);
  const keySize = isRc4 ? 0 : (encryptionProfile(messageType)?.keyBytes ?? 0);
  // All at once: each call costs as much as a hash (bench/kerberos-portable.bench.ts).
  const fresh = isMutual ? random(4 + confounderSize + keySize) : undefined;
  // The tokens of RC4 cannot say which key they use, so there the client's stays.
  const acceptorKey =
    fresh === undefined || isRc4 ? undefined : keyFrom(messageType, fresh.subarray(4 + confounderSize));
  const sendSequence = fresh === undefined ? sequenceNumber : numberOf(fresh);
  const protection = protect({
    initiatorKey,
    acceptorKey,
    flags,
    sendSequence,
    receiveSequence: sequenceNumber,
    random,
  });
  if (fresh === undefined) return { protection, messageType, answer: undefined };
  const part = encodeEncApReplyPart({
    time,
    microseconds,
    subkey: acceptorKey ?? subkey,
    sequenceNumber: sendSequence,
  });
  const cipher = sessionKey.encrypt(KEY_USAGE_AP_REP, part, fresh.subarray(4, 4 + confounderSize));
  part.fill(0);
  fresh.fill(0);
  return { protection, messageType, answer: encodeApReplyToken(encryptionType, cipher) };
}

/**
 * RFC 4537: of the types that the client knows, the one that comes first in the settings. So a session of RC4 has messages
 * of AES if the client knows both. It knows the types of its own key and of the session key, and those that it lists;
 * the RFC leaves open what holds without a list, and MIT krb5 counts the session key as well.
 *
 * A client that has chosen a key of RC4 in a session of the best type stays with it: it could have had better and did
 * not want it. MIT krb5 does the same.
 */
function negotiatedType(
  own: number,
  session: number,
  offered: readonly number[],
  accepted: ReadonlySet<number>,
): number {
  for (const type of accepted) {
    if (type !== own && type !== session && !offered.includes(type)) continue;
    return own === RC4 && type === session ? own : type;
  }
  return own;
}

function protect(parameters: ProtectionParameters): MessageProtection {
  const { initiatorKey, acceptorKey } = parameters;
  if (initiatorKey.encryptionType !== RC4) return new CfxProtection(parameters);
  if (acceptorKey === undefined) return new Rc4Protection(parameters);
  // The client has asked for better: its own key protects nothing.
  initiatorKey.wipe();
  return new CfxProtection({ ...parameters, initiatorKey: acceptorKey });
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

/** 1 to 2^30: other implementations take such a number as signed, too. */
function numberOf(bytes: Uint8Array): number {
  let value = 0;
  for (let index = 0; index < 4; index++) value = value * 0x100 + (bytes[index] ?? 0);
  return (value % 0x4000_0000) + 1;
}
