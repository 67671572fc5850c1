/** What the application adds to identities (`enrich`), and how their names are written (`nameFormat`). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { identityOf } from '../../src/identity/identity.ts';
import type { Identity } from '../../src/identity/identity.ts';
import { assertBare401, FakeSocket, first, later, scripted, userOf, usualScript } from './scripted-authenticator.ts';
import type { Scripted } from './scripted-authenticator.ts';

interface Employee extends Identity {
  readonly roles: readonly string[];
}

function rolesOf(outcome: Awaited<ReturnType<Scripted['request']>>): unknown {
  return outcome.type === 'authenticated' ? (outcome.user as Employee).roles : outcome.type;
}

describe('enrich', () => {
  it('is called once for a sign-in, and its user is that of every request of the connection', async () => {
    for (const wait of [false, true]) {
      const calls: unknown[] = [];
      const enrich = (user: Identity, request: unknown): Employee | Promise<Employee> => {
        calls.push([user.name, request]);
        const employee = { ...user, roles: ['engineer'] };
        return wait ? Promise.resolve(employee) : employee;
      };
      const s = scripted(usualScript, { enrich });
      const socket = new FakeSocket();
      s.now(socket, first('hello'), { request: 'leg' });
      assert.deepEqual(rolesOf(await s.request(socket, later('right'), { request: 'last' })), ['engineer']);
      assert.deepEqual(rolesOf(s.now(socket)), ['engineer']);
      assert.deepEqual(rolesOf(s.now(socket)), ['engineer']);
      assert.deepEqual(calls, [['LAB\\alice', 'last']]);
      assert.equal(s.log.find(({ level }) => level === 'info')?.record['account'], 'LAB\\alice');
    }
  });

  it('a pipelined request waits for it, and has its user', async () => {
    let give: (user: Employee) => void = () => undefined;
    const enrich = (user: Identity): Promise<Employee> =>
      new Promise((resolve) => (give = () => resolve({ ...user, roles: ['late'] })));
    const s = scripted(usualScript, { enrich });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    const [outcome, next] = [s.request(socket, later('right')), s.request(socket)];
    give({} as Employee);
    assert.deepEqual([rolesOf(await outcome), rolesOf(await next)], [['late'], ['late']]);
  });

  it('is not called for who is refused', () => {
    let calls = 0;
    const s = scripted(usualScript, { enrich: (user) => (calls++, user) });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    assertBare401(s.now(socket, later('wrong')));
    assert.equal(calls, 0);
  });

  it('A21: where it throws, rejects or gives no user the answer is 500, and nobody is signed in', async () => {
    for (const enrich of [
      () => {
        throw new Error('broken');
      },
      () => Promise.reject(new Error('broken')),
      () => undefined,
      () => null,
      () => Promise.resolve('alice'),
    ]) {
      const s = scripted(usualScript, { enrich: enrich as unknown as () => Identity });
      const socket = new FakeSocket();
      s.now(socket, first('hello'));
      const outcome = await s.request(socket, later('right'));
      assert.ok(outcome.type === 'refused' && outcome.status === 500);
      assert.equal(s.log.at(-1)?.record['where'], 'the enrich function');
      assertBare401(s.now(socket));
      assert.equal(s.package.live, 0);
      assert.equal(s.authenticator.pendingHandshakes, 0);
    }
  });

  it('A21: where it is late the answer is 500 at the deadline of the handshake, and what comes later changes nothing', async () => {
    let give: () => void = () => undefined;
    const enrich = (user: Identity): Promise<Identity> => new Promise((resolve) => (give = () => resolve(user)));
    const s = scripted(usualScript, { enrich, limits: { handshakeMilliseconds: 5 } });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    const waiting = s.request(socket, later('right'));
    s.clock.advance(1000);
    const keeps = setInterval(() => undefined, 1000);
    const outcome = await waiting;
    clearInterval(keeps);
    assert.ok(outcome.type === 'refused' && outcome.status === 500);
    const failure = s.log.find(({ record }) => record['where'] === 'the enrich function');
    assert.match((failure?.record['err'] as Error).message, /handshakeMilliseconds/);
    give();
    await waiting;
    assertBare401(await s.request(socket));
    assert.equal(s.package.live, 0);
  });

  it('a client that goes away meanwhile leaves nothing', async () => {
    let give: () => void = () => undefined;
    const enrich = (user: Identity): Promise<Identity> => new Promise((resolve) => (give = () => resolve(user)));
    const s = scripted(usualScript, { enrich });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    const waiting = s.request(socket, later('right'));
    socket.close();
    give();
    const outcome = await waiting;
    assert.ok(outcome.type === 'refused' && outcome.status === 401);
    assert.equal(s.package.live, 0);
  });
});

describe('nameFormat', () => {
  const token = { isAnonymous: false, isGuest: false, groups: [] };
  const both = { ...token, userName: 'alice', domain: 'CORP', userPrincipalName: 'alice@CORP.EXAMPLE' };
  const realmAlone = { ...token, userName: 'alice', userPrincipalName: 'alice@CORP.EXAMPLE' };
  const domainAlone = { ...token, userName: 'alice', domain: 'CORP' };
  const table = [
    ['DOMAIN\\user', 'CORP\\alice', 'alice@CORP.EXAMPLE', 'CORP\\alice', 'alice'],
    ['user@REALM', 'alice@CORP.EXAMPLE', 'alice@CORP.EXAMPLE', 'alice@CORP', 'alice'],
    ['user', 'alice', 'alice', 'alice', 'alice'],
  ] as const;
  for (const [format, ...expected] of table) {
    it(format, () => {
      const names = [both, realmAlone, domainAlone, { ...token, userName: 'alice' }].map(
        (given) => identityOf(given as Parameters<typeof identityOf>[0], 'NTLM', format)?.name,
      );
      assert.deepEqual(names, expected);
    });
  }

  it('is the name that handlers see; the log keeps its own', () => {
    const s = scripted(usualScript, { nameFormat: 'user' });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    assert.equal(userOf(s.now(socket, later('right'))), 'alice');
    assert.equal(s.log.find(({ level }) => level === 'info')?.record['account'], 'LAB\\alice');
  });
});
