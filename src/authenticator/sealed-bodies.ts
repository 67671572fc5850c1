/**
 * Bodies of requests that their client has encrypted with its security context (WinRM). The middleware of src/winrm/
 * says which requests have one and how it is opened; the authenticator opens it when it knows whose request it is, and
 * admits no request whose body cannot be opened.
 */
import type { Exchange } from '../http/exchange.ts';
import { reason } from '../identity/reasons/reason.ts';
import type { SecurityContextInfo } from '../identity/security-context-info.ts';
import {
  ASC_REQ_CONFIDENTIALITY,
  ASC_REQ_INTEGRITY,
  ASC_REQ_REPLAY_DETECT,
  ASC_REQ_SEQUENCE_DETECT,
  ASC_RET_CONFIDENTIALITY,
} from '../sspi/index.ts';
import type { ContextHandle } from '../sspi/index.ts';

/** The context of a sign-in, for the message functions. */
export interface MessageContext {
  readonly handle: ContextHandle;
  /** HTTP scheme of the sign-in, such as `CredSSP`. */
  readonly scheme: string;
}

/** The encrypted body of one request. */
export interface SealedBody {
  /**
   * Decrypts the body and puts it in its place, and sees to it that the response is encrypted.
   *
   * @returns undefined where that is done; else why it cannot be done, for the log. Never rejects
   */
  open(context: MessageContext): Promise<string | undefined>;
}

/** Connections whose requests may have encrypted bodies. */
const connections = new WeakSet();
const bodies = new WeakMap<object, SealedBody>();
const contexts = new WeakMap<SecurityContextInfo, MessageContext>();

/** From now on the contexts of this connection's sign-ins are kept, so that bodies can be opened. */
export function expectSealedBodies(socket: object): void {
  connections.add(socket);
}

/** The ASC_REQ_* bits without which a context cannot open a body; 0 where the connection has no such bodies. */
export function messageRequirements(socket: object): number {
  return connections.has(socket) ? MESSAGE_REQUIREMENTS : 0;
}

const MESSAGE_REQUIREMENTS =
  ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY | ASC_REQ_REPLAY_DETECT | ASC_REQ_SEQUENCE_DETECT;

/** Whether the context of a sign-in has to be kept for bodies. @param attributes ASC_RET_* bits of the context */
export function opensBodies(socket: object, attributes: number): boolean {
  return connections.has(socket) && (attributes & ASC_RET_CONFIDENTIALITY) !== 0;
}

/** Notes the context of a sign-in. It belongs to the connection. */
export function setMessageContext(sspi: SecurityContextInfo, context: MessageContext): void {
  contexts.set(sspi, context);
}

/** Says that the body of a request is encrypted. */
export function setSealedBody(request: object, body: SealedBody): void {
  bodies.set(request, body);
}

/** Whether the body of a request is encrypted, and was not opened yet. */
export function hasSealedBody(request: object): boolean {
  return bodies.has(request);
}

/**
 * Opens the body of a request that its sign-in admits.
 *
 * @returns undefined where that is done; else why it cannot be done
 */
export function openSealedBody(request: Exchange, sspi: SecurityContextInfo): Promise<string | undefined> {
  const body = bodies.get(request);
  const context = contexts.get(sspi);
  if (body === undefined) return Promise.resolve(reason('body-not-encrypted-here'));
  if (context === undefined) {
    return Promise.resolve(reason('body-without-context'));
  }
  return body.open(context).then((problem) => {
    if (problem === undefined) bodies.delete(request);
    return problem;
  });
}
