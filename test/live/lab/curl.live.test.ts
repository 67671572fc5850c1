import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import { curl } from '../../lab/curl.ts';
import { listen } from '../../lab/ports.ts';
import { tier } from '../../lab/tier.ts';

describe('curl as a client', await tier('curl'), () => {
  it('shows every response of a handshake, and the body of the last', async () => {
    await using server = await listen(
      createServer((request, response) => {
        if (request.headers.authorization === undefined) {
          response.writeHead(401, { 'WWW-Authenticate': ['Basic realm="a"', 'X-Other'], 'Content-Length': 0 }).end();
        } else {
          response.end(request.headers.authorization);
        }
      }),
    );
    const result = await curl(['--anyauth', '-u', 'alice:secret', server.origin]);
    assert.deepEqual(
      result.responses.map(({ status }) => status),
      [401, 200],
    );
    assert.deepEqual(result.responses[0]!.headers.get('www-authenticate'), ['Basic realm="a"', 'X-Other']);
    assert.equal(result.status, 200);
    assert.equal(result.body, `Basic ${Buffer.from('alice:secret').toString('base64')}`);
    assert.equal(result.exitCode, 0);
  });
});
