/** Handles of credentials and contexts over a scripted package: how they are made, and when they are dead. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import * as Sspi from '../../src/sspi/index.ts';
import { ScriptedPackage } from '../authenticator/scripted-package.ts';
import { now, scriptedCredential } from './scripted-credential.ts';

describe('handles', () => {
  it('cannot be forged (B11)', () => {
    const { owner, call, credential } = scriptedCredential();
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
    const { owner, call } = scriptedCredential();
    const before = Sspi.liveHandles().contexts;
    const { context } = now(call(undefined, 'go'));
    assert.ok(context !== undefined);
    assert.deepEqual([Object.keys(context), Object.isFrozen(context)], [[], true]);
    assert.equal(Sspi.liveHandles().contexts, before + 1);
    assert.equal(Sspi.deleteSecurityContext(context), Sspi.SEC_E_OK);
    assert.equal(Sspi.deleteSecurityContext(context), Sspi.SEC_E_INVALID_HANDLE);
    assert.equal(now(call(context, 'yes')).name, 'SEC_E_INVALID_HANDLE');
    assert.deepEqual([owner.made, owner.deleted], [1, 1]);
    assert.equal(Sspi.liveHandles().contexts, before);
  });

  it('are dead after a failure, which deleted the context', () => {
    for (const text of ['no', 'throws', 'nothing', 'unheard of']) {
      const { owner, call } = scriptedCredential();
      const { context } = now(call(undefined, 'go'));
      const failed = now(call(context, text));
      assert.equal(failed.context, undefined);
      assert.ok(failed.status >= 0x80000000);
      assert.equal(now(call(context, 'yes')).name, 'SEC_E_INVALID_HANDLE');
      assert.equal(Sspi.deleteSecurityContext(context!), Sspi.SEC_E_INVALID_HANDLE);
      assert.deepEqual([owner.made, owner.deleted], [1, 1]);
    }
  });

  it('are dead even where the package cannot free its credential, and the operator is warned', async () => {
    const { owner } = scriptedCredential();
    const broken: Sspi.SecurityPackage = {
      info: owner.info,
      acquireCredentials: () => ({
        accept: () => ({ status: Sspi.SEC_E_LOGON_DENIED }),
        free: () => {
          throw new Error('the library has gone');
        },
      }),
    };
    const before = Sspi.liveHandles();
    const handle = Sspi.acquireCredentialsHandle({
      package: broken,
      credentialUse: 'inbound',
    }) as Sspi.CredentialHandle;
    const warned = once(process, 'warning') as Promise<[Error]>;
    assert.equal(Sspi.freeCredentialsHandle(handle), Sspi.SEC_E_OK);
    assert.match((await warned)[0].message, /library has gone/);
    assert.equal(Sspi.freeCredentialsHandle(handle), Sspi.SEC_E_INVALID_HANDLE);
    assert.deepEqual(Sspi.liveHandles(), before);
  });

  it('are dead even where the package cannot delete its context, and the operator is warned', async () => {
    for (const status of [Sspi.SEC_E_OK, Sspi.SEC_E_LOGON_DENIED]) {
      const context = {
        delete: () => {
          throw new Error('no such context');
        },
      };
      const { call } = scriptedCredential({ odd: { raw: { status, context } } });
      const warned = once(process, 'warning');
      const made = now(call(undefined, 'odd'));
      if (made.context !== undefined) {
        assert.equal(Sspi.deleteSecurityContext(made.context), Sspi.SEC_E_OK);
        assert.equal(now(call(made.context, 'yes')).name, 'SEC_E_INVALID_HANDLE');
      }
      const [warning] = (await warned) as [Error];
      assert.match(String(warning), /no such context/);
    }
  });

  it('of one package are nothing to another', () => {
    const [one, other] = [scriptedCredential(), scriptedCredential()];
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
      const { owner, call, credential } = scriptedCredential({}, name);
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

  it('has no client side: of both sides it gives that of the server', () => {
    const both = Sspi.acquireCredentialsHandle({ package: new ScriptedPackage({}), credentialUse: 'both' });
    assert.ok(both instanceof Sspi.CredentialHandle);
    assert.throws(
      () => Sspi.acquireCredentialsHandle({ package: new ScriptedPackage({}), credentialUse: 'outbound' as 'inbound' }),
      { code: 'ERR_SSPI_AUTH_OPTION', option: 'credentialUse' },
    );
  });
});
