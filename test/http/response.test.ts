/** Outcomes written by node:http, and bodies that nobody reads: over real connections. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect as connectHttp2, constants, createServer as createHttp2Server } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { holdContinue } from '../../src/http/expect-continue.ts';
import { anonymousOutcome, challengeOutcome, refusedOutcome } from '../../src/http/outcome.ts';
import type { Outcome } from '../../src/http/outcome.ts';
import { writeOutcome } from '../../src/http/response.ts';
import { listen } from '../lab/ports.ts';
import { HalfOpenClient } from '../lab/half-open-client.ts';
import { RawConnection, requestText } from '../lab/raw-connection.ts';
import { bodyLimits, refuse, serve } from './outcome-server.ts';

describe('an outcome as a response', () => {
  it('a challenge and a refusal are the same bytes, but for the date', async () => {
    await using running = await serve(({ url }) =>
      url === '/ask' ? challengeOutcome(['NTLM', 'Digest a=b']) : refusedOutcome(401, ['NTLM', 'Digest a=b']),
    );
    await using connection = await RawConnection.open(running.port);
    const text = async (target: string): Promise<string> =>
      (await connection.exchange({ target })).text.replace(/Date: [^\r]+/, 'Date: …');
    const asked = await text('/ask');
    assert.equal(asked, await text('/refuse'));
    assert.match(asked, /^HTTP\/1\.1 401 Unauthorized\r\n/);
    assert.match(asked, /WWW-Authenticate: NTLM\r\nWWW-Authenticate: Digest a=b\r\n/);
  });

  it('fields beyond ASCII arrive byte for byte, and so does the body after them', async () => {
    const field = Buffer.from('Digest realm="Zürich КОРП"').toString('latin1');
    await using running = await serve(() => challengeOutcome(['NTLM', field]));
    await using connection = await RawConnection.open(running.port);
    const response = await connection.exchange({});
    assert.deepEqual(response.headers.get('www-authenticate'), ['NTLM', field]);
    assert.equal(response.body, '401 Unauthorized\n');
  });

  it('each status has its own text, its length and no-store; HEAD has no body', async () => {
    for (const [status, text] of [
      [400, '400 Bad Request\n'],
      [401, '401 Unauthorized\n'],
      [403, '403 Forbidden\n'],
      [500, '500 Internal Server Error\n'],
    ] as const) {
      await using running = await serve(() => refusedOutcome(status));
      await using connection = await RawConnection.open(running.port);
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE']) {
        const response = await connection.exchange({ method });
        assert.equal(response.status, status);
        assert.equal(response.body, method === 'HEAD' ? '' : text);
        assert.deepEqual(response.headers.get('content-length'), [String(text.length)]);
        assert.deepEqual(response.headers.get('cache-control'), ['no-store']);
      }
    }
  });

  it('the handler’s response carries the fields of the handshake', async () => {
    await using running = await serve(() => ({
      type: 'authenticated',
      user: { name: 'a', userName: 'a', groups: [], package: 'P' },
      sspi: undefined as never,
      headers: [['Persistent-Auth', 'true']],
      standing: false,
    }));
    await using connection = await RawConnection.open(running.port);
    const response = await connection.exchange({});
    assert.equal(response.body, 'handler');
    assert.deepEqual(response.headers.get('persistent-auth'), ['true']);
  });
});

describe('A23: Vary of an answer that depends on who asks', () => {
  for (const [before, expected] of [
    [undefined, 'Authorization'],
    ['Origin', 'Origin, Authorization'],
    [['Origin', 'Accept'], 'Origin, Accept, Authorization'],
    ['Accept , authorization', 'Accept , authorization'],
    ['X-Authorization', 'X-Authorization, Authorization'],
    ['*', '*'],
  ] as const) {
    it(`is added to what the application has set: ${String(before)}`, async () => {
      const server = createServer((message, response) => {
        if (before !== undefined) response.setHeader('Vary', before);
        for (let times = 0; times < 2; times++) writeOutcome(message, response, anonymousOutcome, bodyLimits);
        response.end();
      });
      await using listening = await listen(server);
      await using connection = await RawConnection.open(listening.port);
      assert.deepEqual((await connection.exchange({})).headers.get('vary'), [expected]);
    });
  }
});

describe('a response that somebody else has begun', () => {
  const signedIn: Outcome = {
    type: 'authenticated',
    user: { name: 'a', userName: 'a', groups: [], package: 'P' },
    sspi: undefined as never,
    headers: [['Persistent-Auth', 'true']],
    standing: false,
  };

  for (const [name, outcome] of Object.entries({ signedIn, anonymousOutcome, refused: refuse() })) {
    it(`and ended is done: ${name}`, async () => {
      const results: boolean[] = [];
      const server = createServer((message, response) => {
        response.writeHead(503).end('too late');
        results.push(writeOutcome(message, response, outcome, bodyLimits));
      });
      await using listening = await listen(server);
      await using connection = await RawConnection.open(listening.port);
      assert.equal((await connection.exchange({})).body, 'too late');
      assert.deepEqual(results, [false]);
    });
  }

  it('and not ended is not touched where the result is no', async () => {
    const results: boolean[] = [];
    const server = createServer((message, response) => {
      response.writeHead(503).write('begun, ');
      for (const outcome of [refuse(), challengeOutcome(['NTLM'], true)]) {
        results.push(writeOutcome(message, response, outcome, bodyLimits));
      }
      response.end('ended');
    });
    await using listening = await listen(server);
    await using connection = await RawConnection.open(listening.port);
    const { status, headers, text } = await connection.exchange({});
    assert.equal(status, 503);
    assert.match(text, /begun, [^]*ended/);
    assert.equal(headers.get('www-authenticate'), undefined);
    assert.deepEqual(results, [false, false]);
  });

  it('and not ended is the handler’s, without the fields that came too late', async () => {
    const server = createServer((message, response) => {
      response.writeHead(200).write('begun ');
      response.end(String(writeOutcome(message, response, signedIn, bodyLimits)));
    });
    await using listening = await listen(server);
    await using connection = await RawConnection.open(listening.port);
    const { headers, text } = await connection.exchange({});
    assert.match(text, /begun [^]*true/);
    assert.equal(headers.get('persistent-auth'), undefined);
  });
});

describe('A15: bodies of requests that are refused', () => {
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';

  it('up to the limit they are read and thrown away, and the connection goes on', async () => {
    await using running = await serve(refuse);
    await using connection = await RawConnection.open(running.port);
    const bodies = [smuggled, smuggled.padEnd(1024, 'x')];
    for (const body of bodies) {
      assert.equal((await connection.exchange({ method: 'POST', body, target: '/real' })).status, 401);
    }
    const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
    const fields = ['Transfer-Encoding: chunked'];
    const chunked = { method: 'POST', fields, body: `${chunk(smuggled)}0\r\n\r\n`, target: '/real' };
    assert.equal((await connection.exchange(chunked)).status, 401);
    assert.deepEqual(running.seen, ['/real', '/real', '/real']);
  });

  it('one that is announced to be longer is answered, and the connection ends with the body', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    await using running = await serve(({ url }) => (url === '/ask' ? challengeOutcome(['NTLM']) : refuse()));
    for (const [method, target] of [
      ['POST', '/'],
      ['HEAD', '/'],
      ['POST', '/ask'],
    ] as const) {
      await using connection = await RawConnection.open(running.port);
      const fields = ['Content-Length: 1025'];
      const response = await connection.exchange({ method, target, fields, body: smuggled });
      assert.equal(response.status, 401);
      assert.deepEqual(response.headers.get('connection'), ['close']);
      connection.socket.write(Buffer.alloc(1025 - smuggled.length));
      await connection.ended();
    }
    assert.ok(!running.seen.includes('/smuggled'));
  });

  it('of a leg that goes on with its handshake more is read, for its connection must stay', async () => {
    await using running = await serve(() => challengeOutcome(['NTLM AAAA'], true));
    await using connection = await RawConnection.open(running.port);
    const chunked = { fields: ['Transfer-Encoding: chunked'], body: `800\r\n${'x'.repeat(2048)}\r\n0\r\n\r\n` };
    for (const leg of [{ body: 'x'.repeat(2048) }, chunked]) {
      const response = await connection.exchange({ method: 'POST', ...leg });
      assert.deepEqual([response.status, response.headers.get('connection')], [401, ['keep-alive']]);
    }
    const response = await connection.exchange({ method: 'POST', fields: ['Content-Length: 2049'] });
    assert.deepEqual(response.headers.get('connection'), ['close']);
  });

  it('one that comes longer than the limit in chunks ends the connection with the byte that is too many', async () => {
    const bytes = new EventEmitter();
    const server = createServer((message, response) => {
      writeOutcome(message, response, refuse(), bodyLimits);
      let received = 0;
      message.on('data', (chunk: Buffer) => {
        received += chunk.byteLength;
        bytes.emit(String(received), message.socket.destroyed);
      });
    });
    await using listening = await listen(server);
    await using connection = await RawConnection.open(listening.port);
    const fields = ['Transfer-Encoding: chunked'];
    assert.equal((await connection.exchange({ method: 'POST', fields, body: '2000\r\nbegin' })).status, 401);
    for (const [more, received, destroyed] of [
      [1019, '1024', false],
      [1, '1025', true],
    ] as const) {
      const arrived = once(bytes, received);
      connection.socket.write(Buffer.alloc(more));
      assert.deepEqual(await arrived, [destroyed]);
    }
    await connection.ended();
  });

  it('a client that never sends what it announced does not hold the connection for ever', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    await using running = await serve(refuse);
    for (const method of ['POST', 'HEAD']) {
      const client = await HalfOpenClient.open(running);
      client.socket.write(requestText({ method, fields: ['Content-Length: 99999'] }));
      await client.ended();
      assert.match(client.received, /^HTTP\/1\.1 401 /, 'is answered all the same');
      assert.equal(client.served.destroyed, false);
      t.mock.timers.tick(5000);
      await client.closed();
    }
  });
});

describe('A15: bodies over the limit on HTTP/2', () => {
  it('end their own stream and no other', async () => {
    const server = createHttp2Server((message: unknown, response: unknown) => {
      const http1 = message as IncomingMessage;
      if (http1.url === '/open') http1.resume().once('end', () => (response as ServerResponse).end('open'));
      else writeOutcome(http1, response as ServerResponse, refuse(), bodyLimits);
    });
    const closed = new EventEmitter();
    server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      stream.once('close', () => closed.emit(headers[':path'] ?? '', stream.rstCode));
    });
    await using listening = await listen(server);
    const session = connectHttp2(listening.origin);
    const open = session.request({ ':path': '/open', ':method': 'POST' }).setEncoding('utf8');
    for (const [path, announced] of [
      ['/announced', { 'content-length': '2000000' }],
      ['/not-announced', {}],
    ] as const) {
      const ended = once(closed, path);
      const stream = session.request({ ':path': path, ':method': 'POST', ...announced }).setEncoding('utf8');
      let text = '';
      stream.on('data', (piece: string) => (text += piece));
      const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
      assert.deepEqual([headers[':status'], headers['connection']], [401, undefined]);
      stream.write(Buffer.alloc(4096));
      assert.deepEqual(await ended, [constants.NGHTTP2_NO_ERROR]);
      if (!stream.readableEnded) await once(stream, 'end');
      assert.equal(text, '401 Unauthorized\n');
      stream.destroy();
    }
    open.end('body');
    assert.equal(await open.reduce((whole: string, piece: string) => whole + piece, ''), 'open');
    session.destroy();
  });
});

describe('A16: Expect: 100-continue', () => {
  const request = { method: 'POST', fields: ['Expect: 100-continue', 'Content-Length: 4'] };

  it('a refusal is the first and only answer: nobody knows whether the body or another request comes next', async () => {
    for (const outcome of [refuse(), challengeOutcome(['NTLM'])]) {
      await using running = await serve(() => outcome, bodyLimits, holdContinue);
      await using connection = await RawConnection.open(running.port);
      const response = await connection.exchange(request);
      assert.equal(response.status, 401);
      assert.deepEqual(response.headers.get('connection'), ['close']);
      await connection.ended();
    }
  });

  it('a challenge that goes on with a handshake says 100 first, and comes when the body has', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const outcome = challengeOutcome(['NTLM AAAA'], true);
    await using running = await serve(() => outcome, bodyLimits, holdContinue);
    await using connection = await RawConnection.open(running.port);
    for (let leg = 0; leg < 2; leg++) {
      assert.equal((await connection.exchange(request)).status, 100);
      connection.socket.write('body');
      const response = await connection.response();
      assert.deepEqual([response.status, response.headers.get('connection')], [401, ['keep-alive']]);
    }
    const long = { method: 'POST', fields: ['Expect: 100-continue', 'Content-Length: 4096'] };
    const tooLong = await connection.exchange(long);
    assert.deepEqual(
      [tooLong.status, tooLong.headers.get('connection')],
      [401, ['close']],
      'nobody asks for that body',
    );
    await using last = await RawConnection.open(running.port);
    const { headers } = await last.exchange({ fields: ['Connection: close'] });
    assert.deepEqual(headers.get('connection'), ['close'], 'a client that will not go on is not held');
  });

  it('a handler that runs gets its body', async () => {
    await using running = await serve(() => anonymousOutcome, bodyLimits, holdContinue);
    await using connection = await RawConnection.open(running.port);
    assert.equal((await connection.exchange(request)).status, 100);
    connection.socket.write('body');
    assert.equal((await connection.response()).body, 'handler');
  });

  it('without attach, from the second request on', async () => {
    await using running = await serve(refuse);
    await using connection = await RawConnection.open(running.port);
    assert.equal((await connection.exchange({})).status, 401);
    assert.equal((await connection.exchange(request)).status, 401);
  });

  it('an application that listens for checkContinue itself is left alone', async () => {
    let heard = 0;
    await using running = await serve(refuse, bodyLimits, (server) => {
      server.on('checkContinue', (_message, response: ServerResponse) => {
        heard++;
        response.writeHead(417).end();
      });
      holdContinue(server);
    });
    await using connection = await RawConnection.open(running.port);
    assert.equal((await connection.exchange(request)).status, 417);
    assert.equal(heard, 1);
  });

  it('a request that no authenticator looks at gets its 100 as ever', async () => {
    const server = createServer((message, response) => {
      message.resume().once('end', () => response.end('open'));
    });
    holdContinue(server);
    holdContinue(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using connection = await RawConnection.open((server.address() as AddressInfo).port);
    assert.equal((await connection.exchange(request)).status, 100);
    connection.socket.write('body');
    assert.equal((await connection.response()).body, 'open');
    server.closeAllConnections();
    server.close();
  });
});
