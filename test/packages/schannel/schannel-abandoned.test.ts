/** Contexts that their clients left, and contexts that are deleted while they are used: nothing of theirs remains. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { TlsEngine } from '../../../src/packages/schannel/tls-engine.ts';
import { TlsWire } from '../../../src/packages/schannel/tls-wire.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { certificates } from '../../vectors/certificates.ts';
import { data, part, SchannelServer } from './schannel-server.ts';
import { TlsClient } from './tls-client.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
setFlagsFromString('--no-expose-gc');

const server = new SchannelServer(certificates.serverEc);
after(() => server[Symbol.dispose]());

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** A method as it was, to be put back. */
function original<T extends object>(prototype: T, name: keyof T): (this: T) => Promise<void> {
  return prototype[name] as (this: T) => Promise<void>;
}

/** What keeps the process awake, without what the test runner has. */
const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

describe('contexts that are left', () => {
  it('1500 in mid-handshake, deleted: no timer, no stream, no engine of theirs remains (A17)', async () => {
    const before = { handles: Sspi.liveHandles(), timers: timers() };
    const marks: WeakRef<object>[] = [];
    // Every engine and every wire that is made: both call this when they are.
    const begin = original(TlsEngine.prototype, 'begin');
    TlsEngine.prototype.begin = function (this: TlsEngine) {
      marks.push(new WeakRef(this));
      return begin.call(this);
    };
    const idle = original(TlsWire.prototype, 'idle');
    TlsWire.prototype.idle = function (this: TlsWire) {
      marks.push(new WeakRef(this));
      return idle.call(this);
    };
    try {
      using client = new TlsClient();
      const hello = await client.next();
      for (let batch = 0; batch < 15; batch++) {
        const results = await Promise.all(Array.from({ length: 100 }, () => server.accept(undefined, hello)));
        for (const { status, context } of results) {
          assert.equal(status, Sspi.SEC_I_CONTINUE_NEEDED);
          assert.equal(Sspi.deleteSecurityContext(context!), Sspi.SEC_E_OK);
        }
      }
    } finally {
      Object.assign(TlsEngine.prototype, { begin });
      Object.assign(TlsWire.prototype, { idle });
    }
    await turns(5);
    assert.deepEqual(Sspi.liveHandles(), before.handles);
    assert.equal(timers(), before.timers);
    assert.equal(marks.length, 3000);
    for (let round = 0; round < 20 && marks.some((mark) => mark.deref() !== undefined); round++) {
      collect();
      await turns(2);
    }
    const left = marks.filter((mark) => mark.deref() !== undefined).length;
    // The last one may be on the stack of a frame that is still there.
    assert.ok(left <= 4, `${left} of ${marks.length} remain`);
  });

  it('an incomplete first leg makes no connection at all', async () => {
    const begun: unknown[] = [];
    const begin = original(TlsEngine.prototype, 'begin');
    TlsEngine.prototype.begin = function (this: TlsEngine) {
      begun.push(this);
      return begin.call(this);
    };
    try {
      const { context } = await server.accept(undefined, Buffer.of(22, 3, 1));
      assert.equal(Sspi.heldBytes(context!), 0);
      Sspi.deleteSecurityContext(context!);
      assert.equal(begun.length, 0);
    } finally {
      Object.assign(TlsEngine.prototype, { begin });
    }
  });

  it('deleted in the middle of a call: the call ends, and everything goes', async () => {
    const before = Sspi.liveHandles();
    using client = new TlsClient();
    const first = await server.accept(undefined, await client.next());
    const running = server.accept(first.context, await client.next(part(first.output, Sspi.SECBUFFER_TOKEN)));
    assert.equal(Sspi.deleteSecurityContext(first.context!), Sspi.SEC_E_OK);
    assert.equal(Sspi.statusName((await running).status), 'SEC_E_UNFINISHED_CONTEXT_DELETED');

    const established = await server.establish();
    const { context } = established;
    await Sspi.encryptMessage(context, [data('one')]);
    const second = Sspi.encryptMessage(context, [data('two')]);
    const third = Sspi.encryptMessage(context, [data('three')]);
    assert.equal(Sspi.deleteSecurityContext(context), Sspi.SEC_E_OK);
    const statuses = [await second, await third].map(({ status }) => Sspi.statusName(status));
    assert.ok(statuses.includes('SEC_E_UNFINISHED_CONTEXT_DELETED'), statuses.join());
    established.client[Symbol.dispose]();
    assert.deepEqual(Sspi.liveHandles(), before);
  });
});
