/**
 * The security package Kerberos over the system's GSSAPI and a keytab. It has one leg: an AP-REQ in, and an AP-REP out
 * if the client requests mutual authentication.
 *
 * The library verifies the ticket, the Authenticator, the times, replay, channel bindings and the signature of the PAC.
 *
 * This package verifies that the token is a plain AP-REQ, so that no other mechanism of the library can be reached. It
 * verifies the encryption types and the service. It also verifies that channel bindings were really sent, and that the
 * PAC was verified and is well-formed.
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
import { callAsynchronously, MAX_WAITING_CALLS } from '../koffi.ts';
import { FramePool } from './call/frame-pool.ts';
import { clockSkew } from './keytab/clock-skew.ts';
import { storeDelegated } from './delegated-cache.ts';
import type { GssapiExtensions } from './call/extensions.ts';
import { defaultKeytabName } from './detect.ts';
import { describeService, diagnose } from './keytab/diagnosis.ts';
import { Frame, MAX_TOKEN_BYTES } from './call/frame.ts';
import * as Gss from './call/gss-status.ts';
import { extensionsOf } from './implementations.ts';
import { KerberosContext } from './kerberos-context.ts';
import { kerberosSettings, readKerberosOptions } from './kerberos-auth-data.ts';
import { loadGssapi } from './call/library.ts';
import { readAccount } from './name-attributes.ts';
import type { AccountResult } from './name-attributes.ts';
import { kerberosPackageInfo } from './package-info.ts';
import { TicketAccounts } from './ticket-accounts.ts';
import type { TicketAccount } from './ticket-accounts.ts';
import type { KerberosSettings } from './call/kerberos-settings.ts';

/** The package. koffi and the GSSAPI library are loaded when the first credential is acquired. */
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

