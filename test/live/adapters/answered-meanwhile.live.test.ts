/** What happens while a result is awaited, against every adapter: an application that answers by itself, a client that waits. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { curl } from '../../lab/curl.ts';
import { tier } from '../../lab/tier.ts';
import { accounts } from '../../adapters/scenarios.ts';
import { adapters } from '../../adapters/servers.ts';

const ready = await tier('curl');

for (const [adapter, start] of Object.entries(adapters)) {
  describe(`adapter ${adapter}, answered before the result`, ready, () => {
    for (const [result, settle] of Object.entries({
      yes: () => Promise.resolve(true),
      no: () => Promise.resolve(false),
      failure: () => Promise.reject(new Error('the directory is down')),
    })) {
      it(`${result}: the answer stands, no handler runs and nothing is thrown`, async () => {
        const responses = new WeakMap<object, ServerResponse>();
        let asked = 0;
        await using server = await start({
          accounts,
          async authorize(_user, message) {
            asked++;
            const response = responses.get(message);
            assert.ok(response !== undefined);
            response.writeHead(503).end('too late');
            await once(response, 'finish');
            return settle();
          },
        });
        server.server.prependListener('request', (message: object, response: ServerResponse) => {
          responses.set(message, response);
        });
        const answer = await curl(['--ntlm', '-u', 'alice:Wonderland-7', `http://127.0.0.1:${server.port}/`]);
        assert.equal(answer.status, 503);
        assert.equal(answer.body, 'too late');
        assert.equal(asked, 1);
        assert.equal(server.handled(), 0);
        // The server goes on: the next request is verified as ever.
        assert.equal((await curl([`http://127.0.0.1:${server.port}/`])).status, 401);
      });
    }

    it('begun and ended after a no: the answer is the application’s, and nothing is thrown', async () => {
      const responses = new WeakMap<object, ServerResponse>();
      await using server = await start({
        accounts,
        authorize(_user, message) {
          const response = responses.get(message);
          response?.writeHead(503).write('begun, ');
          setImmediate(() => response?.end('ended'));
          return Promise.resolve(false);
        },
      });
      server.server.prependListener('request', (message: object, response: ServerResponse) => {
        responses.set(message, response);
      });
      const answer = await curl(['--ntlm', '-u', 'alice:Wonderland-7', `http://127.0.0.1:${server.port}/`]);
      assert.deepEqual([answer.status, answer.body], [503, 'begun, ended']);
      assert.equal(server.handled(), 0);
      assert.equal((await curl([`http://127.0.0.1:${server.port}/`])).status, 401);
    });
  });

  describe(`adapter ${adapter}, a result that is waited for`, ready, () => {
    for (const [allowed, statuses] of [
      [true, [401, 100, 200]],
      [false, [401, 403]],
    ] as const) {
      it(`A16: Expect: 100-continue is answered by it: ${statuses.join(', ')}`, async () => {
        await using server = await start({
          accounts,
          schemes: ['Digest'],
          authorize: async () => {
            await turn();
            return allowed;
          },
        });
        const expect = ['-H', 'Expect: 100-continue', '-H', 'Content-Type: application/x-scenario'];
        const { responses } = await curl([
          ...['--digest', '-u', 'alice:Wonderland-7', ...expect],
          ...['--data-binary', 'a body', `http://127.0.0.1:${server.port}/`],
        ]);
        assert.deepEqual(
          responses.map(({ status }) => status),
          statuses,
        );
        assert.equal(server.handled(), allowed ? 1 : 0);
      });
    }
  });
}
