/**
 * The security package Kerberos over the system's GSSAPI and a keytab: one leg, AP-REQ in, AP-REP out where the client
 * wants mutual authentication.
 *
 * What libgssapi verifies: the ticket, the authenticator, time, replay, channel bindings, the PAC's signature. What is
 * verified here: that the token is a plain AP-REQ (no other mechanism of the library is ever reached), encryption types,
 * the service, that channel bindings were really there, and that the PAC is verified and well-formed.
 */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { decodeChannelBindings } from '../../formats/channel-bindings.ts';
import type { ChannelBindings } from '../../formats/channel-bindings.ts';
import {
  decodeApRequest,
  decodeKerberosToken,
  encryptionTypeName,
  KERBEROS_OID,
  TOK_ID_AP_REQ,
} from '../../formats/kerberos/kerberos-token.ts';
import type { ApRequestHeader } from '../../formats/kerberos/kerberos-token.ts';
import { findBuffer, SECBUFFER_CHANNEL_BINDINGS, SECBUFFER_TOKEN } from '../../sspi/buffers.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import * as Requirements from '../../sspi/requirements.ts';
import type {
  AcceptCall,
  AcceptReply,
  AcquireCredentialsParameters,
  PackageCredential,
  SecurityPackage,
} from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import { anonymousAccount } from '../../identity/kerberos-account.ts';
import { AcceptorCredential } from './acceptor-credential.ts';
import type { HeldCredential } from './acceptor-credential.ts';
import { bindingsResult, contextAttributes } from './call/accept-results.ts';
import { callOffLoop, MOST_WAITING } from '../koffi.ts';
import { FramePool } from './call/frame-pool.ts';
import { clockSkew } from './keytab/clock-skew.ts';
import { storeDelegated } from './delegated-cache.ts';
import type { GssapiExtensions } from './call/extensions.ts';
import { defaultKeytabName } from './detect.ts';
import { describeService, diagnose } from './keytab/diagnosis.ts';
import { Frame, MAX_TOKEN_BYTES } from './call/frame.ts';
import * as Gss from './call/gss-status.ts';
import { extensionsOf } from './implementations.ts';
import { KerberosContext, placeholderContext } from './kerberos-context.ts';
import { kerberosSettings, readKerberosOptions } from './kerberos-auth-data.ts';
import { loadGssapi } from './call/library.ts';
import { readAccount } from './name-attributes.ts';
import type { AccountReading } from './name-attributes.ts';
import { kerberosPackageInfo } from './package-info.ts';
import { TicketAccounts } from './ticket-accounts.ts';
import type { TicketAccount } from './ticket-accounts.ts';
import type { KerberosSettings } from './call/kerberos-settings.ts';

/** The package; koffi and the library are loaded when a credential is acquired. */
export const kerberosPackage: SecurityPackage = Object.freeze({
  info: kerberosPackageInfo,
  acquireCredentials: ({ principal, authData }: AcquireCredentialsParameters): PackageCredential => {
    const options = readKerberosOptions(authData);
    const library = loadGssapi(options.library);
    const settings = kerberosSettings(options, principal, () => defaultKeytabName(library));
    const extensions = extensionsOf(library);
    extensions.checkSettings(settings);
    return new KerberosCredential(new Frame(library), extensions, settings);
  },
});

/** Requirements that no server over HTTP can want of Kerberos here. */
const UNSUPPORTED =
  Requirements.ASC_REQ_USE_DCE_STYLE | Requirements.ASC_REQ_DATAGRAM | Requirements.ASC_REQ_PROXY_BINDINGS;

const refused = (status: number, diagnosis: string): AcceptReply => ({ status, diagnosis: { text: diagnosis } });

class KerberosCredential implements PackageCredential {
  readonly #frame: Frame;
  readonly #extensions: GssapiExtensions;
  readonly #settings: KerberosSettings;
  readonly #acceptor: AcceptorCredential;
  readonly #frames: FramePool | undefined;
  readonly #accounts = new TicketAccounts();
  /** Never read. */
  protected readonly keptAlive: KerberosContext;

  constructor(frame: Frame, extensions: GssapiExtensions, settings: KerberosSettings) {
    this.#frame = frame;
    this.#extensions = extensions;
    this.#settings = settings;
    this.#frames = settings.asynchronous ? new FramePool(frame.library) : undefined;
    this.#acceptor = new AcceptorCredential({ frame, extensions, settings });
    this.keptAlive = placeholderContext(frame);
  }

