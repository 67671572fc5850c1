/** What the contract has for packages over streams (Schannel, CredSSP), over a scripted package. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as Sspi from '../../src/sspi/index.ts';
import { atOnce } from './messages-now.ts';
import { now, scriptedCredential } from './scripted-credential.ts';

const extra = { type: Sspi.SECBUFFER_EXTRA, data: Buffer.from('unread') };
const alert = { type: Sspi.SECBUFFER_ALERT, data: Uint8Array.of(2, 40) };
const room = (size: number, type = Sspi.SECBUFFER_TOKEN): Sspi.SecBuffer => ({ type, data: Buffer.alloc(size, 0xee) });
const types = (buffers: readonly Sspi.SecBuffer[]): readonly number[] => buffers.map(({ type }) => type);

describe('an incomplete message', () => {
  const script = {
    part: { status: Sspi.SEC_E_INCOMPLETE_MESSAGE, missing: 7 },
    more: { status: Sspi.SEC_E_INCOMPLETE_MESSAGE },
    lost: { status: Sspi.SEC_E_INCOMPLETE_MESSAGE, withoutContext: true as const },
  };

  it('keeps the context, on the first leg as on a later one, and says how much is missing', () => {
    const { owner, call } = scriptedCredential(script);
    const first = now(call(undefined, 'part'));
    assert.deepEqual([first.name, first.missing, first.output], ['SEC_E_INCOMPLETE_MESSAGE', 7, []]);
    assert.ok(first.context !== undefined);
    const later = now(call(first.context, 'more'));
    assert.deepEqual(
      [later.name, later.missing, later.context],
      ['SEC_E_INCOMPLETE_MESSAGE', undefined, first.context],
    );
    assert.equal(Sspi.encryptMessage(first.context, []) instanceof Promise, false);
    assert.equal(atOnce(Sspi.encryptMessage(first.context, [])).status, Sspi.SEC_E_INVALID_HANDLE, 'half open (B08)');
    assert.equal(now(call(first.context, 'yes')).name, 'SEC_E_OK');
    assert.equal(Sspi.deleteSecurityContext(first.context), Sspi.SEC_E_OK);
    assert.equal(owner.live, 0);
  });

  it('without a context is a failure', () => {
    const { call } = scriptedCredential(script);
    assert.equal(now(call(undefined, 'lost')).name, 'SEC_E_INTERNAL_ERROR');
  });
});

describe('input that was not consumed', () => {
  it('comes back whatever buffers the caller gave', () => {
    const { call } = scriptedCredential({ rest: { output: 'last', buffers: [extra] } });
    for (const output of [undefined, [room(4)], [room(4), room(0, Sspi.SECBUFFER_EMPTY)]]) {
      const result = now(call(undefined, 'rest', { output }));
      assert.deepEqual(types(result.output), [Sspi.SECBUFFER_TOKEN, Sspi.SECBUFFER_EXTRA]);
      assert.equal(Buffer.from(result.output[1]!.data).toString(), 'unread');
      Sspi.deleteSecurityContext(result.context!);
    }
  });
});

describe('the alert of a failure', () => {
  const script = { bad: { status: Sspi.SEC_E_ALGORITHM_MISMATCH, output: 'record', buffers: [alert] } };

  it('is in the output that is allocated', () => {
    const { call } = scriptedCredential(script);
    const { name, output } = now(call(undefined, 'bad'));
    assert.equal(name, 'SEC_E_ALGORITHM_MISMATCH');
    assert.deepEqual(types(output), [Sspi.SECBUFFER_TOKEN, Sspi.SECBUFFER_ALERT]);
  });

  it('fills the buffer of the caller, and is left out without one; the status stays', () => {
    const { call } = scriptedCredential(script);
    const own = [room(10), room(2, Sspi.SECBUFFER_ALERT)];
    const both = now(call(undefined, 'bad', { output: own }));
    assert.equal(both.name, 'SEC_E_ALGORITHM_MISMATCH');
    assert.equal(both.output[0]!.data.buffer, own[0]!.data.buffer);
    assert.equal(both.output[1]!.data.buffer, own[1]!.data.buffer);
    assert.deepEqual([...both.output[1]!.data], [2, 40]);
    const small = now(call(undefined, 'bad', { output: [room(1)] }));
    assert.equal(small.name, 'SEC_E_ALGORITHM_MISMATCH');
    assert.deepEqual(types(small.output), [Sspi.SECBUFFER_TOKEN]);
    assert.equal(Buffer.from(small.output[0]!.data).toString(), 'record');
  });
});

describe('a message whose answer takes time', () => {
  it('takes the context for itself until it is there', async () => {
    const waiting: PromiseWithResolvers<Sspi.MessageAnswer>[] = [];
    const message = (): Promise<Sspi.MessageAnswer> => {
      const pending = withResolvers<Sspi.MessageAnswer>();
      waiting.push(pending);
      return pending.promise;
    };
    const { owner, call } = scriptedCredential({ stream: { message, control: () => Sspi.SEC_E_OK } });
    const context = now(call(undefined, 'stream')).context!;
    const pending = Sspi.encryptMessage(context, []);
    assert.ok(pending instanceof Promise);
    assert.equal(atOnce(Sspi.decryptMessage(context, [])).status, Sspi.SEC_E_INVALID_HANDLE);
    assert.equal(now(call(context, 'yes')).name, 'SEC_E_INVALID_HANDLE');
    assert.equal(Sspi.applyControlToken(context, []), Sspi.SEC_E_INVALID_HANDLE);
    assert.equal(Sspi.querySecurityContextToken(context).status, Sspi.SEC_E_INVALID_HANDLE);
    assert.equal(waiting.length, 1);
    waiting[0]!.resolve({ status: Sspi.SEC_E_INCOMPLETE_MESSAGE, missing: 3 });
    assert.deepEqual(await pending, { status: Sspi.SEC_E_INCOMPLETE_MESSAGE, missing: 3 });

    const failing = Sspi.decryptMessage(context, []);
    waiting[1]!.reject(new Error('a secret'));
    assert.deepEqual(await failing, { status: Sspi.SEC_E_INTERNAL_ERROR });

    const deleted = Sspi.decryptMessage(context, []);
    assert.equal(Sspi.deleteSecurityContext(context), Sspi.SEC_E_OK);
    assert.equal(owner.live, 1, 'not under the call that runs');
    waiting[2]!.resolve({ status: Sspi.SEC_E_OK, value: [] });
    assert.deepEqual(await deleted, { status: Sspi.SEC_E_UNFINISHED_CONTEXT_DELETED });
    assert.equal(owner.live, 0);
  });
});

describe('ApplyControlToken', () => {
  const shutdown = [{ type: Sspi.SECBUFFER_TOKEN, data: Uint8Array.of(Sspi.SCHANNEL_SHUTDOWN, 0, 0, 0) }];

  it('goes to the package, at any point of the handshake', () => {
    const seen: (readonly Sspi.SecBuffer[])[] = [];
    const control = (input: readonly Sspi.SecBuffer[]): number => {
      seen.push(input);
      return Sspi.SEC_E_OK;
    };
    const { call } = scriptedCredential({ open: { status: Sspi.SEC_I_CONTINUE_NEEDED, control } });
    const { context } = now(call(undefined, 'open'));
    assert.equal(Sspi.applyControlToken(context!, shutdown), Sspi.SEC_E_OK);
    assert.deepEqual(seen, [shutdown]);
    Sspi.deleteSecurityContext(context!);
    assert.equal(Sspi.applyControlToken(context!, shutdown), Sspi.SEC_E_INVALID_HANDLE);
  });

  it('is not supported by a package without it; an exception is a failure', () => {
    const throws = (): number => {
      throw new Error('a secret');
    };
    const { call } = scriptedCredential({ odd: { control: throws } });
    const plain = now(call(undefined, 'yes')).context!;
    assert.equal(Sspi.applyControlToken(plain, shutdown), Sspi.SEC_E_UNSUPPORTED_FUNCTION);
    const info = { label: 'EXPORTER-Test', length: 32 };
    const set = Sspi.setContextAttributes(plain, Sspi.SECPKG_ATTR_KEYING_MATERIAL_INFO, info);
    assert.equal(set, Sspi.SEC_E_UNSUPPORTED_FUNCTION);
    const odd = now(call(undefined, 'odd')).context!;
    assert.equal(Sspi.applyControlToken(odd, shutdown), Sspi.SEC_E_INTERNAL_ERROR);
    for (const context of [plain, odd]) Sspi.deleteSecurityContext(context);
  });
});

describe('the end of a stream', () => {
  it('SEC_I_CONTEXT_EXPIRED is no yes: the context is gone, its last token is there', () => {
    const { owner, call } = scriptedCredential({ end: { status: Sspi.SEC_I_CONTEXT_EXPIRED, output: 'close_notify' } });
    const { context } = now(call(undefined, 'yes'));
    const end = now(call(context, 'end'));
    assert.deepEqual([end.name, end.context], ['SEC_I_CONTEXT_EXPIRED', undefined]);
    assert.equal(Buffer.from(end.output[0]!.data).toString(), 'close_notify');
    assert.equal(owner.live, 0);
  });
});

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: Error) => void;
}

/** Promise.withResolvers, which Node 20 lacks. */
function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
