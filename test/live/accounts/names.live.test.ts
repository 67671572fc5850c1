/** The ways in which people write who they are, through curl: NetBIOS and DNS names, before and behind the user. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryAccounts } from '../../../src/index.ts';
import { adapters } from '../../adapters/servers.ts';
import type { Answer } from '../../adapters/servers.ts';
import { curl } from '../../lab/curl.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('curl');

const accounts = memoryAccounts([
  { userName: 'alice', domain: 'CORP', password: 'Wonderland-7', userPrincipalName: 'a.liddell@uk.corp.example' },
  { userName: 'alice', domain: 'OTHER', password: 'Wonderland-7' },
]);

describe('names of users, as curl sends them', ready, () => {
  for (const scheme of ['NTLM', 'Digest'] as const) {
    for (const [name, user] of [
      [String.raw`CORP\alice`, String.raw`CORP\alice`],
      [String.raw`corp.example\alice`, String.raw`CORP\alice`],
      [String.raw`Corp.Example\ALICE`, String.raw`CORP\alice`],
      [String.raw`uk.corp.example\alice`, String.raw`CORP\alice`],
      ['alice@CORP', String.raw`CORP\alice`],
      ['alice@corp.example', String.raw`CORP\alice`],
      ['a.liddell@uk.corp.example', String.raw`CORP\alice`],
      [String.raw`OTHER\alice`, String.raw`OTHER\alice`],
      ['alice@OTHER', String.raw`OTHER\alice`],
      ['alice', undefined],
      [String.raw`EVIL\alice`, undefined],
      ['alice@evil.example', undefined],
      ['a.liddell', undefined],
    ] as const) {
      it(`C28: ${name} by ${scheme}: ${user ?? 'refused'}`, async () => {
        await using server = await adapters['node:http']!({
          accounts,
          domain: 'CORP',
          dnsDomain: 'corp.example',
          schemes: [scheme],
        });
        const ask = (password: string): ReturnType<typeof curl> =>
          curl([`--${scheme.toLowerCase()}`, '-u', `${name}:${password}`, `http://127.0.0.1:${server.port}/`]);
        const { status, body } = await ask('Wonderland-7');
        assert.equal(status, user === undefined ? 401 : 200);
        if (user !== undefined) assert.equal((JSON.parse(body) as Answer).name, user);
        assert.equal((await ask('wrong')).status, 401);
      });
    }
  }
});
