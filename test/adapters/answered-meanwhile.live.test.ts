/** An application that answers by itself while the verdict is awaited (a timeout of its own), against every adapter. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { curl } from '../lab/curl.ts';
import { tier } from '../lab/tier.ts';
import { accounts } from './scenarios.ts';
import { adapters } from './servers.ts';

const ready = await tier('curl');

for (const [adapter, start] of Object.entries(adapters)) {
  describe(`adapter ${adapter}, answered before the verdict`, ready, () => {
    for (const [verdict, settle] of Object.entries({
      yes: () => Promise.resolve(true),
      no: () => Promise.resolve(false),
      failure: () => Promise.reject(new Error('the directory is down')),
    })) {
      it(`${verdict}: the answer stands, no handler runs and nothing is thrown`, async () => {
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
        // The server goes on: the next request is judged as ever.
        assert.equal((await curl([`http://127.0.0.1:${server.port}/`])).status, 401);
      });
    }
  });
}
