/** Sessions over time, over several processes, and with a store that is away. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { memoryAccounts, memoryStore } from '../../src/index.ts';
import type { AccountSource, SharedStore } from '../../src/index.ts';
import { SteeredClock } from '../stores/steered-clock.ts';
import { forgedTokens, signIn, whoIs } from '../adapters/raw-clients.ts';
import { adapters } from '../adapters/servers.ts';
import type { RunningServer, ScenarioOptions } from '../adapters/servers.ts';
import { RawConnection } from '../lab/raw-connection.ts';
import type { RawResponse } from '../lab/raw-connection.ts';

const secrets = [randomBytes(32)];
const cookie = { secure: false, name: 'sid' };
const session = { secrets, cookie };
const accounts = memoryAccounts([
  { userName: 'alice', domain: 'LAB', password: 'Wonderland-7', groups: [{ name: 'LAB\\Engineers' }] },
]);
const base = { accounts, domain: 'LAB', schemes: ['NTLM'] as const, logger: false as const };
const hour = 60 * 60 * 1000;

function start(options: ScenarioOptions): Promise<RunningServer> {
  const node = adapters['node:http'];
  assert.ok(node !== undefined);
  return node({ ...base, ...options });
}

function pairOf(response: RawResponse): string | undefined {
  return response.headers
    .get('set-cookie')
    ?.find((value) => /^sid=[^;]/.test(value))
    ?.split(';')[0];
}

/** Signs in on a connection of its own. */
async function sessionOf(server: RunningServer): Promise<string> {
  await using connection = await RawConnection.open(server.port);
  return pairOf(await signIn(connection, forgedTokens({}))) ?? assert.fail('no cookie');
}

async function get(server: RunningServer, pair: string): Promise<RawResponse> {
  await using connection = await RawConnection.open(server.port);
  // Awaited, for the connection is destroyed at the end.
  return await connection.exchange({ fields: [`Cookie: ${pair}`] });
}

async function status(server: RunningServer, pair: string): Promise<number> {
  return (await get(server, pair)).status;
}

/** A store that can be taken away. */
function fragileStore(): { readonly store: SharedStore; away: boolean; calls: number } {
  const inner = memoryStore();
  const state = { away: false, calls: 0 };
  const ask = <T>(answer: () => T): Promise<T> => {
    state.calls++;
    return state.away ? Promise.reject(new Error('away')) : Promise.resolve(answer());
  };
  const store: SharedStore = {
    claim: (key, ttl) => ask(() => inner.claim(key, ttl)),
    count: (key, ttl) => ask(() => inner.count(key, ttl)),
    set: (key, bytes, ttl) => ask(() => inner.set(key, bytes, ttl)),
    get: (key) => ask(() => inner.get(key)),
    take: (key) => ask(() => inner.take(key)),
    delete: (key) => ask(() => inner.delete(key)),
  };
  return Object.assign(state, { store });
}

