/** Bytes beside, behind and instead of the NTLM messages that belong there. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { adapters } from '../../adapters/servers.ts';
import { RawConnection } from '../../lab/raw-connection.ts';
import { tier } from '../../lab/tier.ts';
import { u32 } from '../../packages/ntlm/ntlm-client.ts';
import { sampleMessages } from '../../packages/ntlm/recorded-handshakes.ts';
import {
  assertNothingLeft,
  begin,
  challengeOf,
  forgedTokens,
  ntlmField,
  signIn,
  users,
  whoIs,
  winprTokens,
} from './clients.ts';
import { attackOn, options } from './ntlm-attack.ts';

const ready = await tier('winpr');

for (const [adapter, start] of Object.entries(adapters)) {
  describe(`NTLM attacks, ${adapter}`, ready, () => {
    const attack = attackOn(start);

    attack(
      'A04: bytes after the payload are legal, and covered by the MIC',
      async ({ port }, refused) => {
        await using connection = await RawConnection.open(port);
        const trailing = Uint8Array.of(1, 2, 3, 4);
        assert.equal(whoIs(await signIn(connection, forgedTokens({ trailing }))), 'alice');
        const tokens = forgedTokens({});
        const type3 = tokens.last(await begin(connection, tokens));
        refused(await connection.exchange({ fields: [ntlmField(Buffer.concat([type3, trailing]))] }));
      },
      { handled: 1 },
    );

    const logged: unknown[] = [];
    const keep = (...line: unknown[]): void => void logged.push(line);
    attack(
      'A09, G04: names that forge lines; the log has them escaped, and no token',
      async ({ port }, refused) => {
        const sent: string[] = [];
        for (const userName of ['al\r\nice', 'alice\0', 'alice\u001b[31m', 'ecila\u202e', '\u0085', 'x'.repeat(5000)]) {
          await using connection = await RawConnection.open(port);
          const tokens = forgedTokens({ userName, workstation: 'W\r\nX: y', domain: 'D\r\nX: y' });
          const type3 = ntlmField(tokens.last(await begin(connection, tokens)));
          sent.push(type3.slice(21));
          refused(await connection.exchange({ fields: [type3] }), JSON.stringify(userName));
        }
        const text = JSON.stringify(logged);
        assert.ok(logged.length >= 6);
        // What JSON itself escapes would be shown with a single backslash; ours is escaped before.
        // eslint-disable-next-line no-control-regex -- control characters are what is looked for
        assert.ok(!/[\u0000-\u001f\u007f-\u009f\u202e]|[^\\]\\[rnu](?!\\)/.test(text), text);
        for (const token of sent) assert.ok(!text.includes(token.slice(0, 40)));
        assert.ok(!text.includes(users['alice']!));
      },
      { more: { logger: { info: keep, warn: keep, error: keep, debug: keep } } },
    );

    attack(
      'A15: a body on each leg is never taken for a request',
      async ({ port }) => {
        await using connection = await RawConnection.open(port);
        using tokens = winprTokens('alice');
        const body = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(50);
        const post = { method: 'POST', body };
        const type = 'Content-Type: application/x-scenario';
        const asked = await connection.exchange({ ...post, fields: [type, ntlmField(tokens.first())] });
        const type3 = ntlmField(tokens.last(challengeOf(asked)));
        const response = await connection.exchange({ ...post, fields: [type, type3] });
        assert.equal(whoIs(response), 'alice');
        assert.equal((JSON.parse(response.body) as { bodyBytes: number }).bodyBytes, body.length);
        assert.equal(whoIs(await connection.exchange({})), 'alice');
      },
      { handled: 2 },
    );

    attack(
      'A16: 100 Continue on the legs of a handshake, and then only for the token that signs in',
      async ({ port }) => {
        const expect = ['Expect: 100-continue', 'Content-Length: 4', 'Content-Type: application/x-scenario'];
        const post = { method: 'POST', fields: expect };
        for (const password of ['wrong', users['alice']!]) {
          await using connection = await RawConnection.open(port);
          using tokens = winprTokens('alice', password);
          const first = await connection.exchange({ ...post, fields: [...expect, ntlmField(tokens.first())] });
          assert.equal(first.status, 100);
          connection.socket.write('body');
          const type3 = ntlmField(tokens.last(challengeOf(await connection.response())));
          const last = await connection.exchange({ ...post, fields: [...expect, type3] });
          if (password === 'wrong') {
            assert.equal(last.status, 401, 'at once, without the body');
            assert.equal(last.body, '401 Unauthorized\n');
            continue;
          }
          assert.equal(last.status, 100);
          connection.socket.write('body');
          assert.equal(whoIs(await connection.response()), 'alice');
        }
        await using connection = await RawConnection.open(port);
        assert.equal((await connection.exchange(post)).status, 401, 'without credentials');
      },
      { handled: 1 },
    );
  });
}

describe('A03: every prefix of every sample token, on keep-alive connections', ready, () => {
  it('lets nobody in, breaks nothing and leaves nothing', async () => {
    await using server = await adapters['node:http']!(options);
    await using connection = await RawConnection.open(server.port);
    let requests = 0;
    for (const { name, bytes } of sampleMessages()) {
      for (let length = 0; length <= bytes.byteLength; length++) {
        const attempt = { fields: [ntlmField(bytes.subarray(0, length))] };
        const type1 = { fields: [ntlmField(forgedTokens({}).first())] };
        // As a first token, and as the answer to a challenge.
        connection.send(attempt, type1, attempt);
        const [first, , second] = [
          await connection.response(),
          await connection.response(),
          await connection.response(),
        ];
        for (const response of [first, second]) {
          assert.equal(response.status, 401, `${name}, ${length} bytes`);
          assert.equal(response.body, '401 Unauthorized\n');
        }
        requests += 3;
      }
    }
    assert.ok(requests > 5000);
    assert.equal(server.handled(), 0);
    using tokens = winprTokens('alice');
    assert.equal(whoIs(await signIn(connection, tokens)), 'alice', 'the connection still works');
    await assertNothingLeft(server);
  });

  it('bits of a right type 3 flipped over HTTP: refused, or alice all the same', async () => {
    await using server = await adapters['node:http']!(options);
    await using connection = await RawConnection.open(server.port);
    const tokens = forgedTokens({ pairs: [[9, u32(0)]] });
    const length = tokens.last(await begin(connection, tokens)).byteLength;
    for (let at = 0; at < length; at++) {
      const type3 = tokens.last(await begin(connection, tokens));
      type3[at] = type3[at]! ^ 0x20;
      const response = await connection.exchange({ fields: [ntlmField(type3)] });
      if (response.status === 200) assert.equal(whoIs(response), 'alice', `byte ${at}`);
      else assert.equal(response.status, 401);
    }
    connection.socket.destroy();
    await assertNothingLeft(server);
  });
});
