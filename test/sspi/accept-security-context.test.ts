/** The contract over a scripted package: handles, one call at a time, buffers, attributes, deletion. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as Sspi from '../../src/sspi/index.ts';
import { firstToken, ScriptedPackage } from '../scripted-package.ts';
import type { Script, Step } from '../scripted-package.ts';

type Result = Sspi.AcceptSecurityContextResult;

const script: Script = {
  go: {
    status: Sspi.SEC_I_CONTINUE_NEEDED,
    output: 'challenge',
    attributes: Sspi.ASC_RET_INTEGRITY,
    expiry: new Date(1),
  },
  yes: { attributes: Sspi.ASC_RET_INTEGRITY, expiry: new Date(7), output: 'last' },
  no: { status: Sspi.SEC_E_LOGON_DENIED, output: 'error token', diagnosis: { text: 'because' } },
  slow: { waits: true },
  slowNo: { waits: true, status: Sspi.SEC_E_LOGON_DENIED },
  throws: { throws: new Error('a secret') },
  nothing: { raw: undefined },
  complete: { status: Sspi.SEC_I_COMPLETE_NEEDED, output: 'c', completion: { attributes: 5 } },
  completeAndContinue: { status: Sspi.SEC_I_COMPLETE_AND_CONTINUE, output: 'c', completion: { attributes: 5 } },
};

function setUp(
  more: Script = {},
  name?: string,
): {
  owner: ScriptedPackage;
  credential: Sspi.CredentialHandle;
  call: (
    context: Sspi.ContextHandle | undefined,
    text: string,
    more?: Partial<Sspi.AcceptSecurityContextParameters>,
  ) => Result | Promise<Result>;
} {
  const owner = new ScriptedPackage({ ...script, ...more }, name);
  const credential = Sspi.acquireCredentialsHandle({
    package: owner,
    credentialUse: 'inbound',
  }) as Sspi.CredentialHandle;
  return {
    owner,
    credential,
    call: (context, text, parameters = {}) =>
      Sspi.acceptSecurityContext({
        credential,
        context,
        input: [{ type: Sspi.SECBUFFER_TOKEN, data: Buffer.from(context ? text : firstToken(text), 'latin1') }],
        requirements: Sspi.ASC_REQ_CONNECTION,
        targetDataRep: Sspi.SECURITY_NATIVE_DREP,
        ...parameters,
      }),
  };
}

/** A result that was there at once, by the name of its status. */
function now(result: Result | Promise<Result>): Result & { readonly name: string } {
  assert.ok(!(result instanceof Promise), 'a package that answers at once is answered for at once');
  return { ...result, name: Sspi.statusName(result.status) };
}