describe('how long a session lasts', () => {
  it('H07: no longer than it may, than it is idle, and than an identity may', async () => {
    for (const limits of [
      { session: { ...session, lifetimeMilliseconds: 2 * hour, idleMilliseconds: 8 * hour } },
      { session: { ...session, lifetimeMilliseconds: 8 * hour, idleMilliseconds: 2 * hour } },
      { session: { ...session, idleMilliseconds: 8 * hour }, limits: { identityMilliseconds: 2 * hour } },
    ]) {
      const clock = new SteeredClock();
      await using server = await start({ ...limits, clock });
      const pair = await sessionOf(server);
      await using standing = await RawConnection.open(server.port);
      const again = async (): Promise<number> => (await standing.exchange({ fields: [`Cookie: ${pair}`] })).status;
      clock.pass(2 * hour - 1);
      assert.deepEqual([await status(server, pair), await again(), await again()], [200, 200, 200]);
      clock.pass(1);
      assert.deepEqual([await status(server, pair), await again()], [401, 401]);
    }
  });

  it('is sealed anew while it is used, but not beyond its life', async () => {
    const clock = new SteeredClock();
    await using server = await start({
      session: { ...session, lifetimeMilliseconds: 3 * hour, idleMilliseconds: hour },
      clock,
    });
    let pair = await sessionOf(server);
    for (let used = 0; used < 4; used++) {
      clock.pass(0.7 * hour);
      const response = await get(server, pair);
      assert.equal(response.status, 200);
      pair = pairOf(response) ?? assert.fail('was not sealed anew');
    }
    clock.pass(0.3 * hour);
    assert.equal(await status(server, pair), 401);
  });

  it('clock steps: forward ends it, backward does not make it longer than a minute', async () => {
    const clock = new SteeredClock();
    await using server = await start({ session, clock });
    const pair = await sessionOf(server);
    await using standing = await RawConnection.open(server.port);
    const again = async (): Promise<number> => (await standing.exchange({ fields: [`Cookie: ${pair}`] })).status;
    assert.equal(await again(), 200);
    clock.set(-61_000);
    assert.equal(await status(server, pair), 401);
    // What was remembered ends by the clock that is never set.
    assert.equal(await again(), 200);
    clock.pass(hour + 61_000);
    assert.equal(await again(), 401);
    clock.set(9 * hour);
    assert.equal(await status(server, pair), 401);
  });

  it('H07: ends with its account, where the source can tell; authorize is asked for every request', async () => {
    const clock = new SteeredClock();
    let current = true;
    let allowed = true;
    const source: AccountSource = {
      description: 'accounts that can go',
      verifyNtlm: (logon) => accounts.verifyNtlm?.(logon) as never,
      isCurrent: () => current,
    };
    await using server = await start({ accounts: source, session, clock, authorize: () => allowed });
    const pair = await sessionOf(server);
    await using standing = await RawConnection.open(server.port);
    const again = async (): Promise<number> => (await standing.exchange({ fields: [`Cookie: ${pair}`] })).status;
    assert.deepEqual([await again(), await again()], [200, 200]);
    allowed = false;
    assert.equal(await again(), 403);
    allowed = true;
    current = false;
    clock.pass(1000);
    assert.deepEqual([await again(), await status(server, pair)], [401, 401]);
  });

  it('a standing request is answered synchronously, and asks no store', async () => {
    const fragile = fragileStore();
    await using server = await start({ session, store: fragile.store });
    const pair = await sessionOf(server);
    await using standing = await RawConnection.open(server.port);
    await standing.exchange({ fields: [`Cookie: ${pair}`] });
    const { calls } = fragile;
    const { authenticator } = server;
    const kinds: boolean[] = [];
    server.server.prependListener('request', (request) => {
      kinds.push(authenticator.authenticate(request, '/', request as never) instanceof Promise);
    });
    for (let request = 0; request < 5; request++) {
      assert.equal(whoIs(await standing.exchange({ fields: [`Cookie: ${pair}`] })), 'alice');
    }
    assert.deepEqual([kinds, fragile.calls], [[false, false, false, false, false], calls]);
  });
});

