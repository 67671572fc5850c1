/** Many connections: handshakes that are given up, and users that must never be taken for one another. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { memoryAccounts } from '../../../src/index.ts';
import { adapters } from '../../adapters/servers.ts';
import { requestText, RawConnection } from '../../lab/raw-connection.ts';
import type { RawResponse } from '../../lab/raw-connection.ts';
import { matrixRows } from '../../lab/matrix.ts';
import { tier } from '../../lab/tier.ts';
import {
  accounts,
  assertNothingLeft,
  begin,
  digestField,
  domain,
  forgedTokens,
  ntlmField,
  whoIs,
  winprTokens,
} from './clients.ts';

const ready = await tier('winpr');
const type1 = { fields: [ntlmField(forgedTokens({}).first())] };

/** What differs here is whether a framework stands between. */
const rows = matrixRows(Object.entries(adapters), ([name]) => (name === 'node:http' ? name : 'a framework'));

describe('A17: 10 000 handshakes are given up', ready, () => {
  for (const [adapter, start] of rows) {
    it(`by FIN, RST, a new request, a new handshake and silence: ${adapter}`, async () => {
      const idleLimit = 200;
      await using server = await start({
        ...{ accounts, domain, schemes: ['NTLM'] },
        limits: { handshakeMilliseconds: 60_000, pendingHandshakes: idleLimit },
      });
      const count = 10_000 / Object.keys(adapters).length;
      let begun = 0;
      const idle: Socket[] = [];
      const abandon = async (how: number): Promise<void> => {
        const socket = connect(server.port, '127.0.0.1');
        socket.setNoDelay(true);
        socket.on('error', () => undefined);
        await once(socket, 'connect');
        socket.write(requestText(type1));
        const [chunk] = (await once(socket, 'data')) as [Buffer];
        assert.match(chunk.toString('latin1'), /^HTTP\/1\.1 401 [^]*WWW-Authenticate: NTLM TlRMTVNTUAAC/i);
        begun++;
        switch (how % 5) {
          case 0:
            socket.end();
            await once(socket.resume(), 'close');
            return;
          case 1:
            socket.resetAndDestroy();
            return;
          case 2:
            socket.write(requestText({}));
            await once(socket, 'data');
            idle.push(socket);
            return;
          case 3:
            socket.write(requestText(type1));
            await once(socket, 'data');
            begun++;
            socket.destroy();
            return;
          default:
            idle.push(socket);
        }
      };
      for (let index = 0; index < count;) {
        await Promise.all(Array.from({ length: 50 }, () => abandon(index++)));
        assert.ok(server.authenticator.pendingHandshakes <= idleLimit);
        // Those that were silent and have given way to newer ones need not stay.
        for (const socket of idle.splice(0, Math.max(0, idle.length - 2 * idleLimit))) socket.destroy();
      }
      assert.ok(begun >= count);
      for (const socket of idle) socket.destroy();
      await assertNothingLeft(server);
      assert.equal(server.handled(), 0);
    });
  }

  it('by silence alone: the deadline gives them up', async () => {
    await using server = await adapters['node:http']!({
      ...{ accounts, domain, schemes: ['NTLM'] },
      limits: { handshakeMilliseconds: 50 },
    });
    const connections = await Promise.all(Array.from({ length: 300 }, () => RawConnection.open(server.port)));
    await Promise.all(connections.map(async (connection) => begin(connection, forgedTokens({}))));
    const [last] = connections.slice(-1);
    while (server.authenticator.pendingHandshakes > 0) await turn();
    await assertNothingLeft(server);
    const late = await last!.exchange({ fields: [ntlmField(forgedTokens({}).first())] });
    assert.equal(late.status, 401, 'the connection itself is still good');
    await Promise.all(connections.map(async (connection) => connection[Symbol.asyncDispose]()));
    await assertNothingLeft(server);
  });
});

/** What a client of the crowd may do next; the numbers pick. */
type Deed = 'request' | 'pipeline' | 'sign in' | 'sign in as another' | 'wrong password' | 'half' | 'digest' | 'abort';
const deeds: readonly Deed[] = [
  ...['request', 'request', 'request', 'pipeline', 'pipeline', 'sign in'],
  ...['sign in as another', 'wrong password', 'half', 'digest', 'abort'],
] as Deed[];