  free(): void {
    this.#acceptor.free();
  }

  accept(call: AcceptCall): AcceptReply | Promise<AcceptReply> {
    const received = findBuffer(call.input, SECBUFFER_TOKEN)?.data;
    if (received === undefined || received.byteLength === 0 || received.byteLength > MAX_TOKEN_BYTES) {
      return refused(Status.SEC_E_INVALID_TOKEN, `a token of ${received?.byteLength ?? 0} bytes`);
    }
    // The caller may reuse its buffers as soon as this function returns.
    const token = this.#frames === undefined ? received : Uint8Array.from(received);
    if ((call.requirements & UNSUPPORTED) !== 0) {
      return refused(Status.SEC_E_UNSUPPORTED_FUNCTION, 'a requirement that Kerberos does not have here');
    }
    let request: ApRequestHeader;
    try {
      request = apRequest(token);
    } catch (error) {
      if (!(error instanceof MalformedTokenError)) throw error;
      return refused(Status.SEC_E_INVALID_TOKEN, `no Kerberos AP-REQ: ${error.message}`);
    }
    const objection = this.#objection(request);
    if (objection !== undefined) return objection;

    const bindings = findBuffer(call.input, SECBUFFER_CHANNEL_BINDINGS)?.data;
    const exchange: Exchange = {
      call,
      token,
      request,
      // A copy, which slice() of a Buffer is not.
      bindings:
        bindings === undefined || bindings.byteLength === 0
          ? undefined
          : decodeChannelBindings(Uint8Array.from(bindings)),
      delegate: this.#settings.delegate && (call.requirements & Requirements.ASC_REQ_DELEGATE) !== 0,
    };
    return this.#frames === undefined ? this.#acceptNow(exchange) : this.#acceptLater(this.#frames, exchange);
  }

