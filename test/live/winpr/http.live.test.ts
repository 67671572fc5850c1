/** WinPR behind Express: sign-in over HTTP by a client on WinPR's own InitializeSecurityContextW, and what is refused. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { liveNativeHandles } from '../../../src/native/secur32/index.ts';
import { ASC_RET_INTEGRITY, liveHandles } from '../../../src/sspi/index.ts';
import { adapters } from '../../adapters/servers.ts';
import type { Answer, ScenarioOptions } from '../../adapters/servers.ts';
import { RawConnection } from '../../lab/raw-connection.ts';
import type { RawResponse } from '../../lab/raw-connection.ts';
import { tier } from '../../lab/tier.ts';
import {
  canEnterWinprNamespace,
  enterWinprNamespace,
  winprAccounts,
  WinprClient,
  winprLibrary,
} from '../../lab/winpr.ts';
import type { WinprIdentity } from '../../lab/winpr.ts';

const ready = await tier('winpr', [], canEnterWinprNamespace);
if (ready.skip === false) enterWinprNamespace();

const alice: WinprIdentity = { user: 'alice', ...winprAccounts.alice };
const start = (options: ScenarioOptions = {}): ReturnType<(typeof adapters)[string]> =>
  adapters['Express 5']!({ provider: 'secur32', library: winprLibrary, ...options });

const authorization = (scheme: string, token: Uint8Array): string =>
  `Authorization: ${scheme} ${Buffer.from(token).toString('base64')}`;

/** The token a 401 gives, if it gives one. */
function tokenOf(response: RawResponse, scheme: string): Buffer | undefined {
  const field = response.headers.get('www-authenticate')?.find((value) => value.startsWith(`${scheme} `));
  return field === undefined ? undefined : Buffer.from(field.slice(scheme.length + 1), 'base64');
}

/** A sign-in on a connection; the response that ended it. */
async function signIn(connection: RawConnection, scheme: string, identity: WinprIdentity): Promise<RawResponse> {
  using client = new WinprClient(scheme, identity);
  let response: RawResponse | undefined;
  for (let leg = 0; leg < 5; leg++) {
    const token = client.next(response && tokenOf(response, scheme));
    assert.ok(token !== undefined);
    response = await connection.exchange({ fields: [authorization(scheme, token)] });
    if (response.status !== 401 || tokenOf(response, scheme) === undefined) return response;
  }
  throw new Error('no end of the handshake');
}

/** Until nothing native is left of these, or for ten seconds at most: a leg may still run on its thread, and holds its credential. */
async function released(...kinds: readonly (keyof ReturnType<typeof liveNativeHandles>)[]): Promise<void> {
  const end = performance.now() + 10_000;
  while (kinds.some((kind) => liveNativeHandles()[kind] > 0) && performance.now() < end) await turn();
}

async function nothingLeft(): Promise<void> {
  // A connection that closes is noticed on a later turn of the loop.
  await released('contexts', 'tokens', 'buffers');
  assert.deepEqual(liveNativeHandles(), {
    ...liveNativeHandles(),
    contexts: 0,
    tokens: 0,
    certificates: 0,
    buffers: 0,
  });
  assert.equal(liveHandles().contexts, 0);
}

