/** Bodies of requests that sspi-auth answers itself, against every adapter, with nothing but Node. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { liveHandles } from '../../src/sspi/index.ts';
import { RawConnection, requestText } from '../lab/raw-connection.ts';
import type { RawRequest } from '../lab/raw-connection.ts';
import {
  accounts,
  assertNothingLeft,
  challengeOf,
  digestField,
  domain,
  forgedTokens,
  ntlmField,
  whoIs,
} from './raw-clients.ts';
import { adapters } from './servers.ts';
import type { Answer, ScenarioOptions } from './servers.ts';

const mebibyte = 1024 * 1024;
const type = 'Content-Type: application/x-scenario';
const ntlm: ScenarioOptions = { accounts, domain, schemes: ['NTLM'] };

/** Sends a whole request before it reads a byte; gives what comes then. */
async function sendThenRead(port: number, request: RawRequest): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).pause();
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.write(requestText(request), () => resolve());
  });
  const [first] = (await once(socket.resume(), 'data')) as [Buffer];
  socket.destroy();
  return first.toString('latin1');
}

/** A request of Node's own client. */
async function ask(
  options: { readonly port: number; readonly agent: Agent },
  body: Buffer,
  authorization: string,
): Promise<{ readonly message: IncomingMessage; readonly text: string }> {
  const headers = { authorization, 'content-type': 'application/x-scenario', 'content-length': body.byteLength };
  const sent = httpRequest({ ...options, host: '127.0.0.1', method: 'POST', headers });
  sent.end(body);
  const [message] = (await once(sent, 'response')) as [IncomingMessage];
  const text = (await message.setEncoding('utf8').toArray()).join('');
  return { message, text };
}

