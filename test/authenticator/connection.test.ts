import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Connection } from '../../src/authenticator/connection.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { anonymousOutcome, refusedOutcome } from '../../src/http/outcome.ts';
import type { Outcome, StandingOutcome } from '../../src/http/outcome.ts';
import { SecurityContextInfo } from '../../src/identity/security-context-info.ts';
import * as Sspi from '../../src/sspi/index.ts';
import { FakeSocket, settled } from './scripted-authenticator.ts';
import { firstToken, ScriptedPackage } from './scripted-package.ts';

/** Contexts of a package that says yes to everything. */
function contexts(count: number): { owner: ScriptedPackage; handles: Sspi.ContextHandle[] } {
  const owner = new ScriptedPackage({ yes: {} });
  const credential = Sspi.acquireCredentialsHandle({
    package: owner,
    credentialUse: 'inbound',
  }) as Sspi.CredentialHandle;
  const handles = Array.from({ length: count }, () => {
    const result = Sspi.acceptSecurityContext({
      credential,
      context: undefined,
      input: [{ type: Sspi.SECBUFFER_TOKEN, data: Buffer.from(firstToken('yes'), 'latin1') }],
      requirements: 0,
      targetDataRep: Sspi.SECURITY_NATIVE_DREP,
    }) as Sspi.AcceptSecurityContextResult;
    return result.context!;
  });
  return { owner, handles };
}

const outcome: StandingOutcome = {
  type: 'authenticated',
  user: { name: 'a', userName: 'a', groups: [], package: 'Scripted' },
  sspi: new SecurityContextInfo(
    { scheme: 'NTLM', package: 'Scripted', provider: 'p', attributes: 0, channelBound: false, expiry: undefined },
    undefined,
  ),
  headers: [],
  standing: true,
};

describe('phases of a connection', () => {
  it('delete the context of the phase that ends, once, unless the next one goes on with it', () => {
    const { owner, handles } = contexts(2);
    const [one, two] = handles as [Sspi.ContextHandle, Sspi.ContextHandle];
    const connection = new Connection();
    assert.equal(connection.phase.type, 'idle');
    connection.enter({ type: 'negotiating', scheme: 'ntlm', context: one, startedAt: 0 });
    connection.enter({ type: 'negotiating', scheme: 'ntlm', context: one, startedAt: 0 });
    assert.equal(owner.deleted, 0);
    connection.enter({ type: 'authenticated', outcome, context: one, expiresAt: Infinity, endsAt: Infinity });
    assert.equal(owner.deleted, 0);
    connection.enter({ type: 'negotiating', scheme: 'ntlm', context: two, startedAt: 0 });
    assert.equal(owner.deleted, 1);
    connection.enter({ type: 'authenticated', outcome, context: undefined, expiresAt: Infinity, endsAt: Infinity });
    assert.equal(owner.deleted, 2);
    connection.reset();
    connection.reset();
    assert.equal(owner.deleted, 2);
  });

  it('H07: a new identity is examined itself, also in the round in which the one before it was', () => {
    const connection = new Connection();
    const enter = (expiresAt: number): void =>
      connection.enter({ type: 'authenticated', outcome, context: undefined, expiresAt, endsAt: Infinity });
    enter(Infinity);
    assert.equal(connection.standing(systemClock), outcome);
    enter(0);
    assert.equal(connection.standing(systemClock), undefined);
  });

  it('abandon resets and tells whoever waits, once', () => {
    const { owner, handles } = contexts(1);
    const connection = new Connection(Object.assign(new FakeSocket(), { remoteAddress: '192.0.2.1', remotePort: 1 }));
    connection.enter({ type: 'negotiating', scheme: 'ntlm', context: handles[0]!, startedAt: 0 });
    let told = 0;
    connection.onAbandon = () => told++;
    connection.abandon();
    connection.abandon();
    assert.deepEqual([told, owner.deleted, connection.phase.type, connection.peer], [1, 1, 'idle', '192.0.2.1:1']);
  });

  it('has no peer without a socket, nor when Node has forgotten it', () => {
    for (const socket of [undefined, Object.assign(new FakeSocket(), { remoteAddress: undefined })]) {
      assert.equal(new Connection(socket).peer, undefined);
    }
  });

  it('watches its socket once, until it need not', () => {
    const socket = new FakeSocket();
    const connection = new Connection();
    let closed = 0;
    connection.watch(socket, () => closed++);
    connection.watch(socket, () => (closed += 100));
    assert.equal(socket.listenerCount('close'), 1);
    socket.emit('close');
    assert.equal(closed, 1);
    connection.unwatch();
    connection.unwatch();
    assert.equal(socket.listenerCount('close'), 0);
  });
});

describe('A12: steps in turn', () => {
  it('run at once where none runs, and give what they give without a promise', () => {
    const connection = new Connection();
    assert.equal(
      connection.inTurn(() => anonymousOutcome),
      anonymousOutcome,
    );
    assert.equal(connection.busy, false);
  });

  it('wait for those before them, in order, and outlive their failures', async () => {
    const connection = new Connection();
    const events: string[] = [];
    const gates: ((fail?: Error) => void)[] = [];
    const step = (name: string) => (): Promise<Outcome> => {
      events.push(`${name} begins`);
      return new Promise((resolve, reject) => {
        gates.push((fail) => {
          events.push(`${name} ends`);
          if (fail) reject(fail);
          else resolve(refusedOutcome(401));
        });
      });
    };
    const one = connection.inTurn(step('one')) as Promise<Outcome>;
    const failed = assert.rejects(one);
    const two = connection.inTurn(step('two'));
    const three = connection.inTurn(() => {
      events.push('three');
      return anonymousOutcome;
    });
    await settled();
    assert.deepEqual(events, ['one begins']);
    assert.equal(connection.busy, true);
    gates[0]?.(new Error('broken'));
    await failed;
    await settled();
    assert.deepEqual(events, ['one begins', 'one ends', 'two begins']);
    gates[1]?.();
    await two;
    assert.equal(await three, anonymousOutcome);
    assert.deepEqual(events.slice(3), ['two ends', 'three']);
    await settled();
    assert.equal(connection.busy, false);
    assert.equal(
      connection.inTurn(() => anonymousOutcome),
      anonymousOutcome,
    );
  });
});
