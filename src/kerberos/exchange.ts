/** One token on its way to the acceptor: read, copied where that is needed, and held against what stands in the clear. */
import { MalformedTokenError } from '../foundation/errors.ts';
import { decodeChannelBindings } from '../formats/channel-bindings.ts';
import type { ChannelBindings } from '../formats/channel-bindings.ts';
import { OID_KERBEROS } from '../formats/object-identifiers.ts';
import {
  decodeApRequest,
  decodeKerberosToken,
  encryptionTypeName,
  TOK_ID_AP_REQ,
} from '../formats/kerberos/kerberos-token.ts';
import type { ApRequestHeader } from '../formats/kerberos/kerberos-token.ts';
import { findBuffer, SECBUFFER_CHANNEL_BINDINGS, SECBUFFER_TOKEN } from '../sspi/buffers.ts';
import * as Requirements from '../sspi/requirements.ts';
import type { AcceptCall, AcceptReply } from '../sspi/security-package.ts';
import * as Status from '../sspi/status.ts';
import { describeService } from './diagnosis.ts';
import { MAX_TOKEN_BYTES } from './package-info.ts';

/** What is asked of a token before it is decrypted. */
export interface ExchangePolicy {
  /** Whether tickets for a service are accepted. */
  readonly acceptsService: (name: string, realm: string) => boolean;
  /** The accepted services as a text for the log. */
  readonly services: string;
  /** Encryption types that are accepted for tickets and keys. */
  readonly encryptionTypes: ReadonlySet<number>;
  readonly delegate: boolean;
  /** Whether the token is used after the call returns. */
  readonly asynchronous: boolean;
}

/** The input of one call of `accept`, decoded. */
export interface Exchange {
  readonly call: AcceptCall;
  readonly token: Uint8Array;
  readonly request: ApRequestHeader;
  readonly bindings: ChannelBindings | undefined;
  readonly delegate: boolean;
}

/** The input, or the reply of a call that does not reach the acceptor. */
export type ExchangeResult = { readonly exchange: Exchange } | { readonly refusal: AcceptReply };

/** Requirements that this package refuses. They have no use with HTTP. */
const UNSUPPORTED =
  Requirements.ASC_REQ_USE_DCE_STYLE | Requirements.ASC_REQ_DATAGRAM | Requirements.ASC_REQ_PROXY_BINDINGS;

/** A reply without a context. @param diagnosis text for the log of the server */
export function refused(status: number, diagnosis: string): AcceptReply {
  return { status, diagnosis: { text: diagnosis } };
}

/** Reads the input of a call, and refuses what need not reach the acceptor. */
export function readExchange(call: AcceptCall, settings: ExchangePolicy): ExchangeResult {
  const received = findBuffer(call.input, SECBUFFER_TOKEN)?.data;
  if (received === undefined || received.byteLength === 0 || received.byteLength > MAX_TOKEN_BYTES) {
    const text = `the token has ${received?.byteLength ?? 0} bytes; 1 to ${MAX_TOKEN_BYTES} are accepted`;
    return { refusal: refused(Status.SEC_E_INVALID_TOKEN, text) };
  }
  // The caller may reuse its buffers as soon as the call returns.
  const token = settings.asynchronous ? Uint8Array.from(received) : received;
  if ((call.requirements & UNSUPPORTED) !== 0) {
    const text = 'a requirement that this Kerberos package does not support';
    return { refusal: refused(Status.SEC_E_UNSUPPORTED_FUNCTION, text) };
  }
  let request: ApRequestHeader;
  try {
    request = apRequest(token);
  } catch (error) {
    if (!(error instanceof MalformedTokenError)) throw error;
    return { refusal: refused(Status.SEC_E_INVALID_TOKEN, `not a Kerberos AP-REQ: ${error.message}`) };
  }
  const refusal = refusalByHeader(request, settings);
  if (refusal !== undefined) return { refusal };
  const bindings = findBuffer(call.input, SECBUFFER_CHANNEL_BINDINGS)?.data;
  return {
    exchange: {
      call,
      token,
      request,
      // Uint8Array.from copies; slice() of a Buffer does not.
      bindings:
        bindings === undefined || bindings.byteLength === 0
          ? undefined
          : decodeChannelBindings(Uint8Array.from(bindings)),
      delegate: settings.delegate && (call.requirements & Requirements.ASC_REQ_DELEGATE) !== 0,
    },
  };
}

/** @throws MalformedTokenError for anything but a GSS token with a Kerberos AP-REQ (attacks B09, D19) */
function apRequest(token: Uint8Array): ApRequestHeader {
  const { mechanism, tokenId, message } = decodeKerberosToken(token);
  if (mechanism !== OID_KERBEROS) throw new MalformedTokenError('thisMech', `${mechanism} is not Kerberos`);
  if (tokenId !== TOK_ID_AP_REQ) throw new MalformedTokenError('TOK_ID', `0x${tokenId.toString(16)} is no AP-REQ`);
  return decodeApRequest(message);
}

/** Verifies the parts of an AP-REQ that are not encrypted, before the acceptor gets it (attacks D05, D06, D19). */
function refusalByHeader(request: ApRequestHeader, settings: ExchangePolicy): AcceptReply | undefined {
  const { ticket, sessionEncryptionType } = request;
  const { encryptionTypes, acceptsService, services } = settings;
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
