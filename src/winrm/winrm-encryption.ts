/** Middleware for the encrypted messages of WinRM clients. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { expectSealedBodies, setSealedBody } from '../authenticator/sealed-bodies.ts';
import type { MessageContext } from '../authenticator/sealed-bodies.ts';
import {
  encodeEncryptedMessage,
  encryptedTypeOf,
  isEncryptedType,
  parseEncryptedMessage,
  parseEncryptedType,
} from '../formats/encrypted-message.ts';
import type { EncryptedPart, EncryptedType } from '../formats/encrypted-message.ts';
import { SspiAuthError, MalformedTokenError } from '../foundation/errors.ts';
import { defaulted, readOptions } from '../foundation/option-table.ts';
import type { OptionsOf } from '../foundation/option-table.ts';
import { wholeNumber } from '../foundation/option-values.ts';
import { whenEarlierAnswered } from '../http/earlier-requests.ts';
import { sendContinue } from '../http/expect-continue.ts';
import { readWholeBody, replaceBody } from '../http/replaced-body.ts';
import { announcedLength } from '../http/request-body.ts';
import { isProtocolOf, openParts, sealBody } from './message-functions.ts';
import { sealResponse } from './sealed-response.ts';
import type { Sealed } from './sealed-response.ts';

export const winrmOptions = {
  /** Largest encrypted body that is read, in bytes. Windows itself takes envelopes of 500 kB. */
  bodyBytes: defaulted(wholeNumber(1, 0x7fffffff), 1024 * 1024),
};

/** Options of winrmEncryption. */
export type WinrmEncryptionOptions = OptionsOf<typeof winrmOptions>;

/** Middleware of Express and connect, and of node:http where you call it yourself. */
export type WinrmEncryption = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: Error) => void,
) => void;

/**
 * Makes middleware for the encrypted messages of WinRM clients (MS-WSMV section 2.2.9.1: `multipart/encrypted` and
 * `multipart/x-multi-encrypted` with `HTTP-SPNEGO-`, `HTTP-Kerberos-` and `HTTP-CredSSP-session-encrypted`). Mount it
 * before sspiAuth(). The body of such a request is decrypted by the security context of its sign-in when sspiAuth()
 * admits it, and Content-Type and Content-Length are those of the message; its response is encrypted. A body that
 * cannot be decrypted is answered with 400, and its request reaches no handler.
 *
 * @throws OptionError if an option cannot be used
 */
export function winrmEncryption(options: WinrmEncryptionOptions = {}): WinrmEncryption {
  const { bodyBytes } = readOptions(winrmOptions, options, 'options');
  return (request, response, next) => {
    if (request.httpVersionMajor !== 1) {
      next();
      return;
    }
    if ((request as { readonly sspi?: unknown }).sspi) {
      next(mountedTooLate());
      return;
    }
    expectSealedBodies(request.socket);
    const contentType = request.headers['content-type'] ?? '';
    if (isEncryptedType(contentType) && announcedLength(request.rawHeaders) !== 0) {
      const type = parseEncryptedType(contentType);
      setSealedBody(request, {
        open: (context) => open({ request, response, context, bodyBytes }, type),
      });
    }
    next();
  };
}

function mountedTooLate(): SspiAuthError {
  return new SspiAuthError(
    'ERR_SSPI_AUTH_OPTION',
    'sspi-auth: winrmEncryption() came after sspiAuth(), which has admitted this request already. ' +
      'Mount it before: app.use(winrmEncryption()); app.use(sspiAuth({ … }))',
  );
}

/** A request whose body is opened. */
interface Opening {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly context: MessageContext;
  readonly bodyBytes: number;
}

/** @returns why the body cannot be opened; undefined if it was */
async function open(opening: Opening, type: EncryptedType | undefined): Promise<string | undefined> {
  const { request, response, context, bodyBytes } = opening;
  if (type === undefined) return 'its Content-Type names no protocol of encryption that is known here, or no boundary';
  if (!isProtocolOf(type.protocol, context))
    return `it is of ${type.protocol}, but the client has signed in by ${context.scheme}`;
  const announced = announcedLength(request.rawHeaders);
  if (announced !== undefined && announced > bodyBytes) return tooLarge(bodyBytes);
  sendContinue(response);
  const body = await readWholeBody(request, bodyBytes);
  if (body.type === 'unreadable') return unreadable(body.reason, bodyBytes);
  let parts: readonly EncryptedPart[];
  try {
    parts = parseEncryptedMessage(body.bytes, type);
  } catch (error) {
    if (error instanceof MalformedTokenError) return `it is malformed: ${error.message}`;
    throw error;
  }
  const contentType = parts[0]?.type ?? '';
  if (parts.some((part) => part.type !== contentType)) return 'its parts have several types';
  const opened = await openParts(context, type.protocol, parts);
  if ('problem' in opened) return opened.problem;
  replaceBody(request, opened.bytes);
  request.headers['content-type'] = contentType;
  request.headers['content-length'] = String(opened.bytes.byteLength);
  delete request.headers['transfer-encoding'];
  // What is encrypted is not compressed for the way: the client would take the encrypted message for it.
  delete request.headers['accept-encoding'];
  sealResponse(response, (responseType, plain) => seal(opening, type, responseType, plain));
  return undefined;
}

function unreadable(reason: 'too large' | 'gone' | 'read before', bodyBytes: number): string {
  switch (reason) {
    case 'too large':
      return tooLarge(bodyBytes);
    case 'gone':
      return 'the client went away before it had sent it';
    case 'read before':
      return 'something has read it before sspiAuth(): mount body parsers after it';
  }
}

function tooLarge(bodyBytes: number): string {
  return `it is larger than bodyBytes of winrmEncryption (${bodyBytes})`;
}

/** Encrypts the body of a response, when the responses before it on its connection are sent: messages are numbered. */
async function seal(
  { request, context }: Opening,
  { protocol }: EncryptedType,
  responseType: string,
  plain: Buffer,
): Promise<Sealed | undefined> {
  await new Promise<void>((resolve) => whenEarlierAnswered(request, resolve));
  const type = responseType.replace(/;\s+/g, ';').replace(/[^ -~]/g, '');
  const parts = await sealBody(context, protocol, type, plain);
  if (parts === undefined) return undefined;
  const several = parts.length > 1;
  return { contentType: encryptedTypeOf(protocol, several), body: encodeEncryptedMessage(protocol, parts) };
}
