/** Scenarios of request bodies that nobody reads, or that wait for the result; see scenarios.ts. */
import assert from 'node:assert/strict';
import { curl } from '../lab/curl.ts';
import { RawConnection } from '../lab/raw-connection.ts';
import { accounts, alice, answerOf } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';

export const bodyScenarios: readonly Scenario[] = [
  {
    name: 'A15: the body of a refused request is never taken for the next request',
    options: { accounts, schemes: ['NTLM'], limits: { discardedBodyBytes: 64 * 1024 } },
    run: async (server) => {
      await using connection = await RawConnection.open(server.port);
      const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';
      for (const body of [smuggled, smuggled.repeat(100)]) {
        assert.equal((await connection.exchange({ method: 'POST', body })).status, 401);
      }
      const chunked = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`;
      const fields = ['Transfer-Encoding: chunked'];
      assert.equal((await connection.exchange({ method: 'POST', fields, body: chunked })).status, 401);
      assert.equal((await connection.exchange({})).status, 401);
      assert.equal(server.handled(), 0);
    },
  },
  {
    name: 'A15: a body over the limit is answered, and its connection ends',
    options: { accounts, schemes: ['NTLM'], limits: { discardedBodyBytes: 1024 } },
    run: async (server) => {
      await using connection = await RawConnection.open(server.port);
      const gigabyte = ['Content-Length: 1073741824'];
      const response = await connection.exchange({ method: 'POST', fields: gigabyte, body: 'the first bytes' });
      assert.equal(response.status, 401);
      assert.deepEqual(response.headers.get('connection'), ['close']);
      connection.socket.write(Buffer.alloc(2048));
      await connection.ended();
      // Only the limit may end the connection, and not Node for want of a next request.
      server.server.keepAliveTimeout = 0;
      await using chunked = await RawConnection.open(server.port);
      const fields = ['Transfer-Encoding: chunked'];
      assert.equal(
        (await chunked.exchange({ method: 'POST', fields, body: '10000\r\nonly the beginning' })).status,
        401,
      );
      chunked.socket.write(Buffer.alloc(2048));
      await chunked.ended();
      assert.equal(server.handled(), 0);
    },
  },
  {
    name: 'A16: Expect: 100-continue is answered by the result, the first request of a server too',
    options: { accounts, schemes: ['Digest'] },
    run: async (server, url) => {
      await using connection = await RawConnection.open(server.port);
      const fields = ['Expect: 100-continue', 'Content-Length: 100'];
      const refused = await connection.exchange({ method: 'POST', fields });
      assert.equal(refused.status, 401);
      const body = '{"an":"upload"}';
      const args = ['--digest', ...alice, '-H', 'Expect: 100-continue', '-H', 'Content-Type: application/x-scenario'];
      const accepted = await curl([...args, '--data-binary', body, url]);
      assert.deepEqual(
        accepted.responses.map(({ status }) => status),
        [401, 100, 200],
      );
      assert.equal(answerOf(accepted).bodyBytes, body.length);
    },
  },
  {
    name: 'A16: Expect: 100-continue on a connection that is signed in is answered with 100, and the connection stays',
    options: { accounts, schemes: ['NTLM'] },
    run: async (server, url) => {
      // As GET, whose body Fastify does not wait for either: every handler of /at-once answers before it returns.
      const fields = ['-X', 'GET', '-H', 'Expect: 100-continue', '-H', 'Content-Type: application/x-scenario'];
      const targets = [`${url}/at-once`, `${url}/at-once`, `${url}/at-once`, url];
      const { responses } = await curl(['--ntlm', ...alice, ...fields, '--data-binary', 'a body', ...targets]);
      const statuses = responses.map(({ status }) => status);
      assert.equal(statuses.filter((status) => status === 401).length, 1, statuses.join(' '));
      assert.deepEqual(statuses.slice(-6), [100, 200, 100, 200, 100, 200]);
      assert.equal(server.handled(), 4);
    },
  },
];