describe('sessions of several processes', () => {
  it('count in each, also with a new secret before the old one, and not without it', async () => {
    const fresh = randomBytes(32);
    await using one = await start({ session });
    await using other = await start({ session: { ...session, secrets: [fresh, ...secrets] } });
    await using third = await start({ session: { ...session, secrets: [fresh] } });
    const pair = await sessionOf(one);
    assert.equal(await status(third, pair), 401);
    const response = await get(other, pair);
    assert.equal(whoIs(response), 'alice');
    const rotated = pairOf(response) ?? assert.fail('was not sealed with the new secret');
    assert.deepEqual([await status(third, rotated), await status(other, rotated)], [200, 200]);
  });

  it('H03: of another audience are worth nothing', async () => {
    await using one = await start({ session });
    await using other = await start({ session: { ...session, cookie: { ...cookie, audience: 'other' } } });
    assert.equal(await status(other, await sessionOf(one)), 401);
  });

  it('H03: of a scheme or a package that is not offered are worth nothing', async () => {
    await using one = await start({ session });
    await using other = await start({ session, schemes: ['Digest'] });
    assert.equal(await status(other, await sessionOf(one)), 401);
  });

  it('H05: a sign-out counts in others within the stated time, and after a restart', async () => {
    const clock = new SteeredClock();
    const { store } = fragileStore();
    const options = { session: { ...session, revocationCheckMilliseconds: 10_000 }, store, clock };
    await using one = await start(options);
    await using other = await start(options);
    const pair = await sessionOf(one);
    await using standing = await RawConnection.open(other.port);
    const again = async (): Promise<number> => (await standing.exchange({ fields: [`Cookie: ${pair}`] })).status;
    assert.equal(await again(), 200);
    await using leaving = await RawConnection.open(one.port);
    const left = await leaving.exchange({
      method: 'POST',
      target: '/sign-out',
      fields: [`Cookie: ${pair}`],
      body: '',
    });
    assert.equal(left.body, '{"told":true}');
    assert.equal(await status(one, pair), 401);
    clock.pass(10_000);
    assert.deepEqual([await again(), await status(other, pair)], [401, 401]);
    await using restarted = await start(options);
    assert.equal(await status(restarted, pair), 401);
  });

  it('H05: revoke ends all sessions of a user, and not those that begin afterwards', async () => {
    const clock = new SteeredClock();
    const { store } = fragileStore();
    const options = { session, store, clock };
    await using one = await start(options);
    await using other = await start(options);
    const pair = await sessionOf(one);
    clock.pass(1);
    assert.equal(await one.authenticator.revoke({ userName: 'ALICE', domain: 'LAB' }), true);
    assert.deepEqual([await status(one, pair), await status(other, pair)], [401, 401]);
    clock.pass(1);
    const next = await sessionOf(one);
    assert.deepEqual([await status(one, next), await status(other, next)], [200, 200]);
  });

  it('H05: while the store is away for longer sessions are refused and sign-ins go on', async () => {
    const clock = new SteeredClock();
    const fragile = fragileStore();
    await using server = await start({ session, store: fragile.store, clock });
    const pair = await sessionOf(server);
    await using standing = await RawConnection.open(server.port);
    const again = async (): Promise<RawResponse> => standing.exchange({ fields: [`Cookie: ${pair}`] });
    assert.equal((await again()).status, 200);
    fragile.away = true;
    clock.pass(29_000);
    assert.equal((await again()).status, 200);
    clock.pass(31_000);
    const refused = await again();
    // Not cleared: it may be right.
    assert.deepEqual([refused.status, refused.headers.get('set-cookie')], [401, undefined]);
    await using signingIn = await RawConnection.open(server.port);
    assert.equal(whoIs(await signIn(signingIn, forgedTokens({}))), 'alice');
    fragile.away = false;
    assert.equal((await again()).status, 200);
  });

  it('H13: what another application wrote for a user ends his sessions', async () => {
    const inner = memoryStore();
    const store: SharedStore = {
      claim: (key, ttl) => inner.claim(key, ttl),
      count: (key, ttl) => inner.count(key, ttl),
      set: (key, bytes, ttl) => inner.set(key, bytes, ttl),
      get: (key) => (key.startsWith('session-user-ended:') ? Buffer.from('{"at":0}') : inner.get(key)),
      take: (key) => inner.take(key),
      delete: (key) => inner.delete(key),
    };
    await using server = await start({ session, store });
    assert.equal(await status(server, await sessionOf(server)), 401);
  });
});

describe('cookies that somebody planted', () => {
  it('H04: credentials go before them, and begin a session of their own', async () => {
    const others = memoryAccounts([{ userName: 'mallory', domain: 'LAB', password: 'Wonderland-7' }]);
    await using attackers = await start({ accounts: others, session });
    await using connection = await RawConnection.open(attackers.port);
    const tokens = { userName: 'mallory' };
    const planted = pairOf(await signIn(connection, forgedTokens(tokens))) ?? assert.fail('no cookie');
    await using server = await start({ session });
    await using victim = await RawConnection.open(server.port);
    assert.equal(whoIs(await victim.exchange({ fields: [`Cookie: ${planted}`] })), 'mallory');
    const sealed = pairOf(await signIn(victim, forgedTokens({}))) ?? assert.fail('no cookie');
    assert.notEqual(sealed, planted);
    assert.equal(whoIs(await get(server, sealed)), 'alice');
  });

  it('H06: the mark of a sign-out takes a user away, and gives none', async () => {
    await using server = await start({ session, anonymous: true });
    const pair = await sessionOf(server);
    assert.equal(whoIs(await get(server, pair)), 'alice');
    assert.equal(whoIs(await get(server, `${pair}; sid-out=1`)), null);
    assert.equal(whoIs(await get(server, 'sid-out=1')), null);
    assert.equal(whoIs(await get(server, `sid-out=; ${pair}`)), null);
  });
});

