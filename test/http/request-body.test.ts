import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { EventEmitter } from 'node:events';
import { announcedLength, discardBody, endAndClose, wasOverrun } from '../../src/http/request-body.ts';

describe('the length that a request announces for its body', () => {
  it('is that of Content-Length, or not known where it is chunked, in whatever case and place', () => {
    assert.equal(announcedLength(['Content-Length', '5']), 5);
    assert.equal(announcedLength(['Host', 'localhost', 'content-length', '0']), 0);
    assert.equal(announcedLength(['Host', 'localhost', 'transfer-encoding', 'chunked']), undefined);
  });

  it('is zero where the fields have other names, whatever their values', () => {
    assert.equal(announcedLength([]), 0);
    assert.equal(announcedLength(['Host', 'content-length', 'X-Content-Length', '5', 'TE', 'transfer-encoding']), 0);
  });
});

describe('A15: a body that grows above its limit', () => {
  for (const [version, fields, ended] of [
    [1, ['Transfer-Encoding', 'chunked'], ['socket']],
    [2, [], ['stream closed with NO_ERROR (0)']],
  ] as const) {
    it(`ends its request alone: HTTP/${version}`, () => {
      const happened: string[] = [];
      const socket = { remoteAddress: '192.0.2.7', destroy: () => void happened.push('socket') };
      const stream = { close: (code: number) => void happened.push(`stream closed with NO_ERROR (${code})`) };
      const message = Object.assign(new EventEmitter(), {
        ...{
          complete: false,
          httpVersionMajor: version,
          rawHeaders: [...fields, 'content-length', '4'],
          socket,
          stream,
        },
      });
      assert.equal(discardBody(message as unknown as IncomingMessage, 4), true);
      message.emit('data', Buffer.alloc(4));
      assert.deepEqual([happened, wasOverrun(socket)], [[], false]);
      message.emit('data', Buffer.alloc(1));
      assert.deepEqual([happened, wasOverrun(socket)], [ended, true]);
    });
  }
});

describe('a response that ends its request', () => {
  for (const [version, expected] of [
    [1, ['Connection: close', 'end']],
    [2, ['end', 'stream closed with NO_ERROR (0)']],
  ] as const) {
    it(`closes the connection of HTTP/1 and the stream of HTTP/2, when all is sent: HTTP/${version}`, () => {
      const happened: string[] = [];
      const stream = { close: (code: number) => void happened.push(`stream closed with NO_ERROR (${code})`) };
      const response = {
        setHeader: (name: string, value: string) => void happened.push(`${name}: ${value}`),
        end: (_body: string, sent?: () => void) => {
          happened.push('end');
          sent?.();
        },
      };
      endAndClose(
        { httpVersionMajor: version, stream } as unknown as IncomingMessage,
        response as unknown as ServerResponse,
        'no',
      );
      assert.deepEqual(happened, expected);
    });
  }
});