for (const [adapter, start] of Object.entries(adapters)) {
  describe(`adapter ${adapter}, bodies`, () => {
    it('A15: 5 MiB that are sent before the answer is read, as most clients do: 401, whatever becomes of the connection', async () => {
      for (const options of [ntlm, { ...ntlm, schemes: ['Digest'] } as const]) {
        await using server = await start(options);
        const body = Buffer.alloc(5 * mebibyte);
        const chunked = Buffer.concat([
          Buffer.from(`${body.byteLength.toString(16)}\r\n`),
          body,
          Buffer.from('\r\n0\r\n\r\n'),
        ]);
        for (const request of [
          { body },
          { body, fields: ['Connection: close'] },
          { body, fields: ['Authorization: Bearer x'] },
          { body, fields: ['Authorization: NTLM AAAA', 'Connection: close'] },
          { body, fields: ['Authorization: Digest a=b, c', 'Authorization: Digest a=b'] },
          { body: chunked, fields: ['Transfer-Encoding: chunked'] },
        ]) {
          const answer = await sendThenRead(server.port, { method: 'POST', ...request });
          assert.match(answer, /^HTTP\/1\.1 40[01] /);
        }
        assert.equal(server.handled(), 0);
      }
    });

    it('A15: the same of a body above the limit that is announced', async () => {
      await using server = await start({ ...ntlm, limits: { discardedBodyBytes: 6 * mebibyte } });
      const fields = [`Content-Length: ${7 * mebibyte}`];
      const answer = await sendThenRead(server.port, { method: 'POST', fields, body: Buffer.alloc(5 * mebibyte) });
      assert.match(answer, /^HTTP\/1\.1 401 [^]*\r\nconnection: close\r\n/i);
    });

    it('a handshake of Node’s own client, with 5 MiB on each leg, stays on its connection', async () => {
      const { contexts } = liveHandles();
      await using server = await start(ntlm);
      let connections = 0;
      server.server.on('connection', () => connections++);
      const agent = new Agent({ keepAlive: true });
      const options = { port: server.port, agent };
      const body = Buffer.alloc(5 * mebibyte, 'sspi');
      const tokens = forgedTokens({});
      const { message } = await ask(options, body, ntlmField(tokens.first()).slice('Authorization: '.length));
      assert.equal(message.statusCode, 401);
      const challenge = Buffer.from(String(message.headers['www-authenticate']).slice('NTLM '.length), 'base64');
      await turn();
      const last = await ask(options, body, ntlmField(tokens.last(challenge)).slice('Authorization: '.length));
      assert.equal(last.message.statusCode, 200, last.text);
      const { user, bodyBytes } = JSON.parse(last.text) as Answer;
      assert.deepEqual([user?.userName, bodyBytes, connections], ['alice', body.byteLength, 1]);
      agent.destroy();
      await assertNothingLeft(server, contexts);
    });

    for (const bytes of [10, 200 * 1024, 5 * mebibyte]) {
      it(`A16: a leg with Expect and ${bytes} bytes gets its 100 Continue, then its challenge`, async () => {
        await using server = await start(ntlm);
        await using connection = await RawConnection.open(server.port);
        const tokens = forgedTokens({});
        const body = Buffer.alloc(bytes, 'x');
        const leg = async (token: Uint8Array): Promise<Awaited<ReturnType<RawConnection['response']>>> => {
          const fields = ['Expect: 100-continue', `Content-Length: ${bytes}`, type, ntlmField(token)];
          assert.equal((await connection.exchange({ method: 'POST', fields })).status, 100);
          connection.socket.write(body);
          return connection.response();
        };
        const challenged = await leg(tokens.first());
        assert.equal(challenged.status, 401);
        const response = await leg(tokens.last(challengeOf(challenged)));
        assert.equal(whoIs(response), 'alice');
        assert.equal((JSON.parse(response.body) as Answer).bodyBytes, bytes);
        assert.equal(whoIs(await connection.exchange({})), 'alice');
      });
    }

    it('A16: no 100 Continue for credentials that are refused, nor for a leg with too long a body', async () => {
      await using server = await start({
        ...ntlm,
        schemes: ['NTLM', 'Digest'],
        limits: { handshakeBodyBytes: 0, discardedBodyBytes: 0 },
      });
      const expect = ['Expect: 100-continue', 'Content-Length: 10', type];
      for (const field of [
        'Authorization: NTLM AAAA',
        'Authorization: Basic YTpi',
        'Authorization: Digest x',
        ntlmField(forgedTokens({}).first()),
      ]) {
        await using connection = await RawConnection.open(server.port);
        const response = await connection.exchange({ method: 'POST', fields: [...expect, field] });
        assert.ok([400, 401].includes(response.status), `${response.status} for ${field}`);
        assert.deepEqual(response.headers.get('connection'), ['close']);
        await connection.ended();
      }
      await using connection = await RawConnection.open(server.port);
      const asked = await connection.exchange({});
      const field = digestField(asked, { method: 'POST' });
      assert.equal((await connection.exchange({ method: 'POST', fields: [...expect, field] })).status, 100);
      connection.socket.write('0123456789');
      assert.equal(whoIs(await connection.response()), 'alice');
    });

    it('A15: a body that is refused while pipelined, of HTTP/1.0 or before a close, is no request', async () => {
      await using server = await start(ntlm);
      const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(20);
      await using pipelined = await RawConnection.open(server.port);
      pipelined.send({ method: 'POST', body: smuggled }, { method: 'POST', body: smuggled }, {});
      for (let count = 0; count < 3; count++) assert.equal((await pipelined.response()).status, 401);
      for (const head of [
        'POST / HTTP/1.0\r\n',
        'POST / HTTP/1.0\r\nConnection: keep-alive\r\n',
        'POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n',
      ]) {
        await using connection = await RawConnection.open(server.port);
        connection.socket.write(`${head}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`);
        assert.equal((await connection.response()).status, 401, head);
        if (head.includes('keep-alive')) assert.equal((await connection.exchange({})).status, 401);
        else await connection.ended();
      }
      assert.equal(server.handled(), 0);
    });
  });
}
