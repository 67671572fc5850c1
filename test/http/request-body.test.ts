import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { IncomingMessage } from 'node:http';
import { EventEmitter } from 'node:events';
import { announcedLength, discardBody, wasOverrun } from '../../src/http/request-body.ts';

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
