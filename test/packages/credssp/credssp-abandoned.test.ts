/** Sign-ins over CredSSP that their clients left before the end: nothing of theirs remains. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { TlsEngine } from '../../../src/packages/schannel/tls-engine.ts';
import { TlsWire } from '../../../src/packages/schannel/tls-wire.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { full } from '../../lab/matrix.ts';
import { CredSspServer } from './credssp-server.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
setFlagsFromString('--no-expose-gc');

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('sign-ins over CredSSP that are left', () => {
  const count = full() ? 1500 : 150;
  it(`${count} after the challenge, deleted: no timer, no stream, no engine of theirs remains (A17)`, async () => {
    using server = await CredSspServer.start();
    const before = { contexts: Sspi.liveHandles().contexts, timers: timers() };
    const engines: WeakRef<object>[] = [];
    const wires: WeakRef<object>[] = [];
    const begin = Object.getOwnPropertyDescriptor(TlsEngine.prototype, 'begin')?.value as () => Promise<void>;
    const idle = Object.getOwnPropertyDescriptor(TlsWire.prototype, 'idle')?.value as () => Promise<void>;
    TlsEngine.prototype.begin = function (this: TlsEngine) {
      engines.push(new WeakRef(this));
      return begin.call(this);
    };
    TlsWire.prototype.idle = function (this: TlsWire) {
      wires.push(new WeakRef(this));
      return idle.call(this);
    };
    try {
      for (let begun = 0; begun < count; begun += 50) {
        const connections = Array.from({ length: 50 }, () => server.connect());
        await Promise.all(connections.map((connection) => connection.challenge()));
        assert.ok(Sspi.liveHandles().contexts >= before.contexts + 50);
        for (const connection of connections) connection[Symbol.dispose]();
      }
    } finally {
      Object.assign(TlsEngine.prototype, { begin });
      Object.assign(TlsWire.prototype, { idle });
    }
    for (let turns = 0; turns < 5; turns++) await turn();
    assert.equal(Sspi.liveHandles().contexts, before.contexts);
    assert.equal(timers(), before.timers);
    assert.ok(engines.length >= count);
    const marks = [...engines, ...wires];
    for (let round = 0; round < 20; round++) {
      // What was looked at in a turn is kept until its end, so the look comes last.
      await turn();
      collect();
    }
    const left = marks.filter((mark) => mark.deref() !== undefined).length;
    // The last ones may be on the stack of frames that are still there.
    assert.ok(left <= 8, `${left} of ${marks.length} remain`);
  });
});