describe('groups that do not fit into a cookie', () => {
  const groups = Array.from({ length: 300 }, (_, index) => ({
    name: `LAB\\Group ${index}`,
    sid: `S-1-5-21-1-2-3-${index + 1000}`,
  }));
  const many = memoryAccounts([{ userName: 'alice', domain: 'LAB', password: 'Wonderland-7', groups }]);

  it('are in the store; a reference that it does not know means signing in again', async () => {
    const { store } = fragileStore();
    const options = { accounts: many, session, store };
    await using one = await start(options);
    await using other = await start(options);
    await using elsewhere = await start({ ...options, store: fragileStore().store });
    const pair = await sessionOf(one);
    assert.ok(pair.length < 1000);
    const { user } = JSON.parse((await get(other, pair)).body) as { user: { groups: readonly unknown[] } };
    assert.equal(user.groups.length, 300);
    assert.equal(await status(elsewhere, pair), 401);
  });

  it('H13: that another application changed mean signing in again', async () => {
    const inner = memoryStore();
    const store: SharedStore = {
      claim: (key, ttl) => inner.claim(key, ttl),
      count: (key, ttl) => inner.count(key, ttl),
      set: (key, bytes, ttl) => inner.set(key, bytes, ttl),
      get: (key) => (key.startsWith('session-groups:') ? Buffer.from('[[0,"LAB\\\\Admins",7,0]]') : inner.get(key)),
      take: (key) => inner.take(key),
      delete: (key) => inner.delete(key),
    };
    await using server = await start({ accounts: many, session, store });
    assert.equal(await status(server, await sessionOf(server)), 401);
  });

  it('without a store there is no cookie; left out of the fields there are no groups', async () => {
    await using server = await start({ accounts: many, session });
    await using connection = await RawConnection.open(server.port);
    assert.equal(pairOf(await signIn(connection, forgedTokens({}))), undefined);
    await using without = await start({ accounts: many, session: { ...session, fields: ['sid'] } });
    const { user } = JSON.parse((await get(without, await sessionOf(without))).body) as { user: { groups: unknown } };
    assert.deepEqual(user.groups, []);
  });
});

describe('what a session request has', () => {
  it('no context: impersonate throws a named error, and there are no delegated credentials', async () => {
    let seen: unknown;
    let credentials: unknown = 'not read';
    await using server = await start({ session });
    const { authenticator } = server;
    server.server.prependListener('request', (request) => {
      if (request.headers.authorization !== undefined) return;
      Promise.resolve(authenticator.authenticate(request, '/', request as never)).then(
        (outcome) => {
          if (outcome.type !== 'authenticated' || outcome.sspi === undefined) return;
          const { sspi } = outcome;
          credentials = sspi.delegatedCredentials;
          try {
            sspi.impersonate(() => 1);
          } catch (error) {
            seen = (error as { code?: unknown }).code;
          }
        },
        (error: unknown) => assert.fail(String(error)),
      );
    });
    assert.equal(await status(server, await sessionOf(server)), 200);
    assert.deepEqual([seen, credentials], ['ERR_SSPI_AUTH_SESSION', undefined]);
  });

  it('what enrich adds, for each connection anew; 500 where it fails', async () => {
    let roles = ['reader'];
    await using server = await start({
      session,
      enrich: (user) => {
        if (roles.length === 0) throw new Error('broken');
        return { ...user, displayName: roles.join() };
      },
    });
    const pair = await sessionOf(server);
    roles = ['writer'];
    const { user } = JSON.parse((await get(server, pair)).body) as { user: { displayName: string } };
    assert.equal(user.displayName, 'writer');
    roles = [];
    assert.equal(await status(server, pair), 500);
  });

  it('a secret that is too short is refused at start, by name and without its bytes', async () => {
    await assert.rejects(start({ session: { secrets: [randomBytes(32), 'hunter2'] } }), (error: Error) => {
      assert.match(error.message, /"session\.secrets\[1\]" is too short/);
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    });
  });
});
