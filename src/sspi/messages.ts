/** Message protection of an established context: MakeSignature, VerifySignature, EncryptMessage, DecryptMessage. */
import type { SecBuffer } from './buffers.ts';
import { establishedContext, establishedRecord } from './context.ts';
import { deletePackageContext } from './handles.ts';
import type { ContextHandle, ContextRecord } from './handles.ts';
import type { Answer, MessageAnswer, PackageContext } from './security-package.ts';
import {
  SEC_E_INTERNAL_ERROR,
  SEC_E_INVALID_HANDLE,
  SEC_E_UNFINISHED_CONTEXT_DELETED,
  SEC_E_UNSUPPORTED_FUNCTION,
} from './status.ts';

function ask<T>(context: ContextHandle, question: (established: PackageContext) => Answer<T> | undefined): Answer<T> {
  const established = establishedContext(context);
  if (established === undefined) return { status: SEC_E_INVALID_HANDLE };
  try {
    return question(established) ?? { status: SEC_E_UNSUPPORTED_FUNCTION };
  } catch {
    return { status: SEC_E_INTERNAL_ERROR };
  }
}

/**
 * MakeSignature.
 *
 * @param message SECBUFFER_DATA buffers, signed as if they were one
 * @param sequence MessageSeqNo; connection-oriented packages count messages themselves and ignore it
 * @returns one SECBUFFER_TOKEN buffer; SEC_E_QOP_NOT_SUPPORTED if the context has no integrity
 */
export function makeSignature(
  context: ContextHandle,
  message: readonly SecBuffer[],
  sequence?: number,
): Answer<readonly SecBuffer[]> {
  return ask(context, (established) => established.makeSignature?.(message, sequence));
}

/**
 * VerifySignature.
 *
 * @param message the SECBUFFER_DATA buffers and the SECBUFFER_TOKEN buffer of the signature
 * @returns the quality of protection (0); SEC_E_MESSAGE_ALTERED or SEC_E_OUT_OF_SEQUENCE if the message does not verify
 */
export function verifySignature(
  context: ContextHandle,
  message: readonly SecBuffer[],
  sequence?: number,
): Answer<number> {
  return ask(context, (established) => established.verifySignature?.(message, sequence));
}

/**
 * Asks an established context a question whose answer may take time. While it does, the context is in use: every other
 * call on it gives SEC_E_INVALID_HANDLE, and deleteSecurityContext waits for the answer.
 */
function askMessage(
  context: ContextHandle,
  question: (established: PackageContext) => MessageAnswer | Promise<MessageAnswer> | undefined,
): MessageAnswer | Promise<MessageAnswer> {
  const record = establishedRecord(context);
  if (record === undefined) return { status: SEC_E_INVALID_HANDLE };
  let answer: MessageAnswer | Promise<MessageAnswer>;
  try {
    answer = question(record.context) ?? { status: SEC_E_UNSUPPORTED_FUNCTION };
  } catch {
    return { status: SEC_E_INTERNAL_ERROR };
  }
  if (!(answer instanceof Promise)) return answer;
  record.busy = true;
  return answer.then(
    (settled) => endMessage(record, settled),
    () => endMessage(record, { status: SEC_E_INTERNAL_ERROR }),
  );
}

function endMessage(record: ContextRecord, answer: MessageAnswer): MessageAnswer {
  record.busy = false;
  if (!record.deleteWhenIdle) return answer;
  deletePackageContext(record.context);
  return { status: SEC_E_UNFINISHED_CONTEXT_DELETED };
}

/**
 * EncryptMessage. Unlike the function of Windows, it does not change its input: it gives new buffers.
 *
 * @param message SECBUFFER_DATA buffers. Schannel and CredSSP: with a SECBUFFER_STREAM_HEADER the answer has the parts
 *   of the record (header, data, trailer), without it one SECBUFFER_TOKEN
 * @returns SECBUFFER_TOKEN, SECBUFFER_DATA and perhaps SECBUFFER_PADDING buffers in the order they are sent; a promise
 *   only from packages that need one (Schannel, CredSSP). While it is pending the context takes no other call
 */
export function encryptMessage(
  context: ContextHandle,
  message: readonly SecBuffer[],
  sequence?: number,
): MessageAnswer | Promise<MessageAnswer> {
  return askMessage(context, (established) => established.encryptMessage?.(message, sequence));
}

/**
 * DecryptMessage.
 *
 * @param message the SECBUFFER_TOKEN and SECBUFFER_DATA buffers as received
 * @returns SECBUFFER_DATA buffers; SEC_E_MESSAGE_ALTERED or SEC_E_OUT_OF_SEQUENCE if the message does not verify. A
 *   promise only from packages that need one (Schannel, CredSSP); while it is pending the context takes no other call.
 *   They take one record a call: what follows it comes back as SECBUFFER_EXTRA, a SECBUFFER_TOKEN in the answer is to be
 *   sent; SEC_E_INCOMPLETE_MESSAGE: read more; SEC_I_CONTEXT_EXPIRED: the client has closed; SEC_I_RENEGOTIATE
 */
export function decryptMessage(
  context: ContextHandle,
  message: readonly SecBuffer[],
  sequence?: number,
): MessageAnswer | Promise<MessageAnswer> {
  return askMessage(context, (established) => established.decryptMessage?.(message, sequence));
}
