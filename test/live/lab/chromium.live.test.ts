import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import { launchChromium } from '../../lab/chromium.ts';
import { listen } from '../../lab/ports.ts';
import { tier } from '../../lab/tier.ts';

describe('Chromium as a client', await tier('browsers'), () => {
  it('types credentials into the prompt, in a context without memory', async () => {
    await using server = await listen(
      createServer((request, response) => {
        if (request.headers.authorization === undefined) {
          response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="a"' }).end('who?');
        } else {
          response.end(`${request.url ?? ''} ${request.headers.authorization}`);
        }
      }),
    );
    const url = `http://localhost:${server.port}/`;
    const expected = `Basic ${Buffer.from('alice:secret').toString('base64')}`;
    await using browser = await launchChromium();
    const credentials = { username: 'alice', password: 'secret' };
    const signedIn = await browser.visit(url, { credentials });
    assert.equal(signedIn.status, 200);
    assert.equal(signedIn.body, `/ ${expected}`);
    assert.equal((await browser.visit(url, { credentials, then: ['/next'] })).body, `/next ${expected}`);
    assert.equal((await browser.visit(url)).status, 401);
  });
});
