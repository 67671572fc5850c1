/**
 * Reads the body of a request before its handler does, and puts other bytes in its place. The handler, or its body
 * parser, then reads these from the same stream.
 *
 * Only documented ways of Node's streams are used. What was read is put back (`unshift`) in the same turn in which the
 * last byte is read, so that the stream does not end before the handler reads it.
 */
import type { IncomingMessage } from 'node:http';

/** A body that was read. */
export type ReadBody =
  | { readonly type: 'read'; readonly bytes: Buffer }
  /** `gone`: the client has gone. `read before`: something has read of it already. */
  | { readonly type: 'unreadable'; readonly reason: 'too large' | 'gone' | 'read before' };

/**
 * Reads the whole body of a request. Its bytes stay in the stream until `replaceBody` exchanges them.
 *
 * @param limit in bytes; a longer body is not read to its end
 * @returns never rejects
 */
export function readWholeBody(message: IncomingMessage, limit: number): Promise<ReadBody> {
  return new Promise((resolve) => {
    if (message.readableEnded || message.readableFlowing === true || message.readableDidRead) {
      resolve({ type: 'unreadable', reason: 'read before' });
      return;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    const end = (result: ReadBody): void => {
      message.off('readable', readable).off('error', gone).off('close', gone);
      resolve(result);
    };
    const gone = (): void => end({ type: 'unreadable', reason: 'gone' });
    const readable = (): void => {
      for (let chunk = nextChunk(message); chunk !== null; chunk = nextChunk(message)) {
        length += chunk.byteLength;
        if (length > limit) {
          end({ type: 'unreadable', reason: 'too large' });
          return;
        }
        chunks.push(chunk);
      }
      if (!message.complete) return;
      const bytes = Buffer.concat(chunks, length);
      if (length > 0) message.unshift(bytes);
      end({ type: 'read', bytes });
    };
    message.on('readable', readable).on('error', gone).on('close', gone);
    // What came before, and a body that is complete, have no event any more.
    if (message.complete || message.readableLength > 0) readable();
  });
}

/** Puts other bytes in the place of the body that `readWholeBody` has read. */
export function replaceBody(message: IncomingMessage, bytes: Uint8Array): void {
  while (nextChunk(message) !== null);
  if (bytes.byteLength > 0) message.unshift(bytes);
}

function nextChunk(message: IncomingMessage): Buffer | null {
  return message.read() as Buffer | null;
}