/** Requirements that this package refuses. They have no use with HTTP. */
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

  constructor(frame: Frame, extensions: GssapiExtensions, settings: KerberosSettings) {
    this.#frame = frame;
    this.#extensions = extensions;
    this.#settings = settings;
    this.#frames = settings.asynchronous ? new FramePool(frame.library) : undefined;
    this.#acceptor = new AcceptorCredential({ frame, extensions, settings });
  }

  free(): void {
    this.#acceptor.free();
  }

  accept(call: AcceptCall): AcceptReply | Promise<AcceptReply> {
    const received = findBuffer(call.input, SECBUFFER_TOKEN)?.data;
    if (received === undefined || received.byteLength === 0 || received.byteLength > MAX_TOKEN_BYTES) {
      const text = `the token has ${received?.byteLength ?? 0} bytes; 1 to ${MAX_TOKEN_BYTES} are accepted`;
      return refused(Status.SEC_E_INVALID_TOKEN, text);
    }
    // The caller may reuse its buffers as soon as this function returns.
    const token = this.#frames === undefined ? received : Uint8Array.from(received);
    if ((call.requirements & UNSUPPORTED) !== 0) {
      return refused(Status.SEC_E_UNSUPPORTED_FUNCTION, 'a requirement that this Kerberos package does not support');
    }
    let request: ApRequestHeader;
    try {
      request = apRequest(token);
    } catch (error) {
      if (!(error instanceof MalformedTokenError)) throw error;
      return refused(Status.SEC_E_INVALID_TOKEN, `not a Kerberos AP-REQ: ${error.message}`);
    }
    const refusal = this.#refusalByHeader(request);
    if (refusal !== undefined) return refusal;

    const bindings = findBuffer(call.input, SECBUFFER_CHANNEL_BINDINGS)?.data;
    const exchange: Exchange = {
      call,
      token,
      request,
      // Uint8Array.from copies; slice() of a Buffer does not.
      bindings:
        bindings === undefined || bindings.byteLength === 0
          ? undefined
          : decodeChannelBindings(Uint8Array.from(bindings)),
      delegate: this.#settings.delegate && (call.requirements & Requirements.ASC_REQ_DELEGATE) !== 0,
    };
    return this.#frames === undefined
      ? this.#acceptSynchronously(exchange)
      : this.#acceptAsynchronously(this.#frames, exchange);
  }

  /** Verifies the parts of an AP-REQ that are not encrypted, before the library gets it (attacks D05, D06, D19). */
  #refusalByHeader(request: ApRequestHeader): AcceptReply | undefined {
    const { ticket, sessionEncryptionType } = request;
    const { encryptionTypes, acceptsService, services } = this.#settings;
    const ticketRefused = !encryptionTypes.has(ticket.encryptionType);
    if (ticketRefused || !encryptionTypes.has(sessionEncryptionType)) {
      const [what, type] = ticketRefused ? ['ticket', ticket.encryptionType] : ['session key', sessionEncryptionType];
      return refused(
        Status.SEC_E_ALGORITHM_MISMATCH,
        `the ${what} for ${describeService(request)} has encryption type ${encryptionTypeName(type)}, which is refused` +
          '; give the service account AES keys (msDS-SupportedEncryptionTypes 24 in Active Directory) and export the ' +
          'keytab again',
      );
    }
    if (request.useSessionKey) {
      return refused(Status.SEC_E_UNSUPPORTED_FUNCTION, 'user-to-user authentication is not supported');
    }
    if (!acceptsService(ticket.serviceName, ticket.realm)) {
      return refused(
        Status.SEC_E_WRONG_PRINCIPAL,
        `the ticket is for ${describeService(request)}, but this server accepts ${services}`,
      );
    }
    return undefined;
  }

  #acceptSynchronously(exchange: Exchange): AcceptReply {
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

  async #acceptAsynchronously(frames: FramePool, exchange: Exchange): Promise<AcceptReply> {
    const entered = frames.acquire();
    if (entered === undefined) {
      // The same status as when the queue of callAsynchronously is full. It says nothing about the client.
      const text = `${MAX_WAITING_CALLS} tickets are already waiting for the GSSAPI library, which does not answer`;
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
          const major = await callAsynchronously(
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
      frames.release(frame);
    }
  }

  /** Whether to call the library again: it may have lacked a key. True only if a changed keytab was loaded here. */
  #shouldRetry(major: number, frame: Frame, retried: boolean): boolean {
    if (major === Gss.GSS_S_COMPLETE || retried) return false;
    const minor = frame.minorStatus;
    if (unrelatedToKeys.has(minor) || !this.#acceptor.refresh()) return false;
    releaseAll(frame);
    return true;
  }

  /**
   * Makes the reply from the results in the frame, and releases them.
   *
   * @param known account of this ticket, if it was read before. The library was then not asked for the source name
   */
  #conclude(
    frame: Frame,
    major: number,
    exchange: Exchange,
    held: HeldCredential,
    known: TicketAccount | undefined,
  ): AcceptReply {
    const minor = frame.minorStatus;
    const named = known !== undefined || frame.sourceNameHandle !== 0n;
    // Only GSS_S_COMPLETE without any other bit is a success. CONTINUE_NEEDED (DCE style) and the other supplementary
    // bits are failures (attack G07).
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
    // This may be a KRB-ERROR for the client. It tells Windows clients the time of the server (RFC 4120 section 5.9.1).
    const error = frame.takeOutput();
    releaseAll(frame);
    // Heimdal may return a KRB-ERROR and no minor status. If the output is another kind of token, `errorCode` is 0.
    const errorCode = error === undefined ? 0 : Gss.krbErrorCode(error);
    const code = minor === 0 ? errorCode : minor;
    const { request, call } = exchange;
    const { clock } = this.#settings;
    const { keytab } = held;
    const skew =
      code === Gss.KRB_AP_ERR_SKEW
        ? clockSkew(frame.library, this.#extensions, keytab.path, request, clock.now())
        : undefined;
    const reload = this.#acceptor.reloadFailure;
    const diagnosis = diagnose({ minor: code, text, request, keytab, skew });
    const sendError =
      error !== undefined && errorCode !== 0 && (call.requirements & Requirements.ASC_REQ_EXTENDED_ERROR) !== 0;
    return {
      status: Gss.acceptFailure(major, code),
      output: sendError ? [{ type: SECBUFFER_TOKEN, data: error }] : undefined,
      diagnosis: {
        text: reload === undefined ? diagnosis : `${diagnosis} (the changed keytab cannot be loaded: ${reload})`,
      },
    };
  }

  /** The library accepted the token. Verifies the rest and makes the context. */
  #established(frame: Frame, exchange: Exchange, held: HeldCredential, known: TicketAccount | undefined): AcceptReply {
    const { call, request, bindings, delegate } = exchange;
    const extensions = this.#extensions;
    const refusal = extensions.verifyAccepted(frame, exchange, this.#settings);
    if (refusal !== undefined) return refused(refusal.status, refusal.diagnosis);
    const flags = frame.contextFlags;
    const missingAllowed = (call.requirements & Requirements.ASC_REQ_ALLOW_MISSING_BINDINGS) !== 0;
    const binding =
      bindings === undefined ? 'missing' : extensions.channelBinding(frame, held.handle, exchange, bindings);
    if (binding === 'withheld' || (bindings !== undefined && binding === 'missing' && !missingAllowed)) {
      const reason =
        binding === 'withheld' ? ', although it supports them: a proxy terminates TLS, or the token was relayed' : '';
      const text = `the client of ${describeService(request)} sent no channel bindings${reason}`;
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

  /** Reads the account of a ticket and keeps it for the next token with the same ticket. */
  #readAccount(frame: Frame, request: ApRequestHeader, held: HeldCredential, isAnonymous: boolean): AccountResult {
    const account = readAccount(frame, this.#extensions, isAnonymous, this.#settings.requirePac);
    // Only an account from a verified PAC is kept. Without a PAC in the ticket, the result also depends on
    // authorization data that the client itself put into its token.
    if ('token' in account && account.hasPac && !isAnonymous) this.#accounts.set(request, held.keytab, account);
    return account;
  }
}

/** The input of one call of `accept`, decoded. */
interface Exchange {
  readonly call: AcceptCall;
  readonly token: Uint8Array;
  readonly request: ApRequestHeader;
  readonly bindings: ChannelBindings | undefined;
  readonly delegate: boolean;
}

/** Errors that have nothing to do with keys: a new keytab would not help. */
const unrelatedToKeys: ReadonlySet<number> = new Set([
  Gss.KRB_AP_ERR_SKEW,
  Gss.KRB_AP_ERR_TKT_EXPIRED,
  Gss.KRB_AP_ERR_TKT_NYV,
  Gss.KRB_AP_ERR_REPEAT,
  Gss.KRB5_RC_REPLAY,
]);

/** @throws MalformedTokenError for anything but a GSS token with a Kerberos AP-REQ (attacks B09, D19) */
function apRequest(token: Uint8Array): ApRequestHeader {
  const { mechanism, tokenId, message } = decodeKerberosToken(token);
  if (mechanism !== KERBEROS_OID) throw new MalformedTokenError('thisMech', `${mechanism} is not Kerberos`);
  if (tokenId !== TOK_ID_AP_REQ) throw new MalformedTokenError('TOK_ID', `0x${tokenId.toString(16)} is no AP-REQ`);
  return decodeApRequest(message);
}

/** Writes the parameters of a call into a frame. @returns the address of the channel bindings, or null */
function prepare(frame: Frame, { token, bindings }: Exchange): bigint | null {
  frame.clear();
  frame.setToken(token);
  if (bindings === undefined) return null;
  const address = frame.setBindings(bindings);
  if (address === undefined) throw new RangeError('channel bindings are too large');
  return address;
}

/** Frees the results of a call, except the context. */
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