describe('handles', () => {
  it('cannot be forged (B11)', () => {
    const { owner, call, credential } = setUp();
    const objects: readonly unknown[] = [
      {},
      Object.create(Sspi.ContextHandle.prototype),
      new Sspi.ContextHandle(),
      0,
      -1,
      null,
      'x',
    ];
    const forged = objects as readonly Sspi.ContextHandle[];
    for (const handle of forged) {
      assert.equal(now(call(handle, 'yes')).name, 'SEC_E_INVALID_HANDLE');
      assert.equal(Sspi.deleteSecurityContext(handle), Sspi.SEC_E_INVALID_HANDLE);
      assert.equal(Sspi.querySecurityContextToken(handle).status, Sspi.SEC_E_INVALID_HANDLE);
      assert.equal(now(Sspi.completeAuthToken(handle, [])).name, 'SEC_E_INVALID_HANDLE');
      assert.equal(Sspi.impersonateSecurityContext(handle), Sspi.SEC_E_INVALID_HANDLE);
      assert.equal(Sspi.revertSecurityContext(handle), Sspi.SEC_E_INVALID_HANDLE);
    }
    const noCredentials: readonly unknown[] = [undefined, {}, new Sspi.CredentialHandle(), null];
    for (const handle of noCredentials as readonly Sspi.CredentialHandle[]) {
      assert.equal(now(call(undefined, 'yes', { credential: handle })).name, 'SEC_E_INVALID_HANDLE');
      assert.equal(Sspi.freeCredentialsHandle(handle), Sspi.SEC_E_INVALID_HANDLE);
    }
    assert.deepEqual(Object.keys(credential), []);
    assert.ok(Object.isFrozen(credential));
    assert.deepEqual(owner.asked, []);
  });

  it('are dead after deletion, and delete once (G09)', () => {
    const { owner, call } = setUp();
    const before = Sspi.liveHandles().contexts;
    const { context } = now(call(undefined, 'go'));
    assert.ok(context !== undefined);
    assert.equal(Sspi.liveHandles().contexts, before + 1);
    assert.equal(Sspi.deleteSecurityContext(context), Sspi.SEC_E_OK);
    assert.equal(Sspi.deleteSecurityContext(context), Sspi.SEC_E_INVALID_HANDLE);
    assert.equal(now(call(context, 'yes')).name, 'SEC_E_INVALID_HANDLE');
    assert.deepEqual([owner.made, owner.deleted], [1, 1]);
    assert.equal(Sspi.liveHandles().contexts, before);
  });

  it('are dead after a failure, which deleted the context', () => {
    for (const text of ['no', 'throws', 'nothing', 'unheard of']) {
      const { owner, call } = setUp();
      const { context } = now(call(undefined, 'go'));
      const failed = now(call(context, text));
      assert.equal(failed.context, undefined);
      assert.ok(failed.status >= 0x80000000);
      assert.equal(now(call(context, 'yes')).name, 'SEC_E_INVALID_HANDLE');
      assert.equal(Sspi.deleteSecurityContext(context!), Sspi.SEC_E_INVALID_HANDLE);
      assert.deepEqual([owner.made, owner.deleted], [1, 1]);
    }
  });

  it('of one package are nothing to another', () => {
    const [one, other] = [setUp(), setUp()];
    const { context } = now(one.call(undefined, 'go'));
    assert.equal(now(one.call(context, 'yes', { credential: other.credential })).name, 'SEC_E_INVALID_HANDLE');
    assert.equal(now(one.call(context, 'yes')).name, 'SEC_E_OK');
  });

  it('credentials are freed once; contexts live on; Digest and Schannel have a status of their own', () => {
    for (const [name, expected] of [
      ['NTLM', 'SEC_E_INVALID_HANDLE'],
      ['Digest', 'SEC_E_NO_CREDENTIALS'],
      ['Schannel', 'SEC_E_NO_CREDENTIALS'],
    ] as const) {
      const { owner, call, credential } = setUp({}, name);
      const before = Sspi.liveHandles().credentials;
      const { context } = now(call(undefined, 'yes'));
      assert.equal(Sspi.freeCredentialsHandle(credential), Sspi.SEC_E_OK);
      assert.equal(Sspi.freeCredentialsHandle(credential), Sspi.SEC_E_INVALID_HANDLE);
      assert.equal(owner.freed, 1);
      assert.equal(Sspi.liveHandles().credentials, before - 1);
      assert.equal(now(call(undefined, 'yes')).name, expected);
      assert.equal(Sspi.querySecurityContextToken(context!).status, Sspi.SEC_E_OK);
      assert.equal(Sspi.deleteSecurityContext(context!), Sspi.SEC_E_OK);
    }
  });
});

