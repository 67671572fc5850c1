/** Bodies that are exchanged for others before the handler reads them, with Node's own server and client. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { readWholeBody, replaceBody } from '../../src/http/replaced-body.ts';
import type { ReadBody } from '../../src/http/replaced-body.ts';
import { RawConnection } from '../lab/raw-connection.ts';

const LIMIT = 1_000_000;

/** One request: what was read of its body, and what the handler reads then. */
async function exchange(
  body: string | readonly string[],
  before: (message: IncomingMessage) => unknown = () => undefined,
): Promise<{ readonly read: ReadBody; readonly handler: string }> {
  let read: ReadBody | undefined;
  const server = createServer((message, response) => {
    const handle = async (): Promise<void> => {
      await before(message);
      read = await readWholeBody(message, LIMIT);
      if (read.type === 'read') replaceBody(message, Buffer.from(`read ${read.bytes.byteLength}`));
      const text = (await message.setEncoding('latin1').toArray()).join('');
      response.end(text.slice(0, 30));
    };
    handle().catch((error: unknown) => response.end(String(error)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    await using connection = await RawConnection.open(port);
    const chunks = typeof body === 'string' ? undefined : body;
    connection.send({
      method: 'POST',
      ...(chunks === undefined ? { body: String(body) } : { fields: ['Transfer-Encoding: chunked'] }),
    });
    for (const chunk of chunks ?? []) {
      connection.socket.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
      await pause(5);
    }
    if (chunks !== undefined) connection.socket.write('0\r\n\r\n');
    const { body: handler } = await connection.response();
    assert.ok(read !== undefined);
    return { read, handler };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('a body that is exchanged', () => {
  for (const [what, body] of [
    ['short', 'x'],
    ['longer than what streams hold', 'x'.repeat(700_000)],
    ['chunked, in pieces', ['one', 'two', 'three']],
    ['chunked, with nothing in it', []],
  ] as const) {
    it(`is read whole, and the handler reads the other: ${what}`, async () => {
      const { read, handler } = await exchange(body);
      const expected = typeof body === 'string' ? body : body.join('');
      assert.deepEqual(read, { type: 'read', bytes: Buffer.from(expected) });
      if (expected !== '') assert.equal(handler, `read ${expected.length}`);
    });
  }

  it('may have arrived before', async () => {
    const arrived = async (message: IncomingMessage): Promise<void> => {
      while (!message.complete) await pause(1);
    };
    assert.equal((await exchange('whole', arrived)).handler, 'read 5');
  });

  it('that is longer than the limit is not read to its end', async () => {
    const { read } = await exchange('x'.repeat(LIMIT + 1));
    assert.deepEqual(read, { type: 'unreadable', reason: 'too large' });
  });

  it('that something has read before cannot be exchanged', async () => {
    const { read } = await exchange('x', async (message) => {
      for await (const chunk of message) assert.ok(chunk);
    });
    assert.deepEqual(read, { type: 'unreadable', reason: 'read before' });
  });

  it('whose client goes away is given up', async () => {
    let listened: (read: Promise<ReadBody>) => void = () => undefined;
    const given = new Promise<ReadBody>((resolve) => (listened = resolve as typeof listened));
    const server = createServer((message) => listened(readWholeBody(message, LIMIT))).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const connection = await RawConnection.open((server.address() as AddressInfo).port);
    const requested = once(server, 'request');
    connection.send({ method: 'POST', fields: ['Content-Length: 10'] });
    connection.socket.write('half');
    await requested;
    await connection[Symbol.asyncDispose]();
    assert.deepEqual(await given, { type: 'unreadable', reason: 'gone' });
    server.close();
  });
});
