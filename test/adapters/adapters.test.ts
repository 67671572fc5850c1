/** Scenarios that one request decides, against every adapter, with nothing but Node; the others are in scenarios.ts. */
import assert from 'node:assert/strict';
import { channel } from 'node:diagnostics_channel';
import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, it } from 'node:test';
import request from 'supertest';
import { accounts } from './scenarios.ts';
import { sspiAuth as expressSspiAuth } from '../../adapters/express.ts';
import { sspiAuth as nodeSspiAuth } from '../../adapters/node.ts';
import { liveHandles } from '../../src/sspi/index.ts';
import { adapters } from './servers.ts';
import type { ScenarioOptions } from './servers.ts';

interface SingleRequest {
  readonly name: string;
  readonly options?: ScenarioOptions;
  readonly method?: 'get' | 'head' | 'options' | 'post' | 'put' | 'trace' | 'patch' | 'delete';
  readonly target?: string;
  readonly authorization?: string;
  readonly status: number;
  /** Whether the handler ran. */
  readonly handled: boolean;
}

const table: readonly SingleRequest[] = [
  { name: 'no credentials', status: 401, handled: false },
  { name: 'no credentials, POST', method: 'post', status: 401, handled: false },
  { name: 'A22: HEAD is as protected as GET', method: 'head', status: 401, handled: false },
  { name: 'A22: PUT is as protected as GET', method: 'put', status: 401, handled: false },
  { name: 'A19: OPTIONS is no way round', method: 'options', status: 401, handled: false },
  { name: 'A01: NTLM without a token', authorization: 'NTLM', status: 401, handled: false },
  { name: 'C01: a type 3 as the first token', authorization: 'NTLM TlRMTVNTUAADAAAA', status: 401, handled: false },
  {
    name: 'A08: a scheme that is not offered',
    authorization: 'Basic YWxpY2U6V29uZGVybGFuZC03',
    status: 401,
    handled: false,
  },
  { name: 'A07: a list of credentials', authorization: 'NTLM AAAA, Basic YTpi', status: 400, handled: false },
  { name: 'E04: Digest without its parameters', authorization: 'Digest username="alice"', status: 400, handled: false },
  { name: 'anonymous', options: { accounts, anonymous: true }, status: 200, handled: true },
  {
    name: 'anonymous, but with wrong credentials',
    options: { accounts, anonymous: true },
    authorization: 'NTLM AAAA',
    status: 401,
    handled: false,
  },
  {
    name: 'skip',
    options: { accounts, skip: ({ url }) => url === '/health' },
    target: '/health',
    status: 200,
    handled: true,
  },
  {
    name: 'skip, of another path',
    options: { accounts, skip: ({ url }) => url === '/health' },
    target: '/health/../secret',
    status: 401,
    handled: false,
  },
];

for (const [adapter, start] of Object.entries(adapters)) {
  describe(`adapter ${adapter}, one request`, () => {
    for (const {
      name,
      options = { accounts },
      method = 'get',
      target = '/',
      authorization,
      status,
      handled,
    } of table) {
      it(`${name}: ${status}`, async () => {
        await using server = await start(options);
        const sent = request(`http://127.0.0.1:${server.port}`)[method](target);
        const response = await (authorization === undefined ? sent : sent.set('Authorization', authorization));
        assert.equal(response.status, status);
        assert.equal(server.handled(), handled ? 1 : 0);
        if (status === 401) {
          assert.match(String(response.headers['www-authenticate']), /NTLM/);
          assert.equal(response.headers['cache-control'], 'no-store');
        }
      });
    }
  });
}

describe('Node’s word of each request (A16)', () => {
  it('is listened to until an adapter knows its server, or is closed: no request pays for it after that', () => {
    const requestStart = channel('http.server.request.start');
    for (const sspiAuth of [expressSspiAuth, nodeSspiAuth]) {
      for (const end of ['attach', 'close'] as const) {
        assert.equal(requestStart.hasSubscribers, false, 'nobody is left of those before');
        const [auth, other] = [sspiAuth({ accounts }), sspiAuth({ accounts })];
        assert.equal(requestStart.hasSubscribers, true);
        for (let times = 0; times < 2; times++) {
          if (end === 'attach') auth.attach(createServer());
          else auth.close();
          assert.equal(requestStart.hasSubscribers, true, 'the other one does not know its server');
        }
        other.close();
        assert.equal(requestStart.hasSubscribers, false);
        auth.close();
      }
    }
  });
});

describe('what an adapter has beside its listener', () => {
  for (const [name, sspiAuth] of Object.entries({ expressSspiAuth, nodeSspiAuth })) {
    it(`${name}: attach holds back 100 Continue, close frees the credentials`, () => {
      const before = liveHandles();
      const auth = sspiAuth({ accounts });
      assert.ok(liveHandles().credentials > before.credentials);
      const server = createServer();
      auth.attach(server);
      assert.equal(server.listenerCount('checkContinue'), 1);
      auth.close();
      assert.deepEqual(liveHandles(), before);
    });
  }
});

describe('what is called wrongly says how to call it', () => {
  const message = new IncomingMessage(new Socket());
  const response = new ServerResponse(message);
  const call = (given: unknown, ...values: readonly unknown[]): unknown =>
    (given as (...values: readonly unknown[]) => unknown)(...values);

  it('app.use(sspiAuth) and createServer(sspiAuth), at their first request', () => {
    for (const sspiAuth of [expressSspiAuth, nodeSspiAuth]) {
      assert.throws(() => call(sspiAuth, message, response), /is a request\. Call sspiAuth\(\) and use its result/);
    }
  });

  it('createServer(sspiAuth({ accounts })) and protect() without a listener', () => {
    const protect = nodeSspiAuth({ accounts });
    assert.throws(() => call(protect, message, response), /Give a request listener: createServer\(protect\(/);
    assert.throws(() => call(protect), /"listener" is not a function/);
    protect.close();
  });
});
