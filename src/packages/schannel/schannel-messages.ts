/** EncryptMessage and DecryptMessage of an established Schannel context. */
import { TLS_HANDSHAKE, TLS_MAX_PLAINTEXT_BYTES, tlsRecordAt } from '../../formats/tls-record.ts';
import { MalformedTokenError } from '../../foundation/errors.ts';
import * as Buffers from '../../sspi/buffers.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import type { MessageAnswer } from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import { isTls13, recordOverhead } from './schannel-attributes.ts';
import type { ReadRecord, TlsEngine } from './tls-engine.ts';
import { recordStatus } from './tls-failure.ts';

const INVALID: MessageAnswer = Object.freeze({ status: Status.SEC_E_INVALID_TOKEN });
const EXPIRED: MessageAnswer = Object.freeze({ status: Status.SEC_E_CONTEXT_EXPIRED });

const buffer = (type: number, data: Uint8Array): SecBuffer => ({ type, data });

/** The bytes of the DATA buffers, as if they were one; undefined if there is no such buffer. */
function dataOf(message: readonly SecBuffer[]): Uint8Array | undefined {
  const first = Buffers.findBuffer(message, Buffers.SECBUFFER_DATA);
  if (first === undefined || Buffers.findBuffer(message, Buffers.SECBUFFER_DATA, 1) === undefined) return first?.data;
  const isData = ({ type }: SecBuffer): boolean => (type & Buffers.SECBUFFER_TYPE_MASK) === Buffers.SECBUFFER_DATA;
  return Buffer.concat(message.filter(isData).map(({ data }) => data));
}

/** DATA in, one record out: as a TOKEN, or in its parts where the caller gave a STREAM_HEADER. */
export function encryptRecord(
  engine: TlsEngine,
  message: readonly SecBuffer[],
): MessageAnswer | Promise<MessageAnswer> {
  const data = dataOf(message);
  if (data === undefined) return INVALID;
  if (data.byteLength > TLS_MAX_PLAINTEXT_BYTES) return { status: Status.SEC_E_BUFFER_TOO_SMALL };
  if (engine.failed) return EXPIRED;
  // TLS writes no record for no data.
  if (data.byteLength === 0) return { status: Status.SEC_E_OK, value: [] };
  const inParts = Buffers.findBuffer(message, Buffers.SECBUFFER_STREAM_HEADER) !== undefined;
  const answer = (record: Buffer): MessageAnswer => {
    if (engine.failed || record.byteLength === 0) return EXPIRED;
    const value = inParts ? partsOf(engine, record, data.byteLength) : [buffer(Buffers.SECBUFFER_TOKEN, record)];
    return { status: Status.SEC_E_OK, value };
  };
  const record = engine.write(data);
  return record instanceof Promise ? record.then(answer) : answer(record);
}

function partsOf(engine: TlsEngine, record: Buffer, length: number): readonly SecBuffer[] {
  const header = engine.socket === undefined ? 0 : recordOverhead(engine.socket).header;
  return [
    buffer(Buffers.SECBUFFER_STREAM_HEADER, record.subarray(0, header)),
    buffer(Buffers.SECBUFFER_DATA, record.subarray(header, header + length)),
    buffer(Buffers.SECBUFFER_STREAM_TRAILER, record.subarray(header + length)),
  ];
}

function received(message: readonly SecBuffer[]): Uint8Array | undefined {
  for (const type of [Buffers.SECBUFFER_DATA, Buffers.SECBUFFER_TOKEN, Buffers.SECBUFFER_STREAM]) {
    const found = Buffers.findBuffer(message, type);
    if (found !== undefined) return found.data;
  }
  return undefined;
}

/** One record in, its data out; what follows it comes back. */
export function decryptRecord(
  engine: TlsEngine,
  message: readonly SecBuffer[],
): MessageAnswer | Promise<MessageAnswer> {
  const bytes = received(message);
  if (bytes === undefined) return INVALID;
  if (engine.failed || engine.ended) return EXPIRED;
  let record;
  try {
    record = tlsRecordAt(bytes, 0);
  } catch (error) {
    if (error instanceof MalformedTokenError) return INVALID;
    throw error;
  }
  const { end, missing, type } = record;
  if (end === undefined) return { status: Status.SEC_E_INCOMPLETE_MESSAGE, missing };
  const extra = bytes.subarray(end);
  const read = engine.read(bytes.subarray(0, end));
  if (!(read instanceof Promise)) return { status: Status.SEC_E_OK, value: opened(read, extra) };
  // The caller may change its buffer before the promise settles.
  const kept = Uint8Array.from(extra);
  return read.then((result) => settledAnswer(engine, result, kept, type));
}

/** DATA first, also if it is empty: a record may be. */
function opened({ data, output }: ReadRecord, extra: Uint8Array): readonly SecBuffer[] {
  const value = [buffer(Buffers.SECBUFFER_DATA, data)];
  if (extra.byteLength > 0) value.push(buffer(Buffers.SECBUFFER_EXTRA, extra));
  if (output.byteLength > 0) value.push(buffer(Buffers.SECBUFFER_TOKEN, output));
  return value;
}

function settledAnswer(
  engine: TlsEngine,
  result: ReadRecord,
  extra: Uint8Array,
  type: number | undefined,
): MessageAnswer {
  const value = opened(result, extra);
  // Without an empty DATA buffer: nothing was decrypted.
  const rest = value.slice(1);
  if (engine.error !== undefined) return { status: recordStatus(engine.error), value: rest };
  if (engine.ended) return { status: Status.SEC_I_CONTEXT_EXPIRED, value: rest };
  if (engine.failed) return { ...EXPIRED, value: rest };
  const { socket } = engine;
  // In TLS 1.2 a handshake record now can only be a ClientHello; the output is the warning that refuses it.
  if (type === TLS_HANDSHAKE && socket !== undefined && !isTls13(socket)) {
    return { status: Status.SEC_I_RENEGOTIATE, value: rest };
  }
  return { status: Status.SEC_E_OK, value };
}