describe('200 keep-alive connections of 50 users', ready, () => {
  const names = Array.from({ length: 50 }, (_, index) => `user${index}`);
  const passwordOf = (name: string): string => `password of ${name}`;
  const crowd = memoryAccounts(names.map((userName) => ({ userName, domain, password: passwordOf(userName) })));

  for (const [adapter, start] of rows) {
    // Waiting for a result is the harder case; once is enough for the other.
    for (const later of adapter === 'node:http' ? [false, true] : [true]) {
      it(`never show one user as another: ${adapter}, accounts verified ${later ? 'later' : 'at once'}`, async () => {
        const verified = <L, V>(verify: (logon: L) => V | Promise<V>) =>
          later ? async (logon: L): Promise<V> => turn().then(() => verify(logon)) : verify;
        const source = {
          description: 'crowd',
          verifyNtlm: verified((logon: Parameters<NonNullable<typeof crowd.verifyNtlm>>[0]) =>
            crowd.verifyNtlm!(logon),
          ),
          verifyDigest: verified((logon: Parameters<NonNullable<typeof crowd.verifyDigest>>[0]) =>
            crowd.verifyDigest!(logon),
          ),
        };
        await using server = await start({ accounts: source, domain, schemes: ['NTLM', 'Digest'] });
        let answered = 0;

        /** One connection and whom it belongs to, as its client knows it: what every answer is held against. */
        const client = async (index: number, picks: readonly number[]): Promise<void> => {
          let connection = await RawConnection.open(server.port);
          let owner: string | undefined;
          const check = (response: RawResponse, expected: string | undefined, why: string): void => {
            answered++;
            if (expected === undefined) assert.equal(response.status, 401, why);
            else assert.equal(whoIs(response), expected, why);
          };
          const handshake = async (name: string, password = passwordOf(name)): Promise<void> => {
            using tokens = winprTokens(name, password);
            const challenge = await begin(connection, tokens);
            owner = undefined;
            // A request on its heels: it waits for the result and is then of the same user.
            connection.send({ fields: [ntlmField(tokens.last(challenge))] }, { target: '/heels' });
            const expected = password === passwordOf(name) ? name : undefined;
            check(await connection.response(), expected, 'sign-in');
            check(await connection.response(), expected, 'on its heels');
            owner = expected;
          };
          for (const pick of [5, ...picks]) {
            const name = names[(index + pick) % names.length]!;
            const deed = deeds[pick % deeds.length]!;
            switch (deed) {
              case 'request':
                check(await connection.exchange({ target: `/${pick}` }), owner, deed);
                break;
              case 'pipeline':
                connection.send(
                  { target: '/1' },
                  { method: 'POST', target: '/2', fields: ['Content-Type: application/x-scenario'], body: 'x' },
                  { target: '/3' },
                );
                for (let count = 0; count < 3; count++) check(await connection.response(), owner, deed);
                break;
              case 'sign in':
                await handshake(names[index % names.length]!);
                break;
              case 'sign in as another':
                await handshake(name);
                break;
              case 'wrong password':
                await handshake(name, 'wrong');
                break;
              case 'half': {
                await begin(connection, forgedTokens({}));
                owner = undefined;
                check(await connection.exchange({}), undefined, deed);
                break;
              }
              case 'digest': {
                owner = undefined;
                const asked = await connection.exchange({ fields: ['Authorization: Basic eDp4'] });
                const field = digestField(asked, { userName: name, password: passwordOf(name) });
                connection.send({ fields: [field] }, {});
                check(await connection.response(), name, deed);
                check(await connection.response(), undefined, 'after Digest');
                break;
              }
              case 'abort': {
                // Half a request, or a sign-in whose answer nobody waits for.
                if (pick % 2 === 0)
                  connection.socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx');
                else {
                  using tokens = winprTokens(name, passwordOf(name));
                  connection.send({ fields: [ntlmField(tokens.last(await begin(connection, tokens)))] });
                }
                await connection[Symbol.asyncDispose]();
                connection = await RawConnection.open(server.port);
                owner = undefined;
                break;
              }
            }
          }
          await connection[Symbol.asyncDispose]();
        };

        const [plan] = fc.sample(
          fc.array(fc.array(fc.nat(10_000), { minLength: 8, maxLength: 8 }), { minLength: 200, maxLength: 200 }),
          {
            seed: 7478,
            numRuns: 1,
          },
        );
        await Promise.all(plan!.map(async (picks, index) => client(index, picks)));
        assert.ok(answered > 2000, `${answered} answers were held against their connection`);
        await assertNothingLeft(server);
      });
    }
  }
});