describe('one call at a time', () => {
  it('a second call gives SEC_E_INVALID_HANDLE and does not disturb the first', async () => {
    const { owner, call } = setUp();
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

  it('deleted meanwhile: the context goes when the call ends, and the call says so', async () => {
    for (const [text, rejection] of [
      ['slow', undefined],
      ['slowNo', undefined],
      ['slow', new Error('broken')],
    ] as const) {
      const { owner, call } = setUp();
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
      const { owner, call } = setUp({ broken: step, slowBroken: { ...step, waits: true } });
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

  it('a failure that brings a context has it deleted', () => {
    let deleted = 0;
    const context = { delete: () => deleted++ };
    const { call } = setUp({ odd: { raw: { status: Sspi.SEC_E_LOGON_DENIED, context } } });
    const result = now(call(undefined, 'odd'));
    assert.deepEqual([result.name, result.context, deleted], ['SEC_E_LOGON_DENIED', undefined, 1]);
  });
});

describe('attributes and expiry', () => {
  it('are undefined until the last leg, but for ASC_RET_ALLOCATED_MEMORY', () => {
    const { call } = setUp();
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
    const { call } = setUp();
    const { context } = now(call(undefined, 'go'));
    const answers = [
      Sspi.querySecurityContextToken(context!),
      Sspi.queryContextAttributes(context!, Sspi.SECPKG_ATTR_NEGOTIATION_INFO),
      Sspi.makeSignature(context!, []),
      Sspi.verifySignature(context!, []),
      Sspi.encryptMessage(context!, []),
      Sspi.decryptMessage(context!, []),
    ];
    for (const { status, value } of answers) assert.deepEqual([status, value], [Sspi.SEC_E_INVALID_HANDLE, undefined]);
    now(call(context, 'yes'));
    assert.equal(Sspi.queryContextAttributes(context!, Sspi.SECPKG_ATTR_NEGOTIATION_INFO).status, Sspi.SEC_E_OK);
    assert.equal(Sspi.makeSignature(context!, []).status, Sspi.SEC_E_UNSUPPORTED_FUNCTION);
    assert.equal(Sspi.impersonateSecurityContext(context!), Sspi.SEC_E_UNSUPPORTED_FUNCTION);
    Sspi.deleteSecurityContext(context!);
  });
});

describe('output buffers', () => {
  const buffer = (size: number, type = Sspi.SECBUFFER_TOKEN): Sspi.SecBuffer => ({
    type,
    data: Buffer.alloc(size, 0xee),
  });

  it('the caller’s are filled where they are large enough, and told how far', () => {
    const { call } = setUp();
    const own = [buffer(3, Sspi.SECBUFFER_DATA), buffer(20)];
    const { output, name, context } = now(call(undefined, 'go', { output: own }));
    assert.equal(name, 'SEC_I_CONTINUE_NEEDED');
    assert.equal(output.length, 1);
    assert.equal(Buffer.from(output[0]!.data).toString(), 'challenge');
    assert.equal(output[0]!.data.buffer, own[1]!.data.buffer, 'the caller’s own memory');
    assert.equal(own[1]!.data[9], 0xee);
    Sspi.deleteSecurityContext(context!);
  });

  it('too small or missing: SEC_E_INSUFFICIENT_MEMORY, nothing written, no context', () => {
    for (const own of [[], [buffer(8)], [buffer(100, Sspi.SECBUFFER_DATA)]]) {
      const { owner, call } = setUp();
      const result = now(call(undefined, 'go', { output: own }));
      assert.deepEqual(
        [result.name, result.context, result.output.length],
        ['SEC_E_INSUFFICIENT_MEMORY', undefined, 0],
      );
      for (const { data } of own) assert.ok(data.every((byte) => byte === 0xee));
      assert.equal(owner.live, 0);
      const { context } = now(call(undefined, 'go'));
      const later = now(call(context, 'yes', { output: [buffer(1)] }));
      assert.equal(later.name, 'SEC_E_INSUFFICIENT_MEMORY');
      assert.equal(now(call(context, 'yes')).name, 'SEC_E_INVALID_HANDLE');
      assert.equal(owner.live, 0);
    }
  });

  it('what is not a token goes to a buffer of its type, or nowhere', () => {
    const result = { type: Sspi.SECBUFFER_CHANNEL_BINDINGS_RESULT, data: Uint8Array.of(0x10, 0, 0, 0) };
    const { call } = setUp({ bound: { output: 'last', buffers: [result] }, quiet: { buffers: [result] } });
    const own = [buffer(4), buffer(4, Sspi.SECBUFFER_CHANNEL_BINDINGS_RESULT)];
    const both = now(call(undefined, 'bound', { output: own }));
    assert.deepEqual(
      both.output.map(({ type, data }) => [type, Buffer.from(data).toString('hex')]),
      [
        [Sspi.SECBUFFER_TOKEN, Buffer.from('last').toString('hex')],
        [Sspi.SECBUFFER_CHANNEL_BINDINGS_RESULT, '10000000'],
      ],
    );
    const one = now(call(undefined, 'quiet', { output: [buffer(4)] }));
    assert.deepEqual([one.name, one.output], ['SEC_E_OK', []]);
    for (const { context } of [both, one]) Sspi.deleteSecurityContext(context!);
  });

  it('with ASC_REQ_ALLOCATE_MEMORY the caller’s are left alone', () => {
    const { call } = setUp();
    const own = [buffer(1)];
    const result = now(call(undefined, 'go', { output: own, requirements: Sspi.ASC_REQ_ALLOCATE_MEMORY }));
    assert.equal(Buffer.from(result.output[0]!.data).toString(), 'challenge');
    assert.equal(own[0]!.data[0], 0xee);
    Sspi.deleteSecurityContext(result.context!);
  });

  it('a failure may have a token for the client, and a diagnosis for the log', () => {
    const { call } = setUp();
    const result = now(call(undefined, 'no'));
    assert.equal(Buffer.from(result.output[0]!.data).toString(), 'error token');
    assert.deepEqual(result.diagnosis, { text: 'because' });
  });
});

describe('completeAuthToken', () => {
  it('gives the verdict after SEC_I_COMPLETE_NEEDED, once', () => {
    const { owner, call } = setUp();
    const begun = now(call(undefined, 'complete'));
    assert.deepEqual([begun.name, begun.attributes], ['SEC_I_COMPLETE_NEEDED', undefined]);
    assert.equal(Sspi.querySecurityContextToken(begun.context!).status, Sspi.SEC_E_INVALID_HANDLE);
    assert.equal(now(call(begun.context, 'yes')).name, 'SEC_E_INVALID_HANDLE', 'not another leg');
    const verdict = now(Sspi.completeAuthToken(begun.context!, begun.output));
    assert.deepEqual([verdict.name, verdict.attributes], ['SEC_E_OK', 5]);
    assert.equal(now(Sspi.completeAuthToken(begun.context!, [])).name, 'SEC_E_INVALID_HANDLE');
    assert.equal(Sspi.querySecurityContextToken(begun.context!).status, Sspi.SEC_E_OK);
    Sspi.deleteSecurityContext(begun.context!);
    assert.equal(owner.live, 0);
  });

  it('after SEC_I_COMPLETE_AND_CONTINUE the context stands only after the legs that follow', () => {
    const { owner, call } = setUp();
    const begun = now(call(undefined, 'completeAndContinue'));
    const completed = now(Sspi.completeAuthToken(begun.context!, begun.output));
    assert.deepEqual([completed.name, completed.attributes, completed.expiry], ['SEC_E_OK', undefined, undefined]);
    assert.equal(Sspi.querySecurityContextToken(begun.context!).status, Sspi.SEC_E_INVALID_HANDLE);
    assert.equal(now(call(begun.context, 'yes')).name, 'SEC_E_OK');
    assert.equal(Sspi.querySecurityContextToken(begun.context!).status, Sspi.SEC_E_OK);
    Sspi.deleteSecurityContext(begun.context!);
    assert.equal(owner.live, 0);
  });

  it('a context that does not wait for it is SEC_E_INVALID_HANDLE and lives on', () => {
    const { call } = setUp();
    const { context } = now(call(undefined, 'go'));
    assert.equal(now(Sspi.completeAuthToken(context!, [])).name, 'SEC_E_INVALID_HANDLE');
    assert.equal(now(call(context, 'yes')).name, 'SEC_E_OK');
    Sspi.deleteSecurityContext(context!);
  });

  it('a failure deletes the context', () => {
    const { owner, call } = setUp({
      bad: { status: Sspi.SEC_I_COMPLETE_NEEDED, completion: { status: Sspi.SEC_E_MESSAGE_ALTERED } },
    });
    const { context } = now(call(undefined, 'bad'));
    assert.equal(now(Sspi.completeAuthToken(context!, [])).name, 'SEC_E_MESSAGE_ALTERED');
    assert.equal(owner.live, 0);
  });
});

describe('arguments of the wrong type throw, and nothing else does', () => {
  const { call } = setUp();
  for (const [name, parameters] of Object.entries<Record<string, unknown>>({
    'requirements as text': { requirements: '1' },
    'requirements with a fraction': { requirements: 1.5 },
    'no requirements': { requirements: undefined },
    'no targetDataRep': { targetDataRep: undefined },
    'input that is no array': { input: 'token' },
    'a buffer without data': { input: [{ type: 2 }] },
    'a buffer whose data is text': { input: [{ type: 2, data: 'x' }] },
    'a buffer whose data is an array': { input: [{ type: 2, data: [1] }] },
    'a buffer without type': { input: [{ data: new Uint8Array(0) }] },
    'null as a buffer': { input: [null] },
    'output that is no array': { output: {} },
    'output with a wrong buffer': { output: [{ type: 2, data: undefined }] },
  })) {
    it(name, () => {
      assert.throws(() => call(undefined, 'yes', parameters), TypeError);
    });
  }

  it('no input at all is a matter of the package', () => {
    const result = now(call(undefined, '', { input: undefined }));
    assert.equal(result.name, 'SEC_E_INVALID_TOKEN');
  });

  it('requirements reach the package as unsigned 32 bits', () => {
    const { owner, call: own } = setUp();
    now(own(undefined, 'no', { requirements: 0x80000000 | 0 }));
    assert.equal(owner.calls[0]?.requirements, 0x80000000);
  });
});

describe('acquireCredentialsHandle', () => {
  it('takes the package or its name, in any case, and names what there is where there is none', () => {
    const owner = new ScriptedPackage({}, 'Test-Only');
    Sspi.addSecurityPackage(owner);
    assert.ok(
      Sspi.acquireCredentialsHandle({ package: 'test-ONLY', credentialUse: 'inbound' }) instanceof
        Sspi.CredentialHandle,
    );
    assert.equal(Sspi.querySecurityPackageInfo('TEST-only'), owner.info);
    assert.ok(Sspi.enumerateSecurityPackages().includes(owner.info));
    assert.throws(() => Sspi.acquireCredentialsHandle({ package: 'nonesuch', credentialUse: 'inbound' }), {
      code: 'ERR_SSPI_AUTH_STATUS',
      message: /"nonesuch".*SEC_E_SECPKG_NOT_FOUND.*Test-Only/,
    });
  });

  it('has no client side', () => {
    assert.throws(
      () => Sspi.acquireCredentialsHandle({ package: new ScriptedPackage({}), credentialUse: 'outbound' as 'inbound' }),
      { code: 'ERR_SSPI_AUTH_OPTION', option: 'credentialUse' },
    );
  });
});