describe('WinPR behind Express', ready, () => {
  after(async () => {
    await released('credentials', 'contexts', 'tokens', 'buffers');
    assert.deepEqual(liveNativeHandles(), { credentials: 0, contexts: 0, tokens: 0, certificates: 0, buffers: 0 });
  });

  for (const scheme of ['NTLM', 'Negotiate']) {
    it(`${scheme}: signs in, and the connection stays signed in`, async () => {
      await using server = await start();
      await using connection = await RawConnection.open(server.port);
      const response = await signIn(connection, scheme, alice);
      assert.equal(response.status, 200, response.text);
      const answer = JSON.parse(response.body) as Answer;
      assert.equal(answer.name, 'LAB\\alice');
      assert.equal(answer.user?.userName, 'alice');
      assert.equal(answer.user.domain, 'LAB');
      assert.equal(answer.scheme, scheme);
      const second = await connection.exchange({ target: '/again' });
      assert.equal(second.status, 200);
      assert.equal((JSON.parse(second.body) as Answer).name, 'LAB\\alice');
      await nothingLeft();
    });

    it(`${scheme}: refuses a wrong password and an unknown user with the same bytes (COMPLETE_NEEDED is no yes)`, async () => {
      const statuses: string[] = [];
      const warn = (record: object): void => {
        if ('reason' in record) statuses.push(String(record.reason));
      };
      await using server = await start({ logger: { info: () => {}, warn, error: () => {} } });
      const texts = new Set<string>();
      for (const identity of [
        { ...alice, password: 'wrong' },
        { ...alice, user: 'mallory' },
        { ...alice, password: '' },
      ]) {
        await using connection = await RawConnection.open(server.port);
        const response = await signIn(connection, scheme, identity);
        assert.equal(response.status, 401);
        texts.add(response.text.replace(/^Date:.*$/m, ''));
        assert.equal((await connection.exchange({})).status, 401, 'and nobody stays on the connection');
      }
      assert.equal(texts.size, 1);
      assert.equal(server.handled(), 0);
      assert.deepEqual(statuses, ['SEC_E_MESSAGE_ALTERED', 'SEC_E_INTERNAL_ERROR', 'SEC_E_MESSAGE_ALTERED']);
      await nothingLeft();
    });
  }

  it('offers Negotiate and NTLM where nothing else is asked for', async () => {
    await using server = await start();
    await using connection = await RawConnection.open(server.port);
    const response = await connection.exchange({});
    assert.deepEqual(response.headers.get('www-authenticate'), ['Negotiate', 'NTLM']);
  });

  it('does not start where a policy could not be kept: WinPR looks at no channel bindings', async () => {
    await assert.rejects(start({ channelBinding: 'always' }), {
      code: 'ERR_SSPI_AUTH_OPTION',
      option: 'channelBinding',
    });
  });

  it('signs 24 clients in at once', async () => {
    await using server = await start();
    const names = await Promise.all(
      Array.from({ length: 24 }, async (_, index) => {
        await using connection = await RawConnection.open(server.port);
        const who = index % 2 === 0 ? alice : { user: 'bob', ...winprAccounts.bob };
        const response = await signIn(connection, index % 3 === 0 ? 'Negotiate' : 'NTLM', who);
        assert.equal(response.status, 200);
        const { user } = JSON.parse(response.body) as Answer;
        assert.equal(user?.userName, who.user);
        return user.userName;
      }),
    );
    assert.equal(names.filter((name) => name === 'bob').length, 12);
    await nothingLeft();
  });

  it('refuses NTLM within Negotiate where only Kerberos may run (G11)', async () => {
    await using server = await start({ packages: ['Kerberos'] });
    await using connection = await RawConnection.open(server.port);
    assert.deepEqual((await connection.exchange({})).headers.get('www-authenticate'), ['Negotiate']);
    assert.equal((await signIn(connection, 'Negotiate', alice)).status, 401);
    assert.equal(server.handled(), 0);
    await nothingLeft();
  });

  it('refuses a context without the attributes that policy demands (G08)', async () => {
    // WinPR leaves pfContextAttr empty.
    await using server = await start({ requiredAttributes: ASC_RET_INTEGRITY });
    await using connection = await RawConnection.open(server.port);
    assert.equal((await signIn(connection, 'NTLM', alice)).status, 401);
    assert.equal(server.handled(), 0);
    await nothingLeft();
  });

  for (const scheme of ['NTLM', 'Negotiate']) {
    it(`${scheme}: goes by the target in the proof, since WinPR tells none (C18)`, async () => {
      for (const [name, status] of [
        ['HTTP/localhost', 200],
        ['HTTP/another', 401],
      ] as const) {
        await using server = await start({ servicePrincipalNames: [name] });
        await using connection = await RawConnection.open(server.port);
        assert.equal((await signIn(connection, scheme, alice)).status, status);
        assert.equal(server.handled(), status === 200 ? 1 : 0);
      }
      await nothingLeft();
    });
  }

  it('takes pipelined tokens one after the other (A12)', async () => {
    await using server = await start();
    await using connection = await RawConnection.open(server.port);
    using client = new WinprClient('NTLM', alice);
    const first = client.next(undefined)!;
    const request = { fields: [authorization('NTLM', first)] };
    connection.send(request, request);
    assert.ok(tokenOf(await connection.response(), 'NTLM'));
    const challenge = tokenOf(await connection.response(), 'NTLM');
    // The second began a new handshake: its challenge is the one that counts.
    const last = { fields: [authorization('NTLM', client.next(challenge)!)] };
    connection.send(last, last);
    assert.equal((await connection.response()).status, 200);
    assert.equal((await connection.response()).status, 401, 'the second of two last tokens finds no challenge');
    await nothingLeft();
  });

  it('deletes the context of a client that goes away, in the middle of a leg too (A17, G10)', async () => {
    await using server = await start();
    const before = server.handled();
    for (let round = 0; round < 100; round++) {
      await using connection = await RawConnection.open(server.port);
      using client = new WinprClient('NTLM', alice);
      connection.send({ fields: [authorization('NTLM', client.next(undefined)!)] });
      if (round % 2 === 0) await connection.response();
      // Odd rounds close while AcceptSecurityContext may still run on its thread.
      if (round % 4 === 3) await turn();
    }
    await nothingLeft();
    for (let turns = 0; turns < 1000 && server.authenticator.pendingHandshakes > 0; turns++) await turn();
    await nothingLeft();
    assert.equal(server.authenticator.pendingHandshakes, 0);
    assert.equal(server.handled(), before);
  });
});
