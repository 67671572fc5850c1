/** EncryptMessage and DecryptMessage for the parts of encrypted messages: MS-WSMV sections 2.2.9.1.1 to 2.2.9.1.3. */
import type { MessageContext } from '../authenticator/sealed-bodies.ts';
import type { EncryptedPart, EncryptionProtocol } from '../formats/encrypted-message.ts';
import {
  decryptMessage,
  encryptMessage,
  findBuffer,
  SEC_E_OK,
  SECBUFFER_DATA,
  SECBUFFER_EXTRA,
  SECBUFFER_PADDING,
  SECBUFFER_STREAM_HEADER,
  SECBUFFER_STREAM_TRAILER,
  SECBUFFER_TOKEN,
  SECBUFFER_TYPE_MASK,
  statusName,
} from '../sspi/index.ts';
import type { ContextHandle, SecBuffer } from '../sspi/index.ts';

/** Most that one part of CredSSP has before encryption, in bytes: a record of TLS. */
const MAX_RECORD = 16_384;

const nothing = new Uint8Array(0);

/** Whether a body of this protocol can be one of this sign-in. */
export function isProtocolOf(protocol: EncryptionProtocol, { scheme }: MessageContext): boolean {
  if (protocol === 'application/HTTP-CredSSP-session-encrypted') return scheme === 'CredSSP';
  if (protocol === 'application/HTTP-Kerberos-session-encrypted')
    return scheme === 'Kerberos' || scheme === 'Negotiate';
  return scheme === 'Negotiate' || scheme === 'Kerberos' || scheme === 'NTLM';
}

/** What runs on a context, or the last of those that wait for it. */
const running = new WeakMap<ContextHandle, Promise<unknown>>();

/**
 * Runs a step that calls message functions of a context, after the steps before it: messages are numbered, and while
 * one call takes time the context takes no other.
 */
function inTurn<T>({ handle }: MessageContext, step: () => Promise<T>): Promise<T> {
  const before = running.get(handle);
  const result = before === undefined ? step() : before.then(step);
  const settled = result.then(
    () => undefined,
    () => undefined,
  );
  running.set(handle, settled);
  settled
    .then(() => {
      if (running.get(handle) === settled) running.delete(handle);
    })
    .catch(() => undefined);
  return result;
}

/** The parts of a body, decrypted; or why one of them cannot be, for the log. */
export type Opened = { readonly bytes: Buffer } | { readonly problem: string };

/** Decrypts the parts of a body, in their order. */
export function openParts(
  context: MessageContext,
  protocol: EncryptionProtocol,
  parts: readonly EncryptedPart[],
): Promise<Opened> {
  return inTurn(context, () =>
    protocol === 'application/HTTP-CredSSP-session-encrypted'
      ? openRecords(context.handle, parts)
      : openMessages(context.handle, parts),
  );
}

const wrongLength = 'it has another length than OriginalContent says';

/** Negotiate, Kerberos, NTLM: each part is one message, its signature before it. */
async function openMessages(context: ContextHandle, parts: readonly EncryptedPart[]): Promise<Opened> {
  const opened: Uint8Array[] = [];
  for (const { sealed, signatureLength, length } of parts) {
    if (signatureLength > sealed.byteLength) return { problem: 'its signature is longer than the part' };
    const { status, value } = await decryptMessage(context, [
      { type: SECBUFFER_TOKEN, data: sealed.subarray(0, signatureLength) },
      // DecryptMessage of Windows writes into its input.
      { type: SECBUFFER_DATA, data: Uint8Array.from(sealed.subarray(signatureLength)) },
    ]);
    if (status !== SEC_E_OK) return { problem: `DecryptMessage gave ${statusName(status)}` };
    const data = joined(value, [SECBUFFER_DATA]);
    if (data.byteLength !== length) return { problem: wrongLength };
    opened.push(data);
  }
  return { bytes: Buffer.concat(opened) };
}

/** CredSSP: each part is records of TLS. The length of their trailer, which many clients write wrong, is not needed. */
async function openRecords(context: ContextHandle, parts: readonly EncryptedPart[]): Promise<Opened> {
  const opened: Uint8Array[] = [];
  for (const { sealed, length } of parts) {
    let left = length;
    let rest = sealed;
    while (rest.byteLength > 0) {
      const { status, value } = await decryptMessage(context, [{ type: SECBUFFER_DATA, data: rest }]);
      if (status !== SEC_E_OK) return { problem: `DecryptMessage gave ${statusName(status)}` };
      const data = findBuffer(value ?? [], SECBUFFER_DATA)?.data ?? nothing;
      const extra = findBuffer(value ?? [], SECBUFFER_EXTRA)?.data ?? nothing;
      left -= data.byteLength;
      if (left < 0 || extra.byteLength >= rest.byteLength) return { problem: wrongLength };
      opened.push(data);
      rest = extra;
    }
    if (left !== 0) return { problem: wrongLength };
  }
  return { bytes: Buffer.concat(opened) };
}

/**
 * Encrypts a body.
 *
 * @param type Content-Type of the body
 * @returns its parts; undefined if the context does not encrypt (any more)
 */
export function sealBody(
  context: MessageContext,
  protocol: EncryptionProtocol,
  type: string,
  body: Buffer,
): Promise<readonly EncryptedPart[] | undefined> {
  return inTurn(context, () =>
    protocol === 'application/HTTP-CredSSP-session-encrypted'
      ? sealRecords(context.handle, type, body)
      : sealMessage(context.handle, type, body),
  );
}

async function sealMessage(
  context: ContextHandle,
  type: string,
  body: Buffer,
): Promise<readonly EncryptedPart[] | undefined> {
  const { status, value = [] } = await encryptMessage(context, [{ type: SECBUFFER_DATA, data: body }]);
  const signature = findBuffer(value, SECBUFFER_TOKEN)?.data;
  if (status !== SEC_E_OK || signature === undefined) return undefined;
  const sealed = joined(value, [SECBUFFER_TOKEN, SECBUFFER_DATA, SECBUFFER_PADDING]);
  return [{ type, length: body.byteLength, signatureLength: signature.byteLength, sealed }];
}

async function sealRecords(
  context: ContextHandle,
  type: string,
  body: Buffer,
): Promise<readonly EncryptedPart[] | undefined> {
  const parts: EncryptedPart[] = [];
  for (let start = 0; start < body.byteLength; start += MAX_RECORD) {
    const data = body.subarray(start, start + MAX_RECORD);
    const { status, value = [] } = await encryptMessage(context, [
      // With it the answer tells how long the trailer is.
      { type: SECBUFFER_STREAM_HEADER, data: nothing },
      { type: SECBUFFER_DATA, data },
    ]);
    const trailer = findBuffer(value, SECBUFFER_STREAM_TRAILER)?.data;
    if (status !== SEC_E_OK || trailer === undefined) return undefined;
    const sealed = joined(value, [SECBUFFER_STREAM_HEADER, SECBUFFER_DATA, SECBUFFER_STREAM_TRAILER]);
    parts.push({ type, length: data.byteLength, signatureLength: trailer.byteLength, sealed });
  }
  return parts;
}

/** The buffers of these types, one after the other. */
function joined(buffers: readonly SecBuffer[] | undefined, types: readonly number[]): Uint8Array {
  const wanted = (buffers ?? []).filter(({ type }) => types.includes(type & SECBUFFER_TYPE_MASK));
  return Buffer.concat(wanted.map(({ data }) => data));
}
