/** Message protection of an established context: MakeSignature, VerifySignature, EncryptMessage, DecryptMessage. */
import type { SecBuffer } from './buffers.ts';
import { establishedContext } from './context.ts';
import type { ContextHandle } from './handles.ts';
import type { Answer, PackageContext } from './security-package.ts';
import { SEC_E_INTERNAL_ERROR, SEC_E_INVALID_HANDLE, SEC_E_UNSUPPORTED_FUNCTION } from './status.ts';

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
 * EncryptMessage. Unlike the function of Windows, it does not change its input: it gives new buffers.
 *
 * @param message SECBUFFER_DATA buffers
 * @returns SECBUFFER_TOKEN, SECBUFFER_DATA and perhaps SECBUFFER_PADDING buffers in the order they are sent
 */
export function encryptMessage(
  context: ContextHandle,
  message: readonly SecBuffer[],
  sequence?: number,
): Answer<readonly SecBuffer[]> {
  return ask(context, (established) => established.encryptMessage?.(message, sequence));
}

/**
 * DecryptMessage.
 *
 * @param message the SECBUFFER_TOKEN and SECBUFFER_DATA buffers as received
 * @returns SECBUFFER_DATA buffers; SEC_E_MESSAGE_ALTERED or SEC_E_OUT_OF_SEQUENCE if the message does not verify
 */
export function decryptMessage(
  context: ContextHandle,
  message: readonly SecBuffer[],
  sequence?: number,
): Answer<readonly SecBuffer[]> {
  return ask(context, (established) => established.decryptMessage?.(message, sequence));
}
