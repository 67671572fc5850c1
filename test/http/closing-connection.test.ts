/** Connections that end with the answer, and answers that wait: what a client meets that sends before it reads. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { challengeOutcome } from '../../src/http/outcome.ts';
import type { BodyLimits } from '../../src/http/request-body.ts';
import { writeOutcome } from '../../src/http/response.ts';
import { HalfOpenClient } from '../lab/half-open-client.ts';
import { listen } from '../lab/ports.ts';
import { RawConnection, requestText } from '../lab/raw-connection.ts';
import { bodyLimits, refuse, serve } from './outcome-server.ts';

describe('A15: a connection that ends with the answer, while the client sends', () => {
  const limits: BodyLimits = { discardedBodyBytes: 64 * 1024, handshakeBodyBytes: 0 };
  const part = Buffer.alloc(1024);

  for (const [why, fields, bytes] of [
    ['a body above the limit', [`Content-Length: ${65 * 1024}`], 64 * 1024],
    ['a client that wants it to end', ['Connection: close', `Content-Length: ${30 * 1024}`], 30 * 1024],
  ] as const) {
    it(`half of it is closed, and the rest is read, however slowly it comes: ${why}`, async (t) => {
      t.mock.timers.enable({ apis: ['setTimeout'] });
      await using running = await serve(refuse, limits);
      const client = await HalfOpenClient.open(running);
      await client.send(requestText({ method: 'POST', fields }));
      await client.ended();
      assert.match(client.received, /^HTTP\/1\.1 401 [^]*\r\nConnection: close\r\n[^]*401 Unauthorized\n$/);
      for (let sent = 0; sent < bytes - 1024; sent += 1024) {
        await client.send(part);
        t.mock.timers.tick(150);
        assert.equal(client.served.destroyed, false, `after ${sent} bytes`);
      }
      client.socket.write(part);
      if (bytes < limits.discardedBodyBytes) await client.closed();
      else {
        await client.send(part);
        await client.closed();
      }
    });
  }

  it('is not read from for ever', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    await using running = await serve(refuse, limits);
    const client = await HalfOpenClient.open(running);
    await client.send(requestText({ method: 'POST', fields: ['Content-Length: 99999'] }));
    await client.ended();
    for (let second = 0; second < 28; second += 4) {
      await client.send(part);
      t.mock.timers.tick(4000);
      assert.equal(client.served.destroyed, false, `${second} s`);
    }
    await client.send(part);
    t.mock.timers.tick(2000);
    await client.closed();
  });

  it('is answered to a client that sends 5 MiB before it reads', async () => {
    const body = Buffer.alloc(5 * 1024 * 1024);
    const bodyBytes: BodyLimits = { discardedBodyBytes: 6 * 1024 * 1024, handshakeBodyBytes: 0 };
    await using running = await serve(refuse, bodyBytes);
    for (const fields of [[], ['Connection: close'], [`Content-Length: ${10 * 1024 * 1024}`]]) {
      const socket = connect({ port: running.port, host: '127.0.0.1', allowHalfOpen: true }).pause();
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.write(requestText({ method: 'POST', fields, body }), () => resolve());
      });
      const [first] = (await once(socket.resume(), 'data')) as [Buffer];
      assert.match(first.toString('latin1'), /^HTTP\/1\.1 401 /);
      socket.destroy();
    }
  });

  it('of HTTP/1.0, and behind a pipelined request, is answered, and its body is no request', async () => {
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';
    await using running = await serve(refuse, limits);
    const client = await HalfOpenClient.open(running);
    client.socket.end(`POST / HTTP/1.0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`);
    await client.ended();
    assert.match(client.received, /^HTTP\/1\.1 401 [^]*401 Unauthorized\n$/);
    await using connection = await RawConnection.open(running.port);
    connection.send({ target: '/1' }, { method: 'POST', target: '/2', body: smuggled }, { target: '/3' });
    for (let count = 0; count < 3; count++) assert.equal((await connection.response()).status, 401);
    assert.deepEqual(running.seen, ['/', '/1', '/2', '/3']);
  });
});

describe('a challenge that continues a handshake, to a client that sends a body', () => {
  const outcome = challengeOutcome(['NTLM AAAA'], true);

  it('waits for the body', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    await using running = await serve(() => outcome);
    const client = await HalfOpenClient.open(running);
    await client.send(requestText({ method: 'POST', body: Buffer.alloc(2000) }).subarray(0, -1000));
    for (let count = 0; count < 9; count++) {
      t.mock.timers.tick(1999);
      await client.send(Buffer.alloc(100));
      assert.equal(client.received, '', 'not while it arrives');
    }
    client.socket.write(Buffer.alloc(100));
    await once(client.socket, 'data');
    assert.match(client.received, /^HTTP\/1\.1 401 [^]*\r\nConnection: keep-alive\r\n/);
    client.socket.destroy();
  });

  for (const [what, sent, milliseconds] of [
    ['announces a body and sends none is answered at once', 0, 50],
    ['stops in the middle of its body is answered after a pause', 10, 2000],
  ] as const) {
    it(`that ${what}`, async (t) => {
      t.mock.timers.enable({ apis: ['setTimeout'] });
      await using running = await serve(() => outcome);
      const client = await HalfOpenClient.open(running);
      await client.send(requestText({ method: 'POST', fields: ['Content-Length: 100'] }));
      if (sent > 0) await client.send(Buffer.alloc(sent));
      t.mock.timers.tick(milliseconds - 1);
      await turn();
      assert.equal(client.received, '');
      t.mock.timers.tick(1);
      await once(client.socket, 'data');
      assert.match(client.received, /^HTTP\/1\.1 401 /);
      client.socket.destroy();
    });
  }

  it('is not sent where the client has gone, or the application has answered, meanwhile', async () => {
    const responses: ServerResponse[] = [];
    const server = createServer((message, response) => {
      responses.push(response);
      writeOutcome(message, response, outcome, bodyLimits);
    });
    await using listening = await listen(server);
    const gone = await HalfOpenClient.open({ port: listening.port, server });
    await gone.send(requestText({ method: 'POST', fields: ['Content-Length: 100'], body: 'a' }));
    gone.socket.destroy();
    await gone.closed();
    await using connection = await RawConnection.open(listening.port);
    connection.send({ method: 'POST', fields: ['Content-Length: 4'], body: 'bo' });
    while (responses.length < 2) await turn();
    responses[1]?.writeHead(503).end('too late');
    connection.socket.write('dy');
    assert.equal((await connection.response()).status, 503);
    assert.equal(responses[0]?.headersSent, false);
  });
});
