/** The contract over a scripted package: one call at a time, failures, attributes, arguments. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as Sspi from '../../src/sspi/index.ts';
import type { Step } from '../authenticator/scripted-package.ts';
import { now, scriptedCredential } from './scripted-credential.ts';
import { decryptNow, encryptNow } from './messages-now.ts';

describe('one call at a time', () => {
  it('a second call gives SEC_E_INVALID_HANDLE and does not disturb the first', async () => {
    const { owner, call } = scriptedCredential();
    const { context } = now(call(undefined, 'go'));
    const running = call(context, 'slow');
    assert.equal(now(call(context, 'yes')).name, 'SEC_E_INVALID_HANDLE');
    assert.equal(Sspi.querySecurityContextToken(context!).status, Sspi.SEC_E_INVALID_HANDLE);
    assert.deepEqual(owner.asked, ['go', 'slow']);
    owner.settle();
    assert.equal((await running).status, Sspi.SEC_E_OK);
    assert.equal(Sspi.querySecurityContextToken(context!).status, Sspi.SEC_E_OK);
    Sspi.deleteSecurityContext(context!);
    assert.equal(owner.live, 0);
  });

  it('nothing can be asked of a context that stood before, while a call runs on it (B08)', async () => {
    const { owner, call } = scriptedCredential();
    const { context } = now(call(undefined, 'yes'));
    const running = call(context, 'slowNo');
    assert.equal(Sspi.querySecurityContextToken(context!).status, Sspi.SEC_E_INVALID_HANDLE);
    assert.equal(Sspi.makeSignature(context!, []).status, Sspi.SEC_E_INVALID_HANDLE);
    owner.settle();
    assert.equal((await running).status, Sspi.SEC_E_LOGON_DENIED);
    assert.equal(owner.live, 0);
  });

  it('deleted meanwhile: the context goes when the call ends, and the call says so', async () => {
    for (const [text, rejection] of [
      ['slow', undefined],
      ['slowNo', undefined],
      ['slow', new Error('broken')],
    ] as const) {
      const { owner, call } = scriptedCredential();
      const before = Sspi.liveHandles().contexts;
      const { context } = now(call(undefined, 'go'));
      const running = call(context, text);
      assert.equal(Sspi.deleteSecurityContext(context!), Sspi.SEC_E_OK);
      assert.equal(Sspi.deleteSecurityContext(context!), Sspi.SEC_E_INVALID_HANDLE);
      assert.equal(owner.deleted, 0, 'not under a call that runs');
      owner.settle(rejection);
      const result = await running;
      assert.equal(Sspi.statusName(result.status), 'SEC_E_UNFINISHED_CONTEXT_DELETED');
      assert.equal(result.context, undefined);
      assert.deepEqual([owner.made, owner.deleted], [1, 1]);
      assert.equal(Sspi.liveHandles().contexts, before);
    }
  });
});

describe('a call that nobody waits for (G10)', () => {
  it('on a context that was deleted can be told by the package, before it begins', async () => {
    const { owner, call } = scriptedCredential();
    const { context } = now(call(undefined, 'go'));
    const result = call(context, 'slow');
    const running = owner.calls.at(-1);
    assert.equal(running?.abandoned?.(), false);
    Sspi.deleteSecurityContext(context!);
    assert.equal(running?.abandoned?.(), true);
    owner.settle();
    await result;
  });

  it('can be told by the caller, on every leg', () => {
    const { owner, credential } = scriptedCredential();
    let gone = false;
    const leg = (context: Sspi.ContextHandle | undefined, text: string): Sspi.AcceptSecurityContextResult => {
      const result = Sspi.acceptSecurityContext({
        credential,
        context,
        input: [{ type: Sspi.SECBUFFER_TOKEN, data: Buffer.from(text) }],
        requirements: 0,
        targetDataRep: Sspi.SECURITY_NATIVE_DREP,
        abandoned: () => gone,
      });
      assert.ok(!(result instanceof Promise));
      return result;
    };
    const { context } = leg(undefined, 'go');
    leg(context, 'yes');
    const told = (): (boolean | undefined)[] => owner.calls.map(({ abandoned }) => abandoned?.());
    assert.deepEqual(told(), [false, false]);
    gone = true;
    assert.deepEqual(told(), [true, true]);
    Sspi.deleteSecurityContext(context!);
  });
});

describe('a package that fails (A21)', () => {
  for (const [name, step] of Object.entries<Step>({
    'an exception': { throws: new Error('a secret') },
    'no reply': { raw: undefined },
    null: { raw: null },
    'a reply without a status': { raw: {} },
    'a status that is NaN': { raw: { status: Number.NaN } },
    'a status as text': { raw: { status: '0' } },
    'yes without a context': { withoutContext: true },
  })) {
    it(`${name} is SEC_E_INTERNAL_ERROR`, async () => {
      const { owner, call } = scriptedCredential({ broken: step, slowBroken: { ...step, waits: true } });
      const result = now(call(undefined, 'broken'));
      assert.equal(result.name, 'SEC_E_INTERNAL_ERROR');
      assert.equal(result.context, undefined);
      assert.ok(!JSON.stringify(result).includes('secret'));
      const waiting = call(undefined, 'slowBroken');
      owner.settle(step.throws);
      assert.equal(Sspi.statusName((await waiting).status), 'SEC_E_INTERNAL_ERROR');
      assert.equal(owner.live, 0);
    });
  }

  it('a status past 32 bits is not cut to SEC_E_OK, on either leg, and its context is deleted', async () => {
    for (const status of [0x100000000, -0x100000000, 0.5]) {
      let deleted = 0;
      const context = { delete: () => deleted++ };
      const raw = { status, context };
      const { owner, call } = scriptedCredential({ odd: { raw }, slowOdd: { raw, waits: true } });
      const first = now(call(undefined, 'odd'));
      assert.deepEqual([first.name, first.context, deleted], ['SEC_E_INTERNAL_ERROR', undefined, 1]);
      const waiting = call(undefined, 'slowOdd');
      owner.settle();
      assert.deepEqual([Sspi.statusName((await waiting).status), deleted], ['SEC_E_INTERNAL_ERROR', 2]);
      const begun = now(call(undefined, 'go'));
      assert.equal(now(call(begun.context, 'odd')).name, 'SEC_E_INTERNAL_ERROR');
      assert.equal(owner.live, 0);
    }
  });

  it('a status in its signed form is the same one', () => {
    const { owner, call } = scriptedCredential({ signed: { raw: { status: Sspi.SEC_E_LOGON_DENIED | 0 } } });
    assert.equal(now(call(undefined, 'signed')).status, Sspi.SEC_E_LOGON_DENIED);
    const { context } = now(call(undefined, 'go'));
    assert.equal(now(call(context, 'signed')).status, Sspi.SEC_E_LOGON_DENIED);
    assert.equal(owner.live, 0);
  });

  it('yes without a context sends no last token', () => {
    const { call } = scriptedCredential({ odd: { withoutContext: true, output: 'last' } });
    assert.deepEqual(now(call(undefined, 'odd')).output, []);
  });

  it('a failure that brings a context has it deleted', () => {
    let deleted = 0;
    const context = { delete: () => deleted++ };
    const { call } = scriptedCredential({ odd: { raw: { status: Sspi.SEC_E_LOGON_DENIED, context } } });
    const result = now(call(undefined, 'odd'));
    assert.deepEqual([result.name, result.context, deleted], ['SEC_E_LOGON_DENIED', undefined, 1]);
  });
});

describe('attributes and expiry', () => {
  it('are undefined until the last leg, but for ASC_RET_ALLOCATED_MEMORY', () => {
    const { call } = scriptedCredential();
    const begun = now(call(undefined, 'go'));
    assert.deepEqual([begun.attributes, begun.expiry], [undefined, undefined]);
    const last = now(call(begun.context, 'yes'));
    assert.deepEqual([last.attributes, last.expiry], [Sspi.ASC_RET_INTEGRITY, new Date(7)]);
    Sspi.deleteSecurityContext(last.context!);
    const requirements = Sspi.ASC_REQ_ALLOCATE_MEMORY;
    const allocated = now(call(undefined, 'go', { requirements }));
    assert.equal(allocated.attributes, Sspi.ASC_RET_ALLOCATED_MEMORY);
    const end = now(call(allocated.context, 'yes', { requirements }));
    assert.equal(end.attributes, Sspi.ASC_RET_ALLOCATED_MEMORY | Sspi.ASC_RET_INTEGRITY);
    Sspi.deleteSecurityContext(end.context!);
    assert.equal(now(call(undefined, 'no', { requirements })).attributes, undefined);
  });

  it('nothing can be asked of a context before its last leg (B08)', () => {
    const { call } = scriptedCredential();
    const { context } = now(call(undefined, 'go'));
    const answers = [
      Sspi.querySecurityContextToken(context!),
      Sspi.queryContextAttributes(context!, Sspi.SECPKG_ATTR_NEGOTIATION_INFO),
      Sspi.makeSignature(context!, []),
      Sspi.verifySignature(context!, []),
      encryptNow(context!, []),
      decryptNow(context!, []),
      Sspi.queryDelegatedCredentials(context!),
    ];
    for (const { status, value } of answers) assert.deepEqual([status, value], [Sspi.SEC_E_INVALID_HANDLE, undefined]);
    assert.equal(Sspi.outlivesHandshake(context!), false);
    now(call(context, 'yes'));
    assert.equal(Sspi.queryContextAttributes(context!, Sspi.SECPKG_ATTR_NEGOTIATION_INFO).status, Sspi.SEC_E_OK);
    assert.equal(Sspi.makeSignature(context!, []).status, Sspi.SEC_E_UNSUPPORTED_FUNCTION);
    assert.equal(Sspi.impersonateSecurityContext(context!), Sspi.SEC_E_UNSUPPORTED_FUNCTION);
    Sspi.deleteSecurityContext(context!);
  });
});

describe('arguments of the wrong type throw, and nothing else does', () => {
  const { owner, call } = scriptedCredential();
  for (const [name, parameters] of Object.entries<Record<string, unknown>>({
    'requirements as text': { requirements: '1' },
    'requirements with a fraction': { requirements: 1.5 },
    'requirements past 32 bits': { requirements: 0x100000000 },
    'targetDataRep past 32 bits': { targetDataRep: 0x100000010 },
    'no requirements': { requirements: undefined },
    'no targetDataRep': { targetDataRep: undefined },
    'input that is no array': { input: 'token' },
    'input that is an empty text': { input: '' },
    'a buffer without data': { input: [{ type: 2 }] },
    'a buffer whose data is text': { input: [{ type: 2, data: 'x' }] },
    'a buffer whose data is an array': { input: [{ type: 2, data: [1] }] },
    'a buffer without type': { input: [{ data: new Uint8Array(0) }] },
    'null as a buffer': { input: [null] },
    'output that is no array': { output: {} },
    'output that is an empty text': { output: '' },
    'output with a wrong buffer': { output: [{ type: 2, data: undefined }] },
  })) {
    it(name, () => {
      assert.throws(() => call(undefined, 'yes', parameters), TypeError);
      assert.deepEqual([owner.asked, owner.made], [[], 0], 'before the package is asked');
    });
  }

  it('no input at all is a matter of the package', () => {
    const result = now(call(undefined, '', { input: undefined }));
    assert.equal(result.name, 'SEC_E_INVALID_TOKEN');
  });

  it('requirements reach the package as unsigned 32 bits', () => {
    const { owner, call: own } = scriptedCredential();
    now(own(undefined, 'no', { requirements: 0x80000000 | 0 }));
    assert.equal(owner.calls[0]?.requirements, 0x80000000);
  });
});