  /** What speaks against a ticket before the library has seen it (attacks D05, D06, D19). */
  #objection(request: ApRequestHeader): AcceptReply | undefined {
    const { ticket, sessionEncryptionType } = request;
    const { encryptionTypes, acceptsService, services } = this.#settings;
    const ticketRefused = !encryptionTypes.has(ticket.encryptionType);
    if (ticketRefused || !encryptionTypes.has(sessionEncryptionType)) {
      const [what, type] = ticketRefused ? ['ticket', ticket.encryptionType] : ['session key', sessionEncryptionType];
      return refused(
        Status.SEC_E_ALGORITHM_MISMATCH,
        `the ${what} for ${describeService(request)} is of ${encryptionTypeName(type)}, which is refused; give the service ` +
          'account AES keys (msDS-SupportedEncryptionTypes 24 in Active Directory) and export the keytab again',
      );
    }
    if (request.useSessionKey) return refused(Status.SEC_E_UNSUPPORTED_FUNCTION, 'user-to-user authentication');
    if (!acceptsService(ticket.serviceName, ticket.realm)) {
      return refused(
        Status.SEC_E_WRONG_PRINCIPAL,
        `the ticket is for ${describeService(request)}, and this server takes ${services}`,
      );
    }
    return undefined;
  }

  #acceptNow(exchange: Exchange): AcceptReply {
    const { acceptSecContext } = this.#frame.library.gss;
    for (let retried = false; ; retried = true) {
      const held = this.#acceptor.hold();
      try {
        const frame = this.#frame;
        const bindings = prepare(frame, exchange);
        const known = this.#accounts.get(exchange.request, held.keytab);
        const sourceName = known === undefined ? frame.sourceName : null;
        const delegated = exchange.delegate ? frame.delegated : null;
        // prettier-ignore
        const major = acceptSecContext(
          frame.minor, frame.context, held.handle, frame.input, bindings, sourceName, frame.mechanism,
          frame.output, frame.flags, frame.time, delegated,
        );
        if (this.#shouldRetry(major, frame, retried)) continue;
        return this.#conclude(frame, major, exchange, held, known);
      } finally {
        held.release();
      }
    }
  }

  async #acceptLater(frames: FramePool, exchange: Exchange): Promise<AcceptReply> {
    const entered = frames.enter();
    if (entered === undefined) {
      // As callOffLoop says where its own queue is full: it is no result about the client.
      const text = `${MOST_WAITING} tickets wait for the GSSAPI, which does not answer`;
      return refused(Status.SEC_E_INTERNAL_ERROR, text);
    }
    const frame = await entered;
    try {
      for (let retried = false; ; retried = true) {
        const held = this.#acceptor.hold();
        try {
          const bindings = prepare(frame, exchange);
          const known = this.#accounts.get(exchange.request, held.keytab);
          const sourceName = known === undefined ? frame.sourceName : null;
          const delegated = exchange.delegate ? frame.delegated : null;
          // prettier-ignore
          const major = await callOffLoop(
            frame.library.gss.acceptSecContext,
            frame.minor, frame.context, held.handle, frame.input, bindings, sourceName, frame.mechanism,
            frame.output, frame.flags, frame.time, delegated,
          );
          if (this.#shouldRetry(major, frame, retried)) continue;
          return this.#conclude(frame, major, exchange, held, known);
        } finally {
          held.release();
        }
      }
    } finally {
      frames.leave(frame);
    }
  }

  /** A refusal may be for want of a key that the file has by now. */
  #shouldRetry(major: number, frame: Frame, retried: boolean): boolean {
    if (major === Gss.GSS_S_COMPLETE || retried) return false;
    const minor = frame.minorStatus;
    if (settledByTime.has(minor) || !this.#acceptor.refresh()) return false;
    releaseAll(frame);
    return true;
  }

  /** @param known the account of the ticket, where it was read before and the library was not asked for a name */
  #conclude(
    frame: Frame,
    major: number,
    exchange: Exchange,
    held: HeldCredential,
    known: TicketAccount | undefined,
  ): AcceptReply {
    const minor = frame.minorStatus;
    const named = known !== undefined || frame.sourceNameHandle !== 0n;
    // Only a clean GSS_S_COMPLETE is a yes: CONTINUE_NEEDED (DCE style) and every supplementary bit are not (attack G07).
    if (major !== Gss.GSS_S_COMPLETE || frame.contextHandle === 0n || !named) {
      return this.#refusal(frame, major, minor, exchange, held);
    }
    try {
      const reply = this.#established(frame, exchange, held, known);
      if (reply.context === undefined) releaseContext(frame);
      return reply;
    } catch (error) {
      releaseContext(frame);
      throw error;
    } finally {
      releaseResults(frame);
    }
  }

  #refusal(frame: Frame, major: number, minor: number, exchange: Exchange, held: HeldCredential): AcceptReply {
    const text = Gss.statusText(frame, major, minor);
    // A KRB-ERROR for the client, which tells Windows clients the server's time (RFC 4120 section 5.9.1).
    const error = frame.takeOutput();
    releaseAll(frame);
    // Heimdal gives it in place of a code; and a token of a handshake that goes on is none.
    const told = error === undefined ? 0 : Gss.codeOfError(error);
    const code = minor === 0 ? told : minor;
    const { request, call } = exchange;
    const { clock } = this.#settings;
    const { keytab } = held;
    const skew =
      code === Gss.KRB_AP_ERR_SKEW
        ? clockSkew(frame.library, this.#extensions, keytab.path, request, clock.now())
        : undefined;
    const reload = this.#acceptor.reloadFailure;
    const why = diagnose({ minor: code, text, request, keytab, skew });
    const tell = error !== undefined && told !== 0 && (call.requirements & Requirements.ASC_REQ_EXTENDED_ERROR) !== 0;
    return {
      status: Gss.acceptFailure(major, code),
      output: tell ? [{ type: SECBUFFER_TOKEN, data: error }] : undefined,
      diagnosis: { text: reload === undefined ? why : `${why} (the changed keytab cannot be loaded: ${reload})` },
    };
  }

  /** The library said yes: the rest of the policy. */
  #established(frame: Frame, exchange: Exchange, held: HeldCredential, known: TicketAccount | undefined): AcceptReply {
    const { call, request, bindings, delegate } = exchange;
    const extensions = this.#extensions;
    const objection = extensions.objection(frame, exchange, this.#settings);
    if (objection !== undefined) return refused(objection.status, objection.diagnosis);
    const flags = frame.contextFlags;
    const missingAllowed = (call.requirements & Requirements.ASC_REQ_ALLOW_MISSING_BINDINGS) !== 0;
    const binding =
      bindings === undefined ? 'missing' : extensions.channelBinding(frame, held.handle, exchange, bindings);
    if (binding === 'withheld' || (bindings !== undefined && binding === 'missing' && !missingAllowed)) {
      const though =
        binding === 'withheld' ? ', although it knows them: a proxy ends its TLS, or its token was relayed' : '';
      const text = `the client of ${describeService(request)} sent no channel bindings${though}`;
      return refused(Status.SEC_E_BAD_BINDINGS, text);
    }
    const isAnonymous = (flags & Gss.GSS_C_ANON_FLAG) !== 0;
    const account = known ?? this.#readAccount(frame, request, held, isAnonymous);
    if ('refusal' in account) return refused(Status.SEC_E_LOGON_DENIED, account.refusal);

    const start = this.#settings.clock.now();
    const { lifetime } = frame;
    const expiry = lifetime === 0xffffffff ? undefined : new Date(start + lifetime * 1000);
    const answer = frame.takeOutput();
    const output: SecBuffer[] = [];
    if (answer !== undefined && answer.byteLength > 0) output.push({ type: SECBUFFER_TOKEN, data: answer });
    if (bindings !== undefined) output.push(bindingsResult(binding === 'bound'));
    const handle = frame.contextHandle;
    const delegatedHandle = delegate ? frame.delegatedHandle : 0n;
    const delegated = delegatedHandle === 0n ? undefined : storeDelegated(frame, extensions, delegatedHandle, expiry);
    const attributes = contextAttributes(flags, delegated !== undefined, call.requirements);
    const context = new KerberosContext(this.#frame, {
      handle,
      flags,
      attributes,
      token: isAnonymous ? anonymousAccount(account.token) : account.token,
      client: account.client,
      service: `${request.ticket.serviceName}@${request.ticket.realm}`,
      encryptionType: request.sessionEncryptionType,
      start,
      expiry,
      delegated,
    });
    return {
      status: Status.SEC_E_OK,
      context,
      output,
      attributes,
      expiry,
    };
  }

  /** Of a ticket that was not read before; the next token with this ticket finds it. */
  #readAccount(frame: Frame, request: ApRequestHeader, held: HeldCredential, isAnonymous: boolean): AccountReading {
    const account = readAccount(frame, this.#extensions, isAnonymous, this.#settings.requirePac);
    // Only with a verified PAC: without one, what the client itself put into its token has a say as well.
    if ('token' in account && account.hasPac && !isAnonymous) this.#accounts.set(request, held.keytab, account);
    return account;
  }
}

