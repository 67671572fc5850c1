import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import {
  awaitsContinue,
  awaitResult,
  holdContinue,
  holdFirstContinue,
  sendContinue,
} from '../../src/http/expect-continue.ts';
import { listen } from '../lab/ports.ts';
import { RawConnection } from '../lab/raw-connection.ts';

type Handler = (message: IncomingMessage, response: ServerResponse) => void;

/** A server that got a request whose client waits, and what its response was told. */
function request(handler: Handler): { response: ServerResponse; continued: () => number } {
  const server = new EventEmitter();
  let count = 0;
  const response = {
    headersSent: false,
    writeContinue: () => count++,
    writeHead: () => undefined,
  } as unknown as ServerResponse;
  holdContinue(server);
  server.on('request', handler);
  server.emit('checkContinue', { socket: { server } }, response);
  return { response, continued: () => count };
}

describe('A16: 100 Continue', () => {
  it('is said as ever where no authenticator looks at the request', () => {
    const { response, continued } = request(() => undefined);
    assert.equal(continued(), 1);
    assert.equal(awaitsContinue(response), false);
  });

  for (const [what, given] of [
    ['the response', (response: ServerResponse) => response],
    ['an object made from the response', (response: ServerResponse) => Object.create(response) as ServerResponse],
  ] as const) {
    it(`is said once by an authenticator that was handed ${what} and lets the handler run at once`, () => {
      const { continued } = request((_message, response) => {
        sendContinue(given(response));
        sendContinue(given(response));
      });
      assert.equal(continued(), 1);
    });

    it(`waits for an authenticator that was handed ${what} and has to ask`, () => {
      const verified: ServerResponse[] = [];
      const { response, continued } = request((message, handed) => {
        verified.push(given(handed));
        for (const one of verified) awaitResult(message, one);
      });
      assert.equal(continued(), 0);
      assert.equal(awaitsContinue(response), true);
      for (const one of [...verified, response]) sendContinue(one);
      assert.equal(continued(), 1);
      assert.equal(awaitsContinue(response), false);
    });
  }

  it('is not said a second time by an authenticator that comes after the one that said it', () => {
    const { response, continued } = request((message, handed) => {
      for (let authenticator = 0; authenticator < 2; authenticator++) {
        awaitResult(message, handed);
        sendContinue(handed);
      }
    });
    assert.equal(continued(), 1);
    assert.equal(awaitsContinue(response), false);
  });

  it('is nothing to wait for where a request has no server', () => {
    const message = { socket: {} } as unknown as IncomingMessage;
    const response = {} as unknown as ServerResponse;
    awaitResult(message, response);
    assert.equal(awaitsContinue(response), false);
    sendContinue(response);
  });

  it('is not said after a response of our own', () => {
    const { response, continued } = request((message, handed) => {
      awaitResult(message, handed);
      Object.assign(handed, { headersSent: true });
    });
    sendContinue(response);
    assert.equal(continued(), 0);
  });

  it('is left to an application that listens for it itself', () => {
    const server = new EventEmitter();
    server.on('checkContinue', () => undefined);
    holdContinue(server);
    assert.equal(server.listenerCount('checkContinue'), 1);
  });

  it('is left to an application that begins to listen for it later', () => {
    const server = new EventEmitter();
    const heard: string[] = [];
    holdContinue(server);
    server.on('checkContinue', () => heard.push('its own'));
    server.on('request', () => heard.push('a request of ours'));
    server.emit('checkContinue', { socket: { server } }, {});
    assert.deepEqual(heard, ['its own']);
  });
});

describe('A16: 100 Continue of a request that no authenticator looks at', () => {
  const post = { method: 'POST', fields: ['Expect: 100-continue', 'Content-Length: 4'] };
  const handlers: Readonly<Record<string, RequestListener>> = {
    'answers at once': (_request, response) => void response.writeHead(200, { 'Content-Length': 4 }).end('open'),
    'answers at once, by fields it has set': (_request, response) => {
      response.setHeader('Content-Length', 4);
      response.write('op');
      response.end('en');
    },
    'reads the body': (request, response) => void request.resume().once('end', () => response.end('open')),
    'answers later': (request, response) => {
      request.resume();
      setImmediate(() => response.end('open'));
    },
  };
  for (const [what, handler] of Object.entries(handlers)) {
    for (const [whose, prepare] of [
      ['that an authenticator knows', (server: object) => holdContinue(server)],
      ['beside an authenticator that is never mounted', () => undefined],
    ] as const) {
      it(`comes before the answer, and the connection stays: a server ${whose}, whose handler ${what}`, async () => {
        const server = createServer(handler);
        await using listening = await listen(server);
        const stop = holdFirstContinue();
        try {
          prepare(server);
          const listeners = server.listenerCount('checkContinue');
          await using connection = await RawConnection.open(listening.port);
          for (let turn = 0; turn < 2; turn++) {
            assert.equal((await connection.exchange(post)).status, 100);
            connection.socket.write('body');
            const { status, headers, text } = await connection.response();
            assert.equal(status, 200);
            assert.match(text, /op[^]*en/);
            assert.notEqual(headers.get('connection')?.[0], 'close');
          }
          assert.equal(server.listenerCount('checkContinue'), listeners, 'nothing was added to it');
        } finally {
          stop();
        }
      });
    }
  }

  it('is refused with 417, and answered by the application, as ever, beside an authenticator that is never mounted', async () => {
    const server = createServer((_request, response) => response.end('open'));
    await using listening = await listen(server);
    const stop = holdFirstContinue();
    try {
      await using other = await RawConnection.open(listening.port);
      assert.equal((await other.exchange({ fields: ['Expect: something else'] })).status, 417);
      server.on('checkContinue', (_request, response: ServerResponse) => void response.writeHead(413).end());
      await using connection = await RawConnection.open(listening.port);
      assert.equal((await connection.exchange(post)).status, 413);
      assert.equal(server.listenerCount('checkContinue'), 1);
    } finally {
      stop();
    }
  });
});
