/** The servers of docs/websockets.md, run as they stand: whoever has a ticket gets in, once, and nobody else by any means. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { curl } from '../../lab/curl.ts';
import { documentProgram } from '../../lab/document-program.ts';
import type { DocumentProgram } from '../../lab/document-program.ts';
import { RawConnection } from '../../lab/raw-connection.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('curl');
const alice = ['--ntlm', '-u', 'alice:Wonderland-7'];

/** A server of the page. */
interface Recipe {
  readonly name: string;
  /** What its program imports, and no other. */
  readonly part: string;
  /** The target of an upgrade with a query, such as `ticket=…`. */
  readonly target: (query: string) => string;
  /** Statuses of an upgrade that is refused. */
  readonly refusals: readonly number[];
}

const recipes: readonly Recipe[] = [
  { name: 'ws', part: "from 'ws'", target: (query) => `/?${query}`, refusals: [400, 401] },
  { name: 'Fastify', part: "from '@fastify/websocket'", target: (query) => `/?${query}`, refusals: [400, 401, 404] },
  {
    name: 'Socket.IO',
    part: "from 'socket.io'",
    target: (query) => `/socket.io/?EIO=4&transport=websocket&${query}`,
    refusals: [400, 403],
  },
];

/** A ticket, which a signed-in request gets. */
async function ticketOf({ authority }: DocumentProgram): Promise<string> {
  const { body, status } = await curl([...alice, '-X', 'POST', `http://${authority}/ticket`]);
  assert.equal(status, 200, body);
  const { ticket } = JSON.parse(body) as { ticket: string };
  assert.match(ticket, /^[0-9a-f]{32}$/);
  return ticket;
}

const upgrade = [
  ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

/** The status of an upgrade by the client of ws. */
async function statusOf(server: DocumentProgram, target: string): Promise<number | undefined> {
  const webSocket = new WebSocket(`ws://${server.authority}${target}`);
  const [, response] = (await once(webSocket, 'unexpected-response')) as [unknown, { statusCode?: number }];
  return response.statusCode;
}

for (const { name, part, target, refusals } of recipes) {
  describe(`WebSockets of the documents, ${name}`, ready, () => {
    let server: DocumentProgram;
    before(async () => {
      // Fastify's program waits for five seconds, which nobody needs to wait for here.
      const change = (code: string): string => code.replace('setTimeout(5000', 'setTimeout(500');
      server = await documentProgram('docs/websockets.md', part, { change });
    });
    after(() => server[Symbol.asyncDispose]());

    it('a ticket of a signed-in request opens one, once; without one nothing opens', async () => {
      assert.equal((await curl(['-X', 'POST', `http://${server.authority}/ticket`])).status, 401);
      const ticket = await ticketOf(server);
      for (const query of ['', 'ticket=', 'ticket=0123456789abcdef0123456789abcdef', `ticket=${ticket}0`]) {
        assert.ok(refusals.includes((await statusOf(server, target(query))) ?? 0), query);
      }
      const webSocket = new WebSocket(`ws://${server.authority}${target(`ticket=${ticket}`)}`);
      if (name === 'Socket.IO') {
        const [message] = (await once(webSocket, 'message')) as [Buffer];
        // The engine's own first packet.
        assert.match(message.toString(), /^0\{"sid":/);
      } else {
        const [message] = (await once(webSocket, 'message')) as [Buffer];
        assert.match(message.toString(), /^Hello \S+\\alice$/);
      }
      webSocket.terminate();
      assert.ok(refusals.includes((await statusOf(server, target(`ticket=${ticket}`))) ?? 0));
    });

    it('A14: odd targets, resets and broken frames do not end the process, and open nothing', async () => {
      const { port } = server;
      const odd = ['//', '/\\', '//[', 'http://[', '/?ticket', '/?ticket=%', '/?ticket=__proto__', '*', '/?%00'];
      const all = [...odd, ...['ticket', 'ticket=%', 'ticket=__proto__', 'ticket[]=a', 'sid=__proto__'].map(target)];
      await Promise.all(
        all.map(async (one) => {
          await using connection = await RawConnection.open(port);
          connection.send({ target: one, fields: upgrade });
          // Some refuse without a word, by closing the connection.
          const response = await connection.response().catch(() => undefined);
          const right = response === undefined || [400, 401, 403, 404].includes(response.status);
          assert.ok(right, `${one}: ${response?.text ?? ''}`);
          // And none leaves the connection of a stranger open.
          await connection.ended();
        }),
      );
      for (let count = 0; count < 60; count++) {
        const connection = await RawConnection.open(port);
        connection.send({
          target: count % 3 === 0 ? '/elsewhere' : target(''),
          fields: upgrade,
          body: 'x'.repeat(1000),
        });
        for (let turns = count % 4; turns > 0; turns--) await turn();
        connection.socket.resetAndDestroy();
      }
      for (const broken of [Buffer.alloc(64, 0xff), Buffer.from([0x81, 0x01, 0x41])]) {
        const ticket = await ticketOf(server);
        await using connection = await RawConnection.open(port);
        const opened = await connection.exchange({ target: target(`ticket=${ticket}`), fields: upgrade });
        assert.equal(opened.status, 101);
        connection.socket.write(broken);
        await connection.ended();
      }
      await ticketOf(server);
    });
  });
}

describe('Socket.IO’s own client', ready, () => {
  /** What a client hears: the event of the program, or why it is not let in. */
  async function hears(server: DocumentProgram, options: Parameters<typeof io>[1]): Promise<string> {
    const socket = io(`http://${server.authority}`, { forceNew: true, reconnection: false, ...options });
    try {
      return await new Promise<string>((resolve) => {
        socket.on('hello', resolve).on('connect_error', ({ message }) => resolve(`refused: ${message}`));
      });
    } finally {
      socket.disconnect();
    }
  }

  it('is let in with a ticket, by polling and by WebSocket, once, and not without', async () => {
    await using server = await documentProgram('docs/websockets.md', "from 'socket.io'");
    for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
      const query = { ticket: await ticketOf(server) };
      assert.match(await hears(server, { transports, query }), /^Hello \S+\\alice$/);
      assert.match(await hears(server, { transports, query }), /^refused: /);
      assert.match(await hears(server, { transports }), /^refused: /);
      assert.match(await hears(server, { transports, auth: query }), /^refused: /);
    }
  });

  it('without the lines of the recipe everybody is let in: the documents warn of it', async () => {
    const change = (code: string): string =>
      code.replace(
        "callback('no ticket', false);",
        "users.set(request, { name: 'a stranger' } as Express.User); callback(null, true);",
      );
    await using server = await documentProgram('docs/websockets.md', "from 'socket.io'", { change });
    assert.equal(await hears(server, { transports: ['polling'] }), 'Hello a stranger');
  });
});
