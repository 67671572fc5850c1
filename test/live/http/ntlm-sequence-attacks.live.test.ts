/** NTLM messages out of their order, on the wrong connection, twice or all at once, through every adapter. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { adapters } from '../../adapters/servers.ts';
import { RawConnection } from '../../lab/raw-connection.ts';
import { tier } from '../../lab/tier.ts';
import { begin, forgedTokens, ntlmField, signIn, whoIs, winprTokens } from './clients.ts';
import { attackOn } from './ntlm-attack.ts';

const ready = await tier('winpr');

const patched = (token: Uint8Array, at: number, ...bytes: number[]): Uint8Array => {
  const copy = Uint8Array.from(token);
  copy.set(bytes, at);
  return copy;
};

for (const [adapter, start] of Object.entries(adapters)) {
  describe(`NTLM attacks, ${adapter}`, ready, () => {
    const attack = attackOn(start);

    attack(
      'none: WinPR signs in, and its connection with it',
      async ({ port }) => {
        await using connection = await RawConnection.open(port);
        using tokens = winprTokens('alice');
        assert.equal(whoIs(await signIn(connection, tokens)), 'alice');
        for (let count = 0; count < 3; count++) assert.equal(whoIs(await connection.exchange({})), 'alice');
      },
      { handled: 4 },
    );

    attack('C01: a type 3 as the first message', async ({ port }, refused) => {
      await using one = await RawConnection.open(port);
      await using other = await RawConnection.open(port);
      using tokens = winprTokens('alice');
      const type3 = tokens.last(await begin(one, tokens));
      refused(await other.exchange({ fields: [ntlmField(type3)] }));
      refused(await other.exchange({}));
    });

    attack('C02: a type 3 of another connection, whose challenge is spent by it', async ({ port }, refused) => {
      await using x = await RawConnection.open(port);
      await using y = await RawConnection.open(port);
      using victim = winprTokens('alice');
      using own = winprTokens('bob');
      const captured = victim.last(await begin(x, victim));
      const challenge = await begin(y, own);
      refused(await y.exchange({ fields: [ntlmField(captured)] }));
      refused(await y.exchange({ fields: [ntlmField(own.last(challenge))] }), 'the challenge of y was used up');
    });

    attack(
      'C03: a type 3 twice on its connection drops the identity',
      async ({ port }, refused) => {
        await using connection = await RawConnection.open(port);
        using tokens = winprTokens('alice');
        const type3 = ntlmField(tokens.last(await begin(connection, tokens)));
        assert.equal(whoIs(await connection.exchange({ fields: [type3] })), 'alice');
        refused(await connection.exchange({ fields: [type3] }));
        refused(await connection.exchange({}));
      },
      { handled: 1 },
    );

    attack(
      'C04: a type 1 drops the identity, a second one the challenge of the first',
      async ({ port }, refused) => {
        await using connection = await RawConnection.open(port);
        using alice = winprTokens('alice');
        assert.equal(whoIs(await signIn(connection, alice)), 'alice');
        using bob = winprTokens('bob');
        using again = winprTokens('bob');
        const first = await begin(connection, bob);
        const second = await begin(connection, again);
        assert.notDeepEqual(first.subarray(24, 32), second.subarray(24, 32), 'a challenge of its own');
        refused(await connection.exchange({ fields: [ntlmField(bob.last(first))] }));
        refused(await connection.exchange({}));
      },
      { handled: 1 },
    );

    attack('C05: a type 2, types that do not exist, another signature, on both legs', async ({ port }, refused) => {
      await using connection = await RawConnection.open(port);
      using tokens = winprTokens('alice');
      const type1 = tokens.first();
      const challenge = await begin(connection, forgedTokens({}));
      const forged = [
        challenge,
        ...[0, 4, 0xff].map((type) => patched(type1, 8, type)),
        patched(type1, 8, 0xff, 0xff, 0xff, 0xff),
        patched(type1, 7, 0x31),
        patched(type1, 0, 0x6e),
      ];
      for (const token of forged) {
        refused(await connection.exchange({ fields: [ntlmField(token)] }));
        await begin(connection, forgedTokens({}));
        refused(await connection.exchange({ fields: [ntlmField(token)] }));
      }
    });

    attack('A18: a request without credentials between type 2 and type 3', async ({ port, authenticator }, refused) => {
      await using connection = await RawConnection.open(port);
      using tokens = winprTokens('alice');
      const challenge = await begin(connection, tokens);
      assert.equal(authenticator.pendingHandshakes, 1);
      refused(await connection.exchange({}));
      assert.equal(authenticator.pendingHandshakes, 0);
      refused(await connection.exchange({ fields: [ntlmField(tokens.last(challenge))] }));
    });

    attack(
      'A12: pipelined: type 1 twice; type 3 twice; a request behind a type 3',
      async ({ port }, refused) => {
        await using connection = await RawConnection.open(port);
        using tokens = winprTokens('alice');
        const type1 = { fields: [ntlmField(tokens.first())] };
        connection.send(type1, type1);
        const challenges = [await connection.response(), await connection.response()];
        assert.notEqual(challenges[0]!.text, challenges[1]!.text);
        const type3 = { fields: [ntlmField(tokens.last(await begin(connection, forgedTokens({}))))] };
        connection.send(type3, type3, {});
        refused(await connection.response(), 'made of another type 1: the MIC is wrong');
        refused(await connection.response());
        refused(await connection.response());
        using right = winprTokens('alice');
        const last = { fields: [ntlmField(right.last(await begin(connection, right)))] };
        connection.send(last, {}, last, {});
        assert.equal(whoIs(await connection.response()), 'alice');
        assert.equal(whoIs(await connection.response()), 'alice');
        refused(await connection.response());
        refused(await connection.response());
      },
      { handled: 2 },
    );
  });
}
