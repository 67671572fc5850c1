/** Requests that lack what node:http gives: those of tests with mocks, and of serverless platforms. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { sspiAuth as expressSspiAuth } from '../../adapters/express.ts';
import { sspiAuth as nodeSspiAuth } from '../../adapters/node.ts';
import type { Exchange } from '../../src/http/exchange.ts';
import type { Outcome } from '../../src/http/outcome.ts';
import { memoryAccounts } from '../../src/index.ts';
import * as Sspi from '../../src/sspi/index.ts';
import { FakeSocket, field, first, later, scripted, userOf, usualScript } from './scripted-authenticator.ts';
import type { Script } from './scripted-package.ts';

const digest: Script = {
  '': { status: Sspi.SEC_I_CONTINUE_NEEDED, output: 'nonce="1"' },
  right: {},
  slow: { waits: true },
};

/** A request without a socket. */
function mock(authorization?: string): Exchange {
  const rawHeaders = authorization === undefined ? [] : ['Authorization', authorization];
  return { method: 'GET', url: '/', rawHeaders, httpVersionMajor: 1 } as unknown as Exchange;
}

describe('a request without a connection', () => {
  const s = scripted(usualScript, {}, digest);
  const ask = (exchange: Exchange): Outcome | Promise<Outcome> =>
    s.authenticator.authenticate(exchange, '/', undefined);

  it('is offered and verified by what is bound to a request', async () => {
    const asked = ask(mock()) as Outcome;
    assert.equal(asked.type, 'challenge');
    assert.deepEqual(field(asked, 'WWW-Authenticate'), ['Digest nonce="1"']);
    assert.equal(userOf(ask(mock('Digest right'))), 'LAB\\alice');
    const slow = ask(mock('Digest slow'));
    s.digest.settle();
    assert.equal(userOf(await slow), 'LAB\\alice');
    assert.equal((ask(mock()) as Outcome).type, 'challenge', 'nothing stays of it');
    assert.deepEqual([s.digest.live, s.authenticator.pendingHandshakes], [0, 0]);
  });

  it('is refused where it brings a token of a handshake, which nothing could continue', () => {
    for (const token of [first('hello'), later('right')]) {
      const outcome = ask(mock(token)) as Outcome;
      assert.equal('status' in outcome && outcome.status, 401);
      assert.equal(s.log.at(-1)?.record['reason'], 'scheme-not-offered');
      assert.equal(s.log.at(-1)?.record['peer'], undefined);
    }
    assert.deepEqual(s.package.asked, []);
  });

  it('may be skipped, anonymous or forbidden', async () => {
    const skipping = scripted(usualScript, { skip: () => true });
    assert.equal((await skipping.authenticator.authenticate(mock(), '/', undefined)).type, 'anonymous');
    const open = scripted(usualScript, { anonymous: true });
    assert.equal((await open.authenticator.authenticate(mock(), '/', undefined)).type, 'anonymous');
    for (const authorize of [() => false, async () => Promise.resolve(false)]) {
      const strict = scripted(usualScript, { authorize }, digest);
      const outcome = await strict.authenticator.authenticate(mock('Digest right'), '/', undefined);
      assert.equal('status' in outcome && outcome.status, 403);
    }
  });

  it('that is none at all gives an outcome, lets nobody in and is logged', async () => {
    const odd = scripted(usualScript, {}, digest);
    for (const given of [
      undefined,
      null,
      {},
      { socket: null },
      { socket: new FakeSocket() },
      { socket: 'a' },
      'GET /',
    ]) {
      const outcome = await odd.authenticator.authenticate(given as unknown as Exchange, '/', undefined);
      assert.ok(outcome.type === 'refused' || outcome.type === 'challenge', JSON.stringify(given));
    }
    assert.ok(odd.log.some(({ level, record }) => level === 'error' && record['where'] === 'reading a request'));
  });
});

describe('an adapter that is given a mock of a request', () => {
  const accounts = memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]);
  const bare = { method: 'GET', url: '/', headers: {}, rawHeaders: [], httpVersionMajor: 1 };

  it('answers 401, and throws nothing', () => {
    const express = expressSspiAuth({ accounts });
    const protect = nodeSspiAuth({ accounts });
    const notReached = (): never => assert.fail('nobody gets in');
    for (const run of [
      (response: ServerResponse) => void express({ ...bare } as never, response as never, notReached),
      (response: ServerResponse) => protect(notReached)({ ...bare } as never, response),
    ]) {
      const fields: Record<string, unknown> = {};
      let body = '';
      const response = {
        statusCode: 200,
        setHeader: (name: string, value: unknown) => void (fields[name] = value),
        end: (text: string) => void (body = text),
      };
      run(response as unknown as ServerResponse);
      assert.equal(response.statusCode, 401);
      assert.match(String(fields['WWW-Authenticate']), /Digest/);
      assert.equal(body, '401 Unauthorized\n');
    }
    express.close();
    protect.close();
  });
});
