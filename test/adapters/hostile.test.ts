/** Attacks over raw connections, against every adapter, with nothing but Node: framing, upgrades, methods, caches. */
import assert from 'node:assert/strict';
import { METHODS } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { RawConnection, requestText } from '../lab/raw-connection.ts';
import type { RawResponse } from '../lab/raw-connection.ts';
import { accounts, assertNothingLeft, begin, digestField, domain, forgedTokens, ntlmField } from './raw-clients.ts';
import { signIn, whoIs } from './raw-clients.ts';
import { behind, responsesUntilEnd, smuggling } from './smuggling.ts';
import { adapters } from './servers.ts';
import type { RunningServer, ScenarioOptions } from './servers.ts';

const ntlm: ScenarioOptions = { accounts, domain, schemes: ['NTLM'] };

/** `GET` without credentials is refused. */
async function assertNobody(server: RunningServer): Promise<void> {
  await using stranger = await RawConnection.open(server.port);
  assert.equal((await stranger.exchange({})).status, 401);
}

const upgrades: Readonly<Record<string, readonly string[]>> = {
  WebSocket: [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
  ],
  h2c: ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'],
};

for (const [adapter, start] of Object.entries(adapters)) {
  describe(`adapter ${adapter}, hostile clients`, () => {
    for (const [state, prepare] of [
      ['in the middle of a handshake', async (connection: RawConnection) => begin(connection, forgedTokens({}))],
      [
        'signed in',
        async (connection: RawConnection) => assert.equal(whoIs(await signIn(connection, forgedTokens({}))), 'alice'),
      ],
    ] as const) {
      it(`A10: requests of two framings end the connection, and nothing behind them has a user: ${state}`, async () => {
        await using server = await start(ntlm);
        // Only the fault may end the connection, and not Node for want of a next request.
        server.server.keepAliveTimeout = 0;
        for (const [what, bytes] of Object.entries(smuggling)) {
          await using connection = await RawConnection.open(server.port);
          await prepare(connection);
          const before = server.handled();
          const seen = new Set<string | undefined>();
          const note = ({ url }: IncomingMessage): void => void seen.add(url);
          server.server.on('request', note);
          connection.socket.write(Buffer.from(bytes, 'latin1'));
          const responses = await responsesUntilEnd(connection);
          server.server.off('request', note);
          const statuses = responses.map(({ status }) => status);
          // Node finds some faults only after the fields, when the request has its answer. It then ends the connection.
          const fault = statuses.at(-1) === 400 || (statuses.length === 1 && [200, 401].includes(statuses[0] ?? 0));
          assert.ok(fault, `${what}: ${statuses.join(' ')}`);
          assert.ok(!seen.has('/smuggled'), what);
          // The part before the fault may be a request of its own: the one of the signed-in user, and no other.
          assert.ok(server.handled() <= before + (state === 'signed in' ? 1 : 0), what);
          await assertNobody(server);
        }
        await assertNothingLeft(server);
      });
    }

    it('A10: what is whole before the fault is the user’s, what comes after it is nobody’s', async () => {
      await using server = await start(ntlm);
      server.server.keepAliveTimeout = 0;
      await using connection = await RawConnection.open(server.port);
      await signIn(connection, forgedTokens({}));
      const before = server.handled();
      connection.socket.write(Buffer.concat([requestText({}), Buffer.from(`BROKEN\r\n\r\n${behind}`)]));
      const statuses = (await responsesUntilEnd(connection)).map(({ status }) => status);
      assert.ok(
        statuses.every((status) => status === 200 || status === 400),
        statuses.join(' '),
      );
      assert.ok(server.handled() <= before + 1);
      await assertNothingLeft(server);
    });

    for (const [protocol, fields] of Object.entries(upgrades)) {
      it(`A14: an upgrade to ${protocol} is no way past the sign-in`, async () => {
        await using server = await start(ntlm);
        await using stranger = await RawConnection.open(server.port);
        assert.equal((await stranger.exchange({ fields })).status, 401);

        // In the middle of a handshake it is a request without credentials, which ends the handshake.
        await using negotiating = await RawConnection.open(server.port);
        const tokens = forgedTokens({});
        const challenge = await begin(negotiating, tokens);
        assert.equal((await negotiating.exchange({ fields })).status, 401);
        assert.equal((await negotiating.exchange({ fields: [ntlmField(tokens.last(challenge))] })).status, 401);
        assert.equal(server.handled(), 0);

        // On a leg it is not made either: what follows is read as HTTP, and is the user's own.
        await using leg = await RawConnection.open(server.port);
        const second = await begin(leg, tokens);
        assert.equal(whoIs(await leg.exchange({ fields: [...fields, ntlmField(tokens.last(second))] })), 'alice');
        assert.equal(whoIs(await leg.exchange({ fields })), 'alice');
        await leg[Symbol.asyncDispose]();
        await assertNothingLeft(server);
      });
    }

    it('A14: an application that upgrades ends what was pending on the connection with it', async () => {
      await using server = await start(ntlm);
      const { server: httpServer } = server;
      let upgraded = 0;
      httpServer.on('upgrade', (_request: IncomingMessage, socket) => {
        upgraded++;
        socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
      });
      const connection = await RawConnection.open(server.port);
      await begin(connection, forgedTokens({}));
      assert.equal(server.authenticator.pendingHandshakes, 1);
      assert.equal((await connection.exchange({ fields: upgrades['WebSocket'] ?? [] })).status, 401);
      await connection.ended();
      await connection[Symbol.asyncDispose]();
      assert.deepEqual([upgraded, server.handled()], [1, 0]);
      await assertNothingLeft(server);
    });

    it('A19: a preflight is refused as any request, and where it is let pass it has no user and signs nobody in or out', async () => {
      const preflight = {
        method: 'OPTIONS',
        fields: ['Origin: https://evil.example', 'Access-Control-Request-Method: DELETE'],
      };
      await using strict = await start(ntlm);
      await using refused = await RawConnection.open(strict.port);
      assert.equal((await refused.exchange(preflight)).status, 401);
      assert.equal(strict.handled(), 0);

      await using server = await start({ ...ntlm, skip: ({ method }) => method === 'OPTIONS' });
      await using connection = await RawConnection.open(server.port);
      assert.equal(whoIs(await connection.exchange(preflight)), null);
      assert.equal((await connection.exchange({ method: 'DELETE' })).status, 401);
      const tokens = forgedTokens({});
      const challenge = await begin(connection, tokens);
      assert.equal(whoIs(await connection.exchange(preflight)), null);
      assert.equal(whoIs(await connection.exchange({ fields: [ntlmField(tokens.last(challenge))] })), 'alice');
      assert.equal(whoIs(await connection.exchange(preflight)), null);
      assert.equal(whoIs(await connection.exchange({ method: 'DELETE' })), 'alice');
      // A method in a field is not the method.
      const override = ['X-HTTP-Method-Override: OPTIONS', 'X-HTTP-Method: OPTIONS', 'X-Method-Override: OPTIONS'];
      await using other = await RawConnection.open(server.port);
      assert.equal((await other.exchange({ method: 'DELETE', fields: override })).status, 401);
    });

    it('A20: a request of another site over a signed-in connection can be told by its fields, and be refused', async () => {
      const sameSite = ({ headers, method }: IncomingMessage): boolean =>
        method === 'GET' || headers['sec-fetch-site'] === undefined || headers['sec-fetch-site'] === 'same-origin';
      await using server = await start({ ...ntlm, authorize: (_user, request) => sameSite(request) });
      await using connection = await RawConnection.open(server.port);
      const post = (site: string): Promise<RawResponse> =>
        connection.exchange({
          method: 'POST',
          fields: [`Sec-Fetch-Site: ${site}`, 'Content-Type: application/x-scenario'],
          body: 'x',
        });
      assert.equal(
        (JSON.parse((await signIn(connection, forgedTokens({}))).body) as { scheme: string }).scheme,
        'NTLM',
      );
      const handled = server.handled();
      assert.equal((await post('cross-site')).status, 403);
      assert.equal((await post('same-site')).status, 403);
      assert.equal(server.handled(), handled);
      assert.equal((await post('same-origin')).status, 200);
    });

    it('A22: every method that Node knows is as protected as GET, and others are no request', async () => {
      await using server = await start(ntlm);
      for (const method of METHODS) {
        if (method === 'CONNECT') continue; // Node closes the connection, unless the application listens for it.
        await using connection = await RawConnection.open(server.port);
        assert.equal((await connection.exchange({ method })).status, 401, method);
      }
      for (const method of ['FOO', 'get', 'GETS', 'TRACEROUTE', '']) {
        await using connection = await RawConnection.open(server.port);
        assert.equal((await connection.exchange({ method })).status, 400, method);
        await connection.ended();
      }
      await using connect = await RawConnection.open(server.port);
      connect.send({ method: 'CONNECT', target: 'localhost:1' });
      await connect.ended();
      assert.equal(server.handled(), 0);
    });

    it('A22: no answer of the library’s own repeats a field of the request, TRACE neither', async () => {
      await using server = await start({ ...ntlm, schemes: ['NTLM', 'Digest'] });
      for (const method of ['TRACE', 'GET', 'POST', 'OPTIONS']) {
        for (const authorization of [
          'Basic c2VjcmV0OnNlY3JldA==',
          'NTLM c2VjcmV0',
          'Digest c2VjcmV0',
          'c2VjcmV0OnNlY3JldA==',
        ]) {
          await using connection = await RawConnection.open(server.port);
          const fields = [`Authorization: ${authorization}`, 'X-Secret: c2VjcmV0'];
          const { status, text } = await connection.exchange({ method, target: '/c2VjcmV0', fields });
          assert.ok(status === 400 || status === 401, `${method} ${status}`);
          assert.ok(!text.includes('c2VjcmV0'), text);
        }
      }
      assert.equal(server.handled(), 0);
    });

    it('A23: no cache keeps an answer of the library’s own', async () => {
      await using server = await start({ ...ntlm, schemes: ['NTLM', 'Digest'], authorize: () => false });
      await using connection = await RawConnection.open(server.port);
      const tokens = forgedTokens({});
      const asked = await connection.exchange({});
      const answers = [
        asked,
        await connection.exchange({ fields: ['Authorization: Digest x'] }),
        await connection.exchange({ fields: ['Authorization: NTLM x'] }),
        await connection.exchange({ fields: [ntlmField(tokens.first())] }),
        await connection.exchange({ fields: [digestField(asked)] }),
        await signIn(connection, tokens),
        await connection.exchange({}),
      ];
      assert.deepEqual(
        answers.map(({ status, headers }) => [status, headers.get('cache-control')]),
        [401, 400, 401, 401, 403, 403, 403].map((status) => [status, ['no-store']]),
      );
    });

    it('A23: an answer to credentials, or to who came without any, is no answer to others', async () => {
      await using server = await start({
        ...ntlm,
        schemes: ['NTLM', 'Digest'],
        anonymous: true,
        skip: ({ url }) => url === '/open',
      });
      await using connection = await RawConnection.open(server.port);
      const varies = async (response: RawResponse | Promise<RawResponse>): Promise<string | undefined> => {
        const { status, headers } = await response;
        assert.equal(status, 200);
        return headers.get('vary')?.join(', ');
      };
      assert.equal(await varies(connection.exchange({})), 'Authorization');
      assert.equal(await varies(connection.exchange({ target: '/open' })), undefined);
      const asked = await connection.exchange({ fields: ['Authorization: Basic YTpi'] });
      assert.equal(await varies(connection.exchange({ fields: [digestField(asked)] })), 'Authorization');
      // Through a proxy, where a shared cache may be, every request has credentials of its own.
      const proxied = { fields: ['Via: 1.1 cache'] };
      assert.equal(await varies(signIn(connection, forgedTokens({}), proxied)), 'Authorization');
      assert.equal(whoIs(await connection.exchange(proxied)), null);
    });
  });
}