/** One call of accept, read. */
interface Exchange {
  readonly call: AcceptCall;
  readonly token: Uint8Array;
  readonly request: ApRequestHeader;
  readonly bindings: ChannelBindings | undefined;
  readonly delegate: boolean;
}

/** Refusals that new keys would not change. */
const settledByTime: ReadonlySet<number> = new Set([
  Gss.KRB_AP_ERR_SKEW,
  Gss.KRB_AP_ERR_TKT_EXPIRED,
  Gss.KRB_AP_ERR_TKT_NYV,
  Gss.KRB_AP_ERR_REPEAT,
  Gss.KRB5_RC_REPLAY,
]);

/** @throws MalformedTokenError for everything but a GSS token with an AP-REQ of Kerberos (attacks B09, D19) */
function apRequest(token: Uint8Array): ApRequestHeader {
  const { mechanism, tokenId, message } = decodeKerberosToken(token);
  if (mechanism !== KERBEROS_OID) throw new MalformedTokenError('thisMech', `${mechanism} is not Kerberos`);
  if (tokenId !== TOK_ID_AP_REQ) throw new MalformedTokenError('TOK_ID', `0x${tokenId.toString(16)} is no AP-REQ`);
  return decodeApRequest(message);
}

/** Lays a call out in a frame. @returns the address of the channel bindings, or null */
function prepare(frame: Frame, { token, bindings }: Exchange): bigint | null {
  frame.clear();
  frame.setToken(token);
  if (bindings === undefined) return null;
  const address = frame.setBindings(bindings);
  if (address === undefined) throw new RangeError('channel bindings are too large');
  return address;
}

/** Frees what a call left besides the context. */
function releaseResults(frame: Frame): void {
  const { gss } = frame.library;
  frame.dropOutput();
  if (frame.sourceNameHandle !== 0n) gss.releaseName(frame.minor, frame.sourceName);
  if (frame.delegatedHandle !== 0n) gss.releaseCred(frame.minor, frame.delegated);
}

function releaseContext(frame: Frame): void {
  if (frame.contextHandle !== 0n) frame.library.gss.deleteSecContext(frame.minor, frame.context, null);
}

function releaseAll(frame: Frame): void {
  releaseResults(frame);
  releaseContext(frame);
}
