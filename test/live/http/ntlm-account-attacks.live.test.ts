/** NTLM from nobody, from strangers and under odd names, and account sources that fail, through every adapter. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountSource } from '../../../src/accounts/account-source.ts';
import { adapters } from '../../adapters/servers.ts';
import { RawConnection } from '../../lab/raw-connection.ts';
import { tier } from '../../lab/tier.ts';
import {
  accounts,
  assertNothingLeft,
  begin,
  domain,
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

    attack('C20, C21: anonymous, and what is half of it', async ({ port }, refused) => {
      const none = new Uint8Array(0);
      const anonymous = 0x800;
      const flags = 0x60088235;
      for (const how of [
        { userName: '', domain: '', ntResponse: none, lmResponse: none },
        { userName: '', domain: '', ntResponse: none, lmResponse: Uint8Array.of(0) },
        { userName: '', domain: '', ntResponse: none, lmResponse: Uint8Array.of(0), flags: flags | anonymous },
        { userName: '' },
        { ntResponse: none, lmResponse: none },
        { ntResponse: none },
        { flags: flags | anonymous },
      ]) {
        await using connection = await RawConnection.open(port);
        refused(await signIn(connection, forgedTokens(how)), JSON.stringify(how));
        refused(await connection.exchange({}));
      }
    });

    attack('C22: nobody becomes Guest: unknown users, with and without a password', async ({ port }, refused) => {
      for (const [user, password] of [
        ['mallory', ''],
        ['mallory', users['alice']!],
        ['Guest', ''],
        ['Administrator', ''],
        ['alice', ''],
      ] as const) {
        await using connection = await RawConnection.open(port);
        refused(await signIn(connection, forgedTokens({ userName: user, password })), user);
        if (password === '') continue;
        using tokens = winprTokens(user, password);
        refused(await signIn(connection, tokens), user);
      }
    });

    attack(
      'C28: the account is the one of the UserName field, with the domain of its own field, or else of the name',
      async ({ port }, refused) => {
        for (const [how, expected] of [
          [{ domain: '' }, 'alice'],
          [{ domain: '.' }, 'alice'],
          [{ domain: 'lab' }, 'alice'],
          [{ userName: 'ALICE' }, 'alice'],
          [{ domain: 'EVIL' }, undefined],
          [{ domain: 'LAB\\EVIL' }, undefined],
          [{ userName: 'LAB\\alice', domain: '' }, 'alice'],
          [{ userName: 'alice@LAB', domain: '' }, 'alice'],
          [{ userName: 'EVIL\\alice', domain: '' }, undefined],
          [{ userName: 'alice@EVIL', domain: '' }, undefined],
          [{ userName: 'LAB\\alice' }, undefined],
          [{ userName: 'alice ', domain }, undefined],
          [{ userName: 'bob' }, undefined],
          [{ userName: '__proto__' }, undefined],
        ] as const) {
          await using connection = await RawConnection.open(port);
          const response = await signIn(connection, forgedTokens(how));
          if (expected === undefined) refused(response, JSON.stringify(how));
          else assert.equal(whoIs(response), expected);
        }
      },
      { handled: 6 },
    );

    attack(
      'G01: unknown user, wrong password, no token: the same bytes and the same connection',
      async ({ port }, refused) => {
        for (const [user, password] of [
          ['alice', 'wrong'],
          ['mallory', 'wrong'],
          ['a'.repeat(100), 'wrong'],
        ] as const) {
          await using connection = await RawConnection.open(port);
          for (let attempt = 0; attempt < 2; attempt++) {
            using tokens = winprTokens(user, password);
            refused(await signIn(connection, tokens), user);
          }
        }
      },
    );

    for (const [what, verifyNtlm] of Object.entries<NonNullable<AccountSource['verifyNtlm']>>({
      throws: () => {
        throw new Error('secret of the directory');
      },
      rejects: () => Promise.reject(new Error('secret of the directory')),
      'says yes without an account': () => ({ result: 'accepted' }) as never,
      'says true': () => true as never,
      'says nothing': () => undefined as never,
      'cannot ask': () => ({ result: 'unavailable', reason: 'away' }),
    })) {
      attack(
        `A21: a source that ${what} lets nobody in`,
        async ({ port }, refused) => {
          await using connection = await RawConnection.open(port);
          using tokens = winprTokens('alice');
          const response = await signIn(connection, tokens);
          if (what === 'cannot ask') assert.equal(response.status, 503);
          else refused(response);
          refused(await connection.exchange({}));
        },
        { more: { accounts: { description: 'broken', verifyNtlm } } },
      );
    }

    it('G10: the client goes away while its account source thinks', async () => {
      let answer: () => void = () => undefined;
      let asked: () => void = () => undefined;
      const thinking = new Promise<void>((resolve) => {
        asked = resolve;
      });
      const slow: AccountSource = {
        description: 'slow',
        verifyNtlm: (logon) =>
          new Promise((resolve) => {
            answer = () => resolve(accounts.verifyNtlm!(logon));
            asked();
          }),
      };
      await using server = await start({ ...options, accounts: slow });
      await using connection = await RawConnection.open(server.port);
      using tokens = winprTokens('alice');
      const challenge = await begin(connection, tokens);
      connection.send({ fields: [ntlmField(tokens.last(challenge))] }, {});
      await thinking;
      connection.socket.destroy();
      await assertNothingLeft(server);
      answer();
      await assertNothingLeft(server);
      assert.equal(server.handled(), 0);
    });
  });
}
