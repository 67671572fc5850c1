/** CompleteAuthToken after SEC_I_COMPLETE_NEEDED and SEC_I_COMPLETE_AND_CONTINUE, over a scripted package. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as Sspi from '../../src/sspi/index.ts';
import { now, scriptedCredential } from './scripted-credential.ts';

describe('completeAuthToken', () => {
  it('gives the result after SEC_I_COMPLETE_NEEDED, once', () => {
    const { owner, call } = scriptedCredential();
    const begun = now(call(undefined, 'complete'));
    assert.deepEqual([begun.name, begun.attributes], ['SEC_I_COMPLETE_NEEDED', undefined]);
    assert.equal(Sspi.querySecurityContextToken(begun.context!).status, Sspi.SEC_E_INVALID_HANDLE);
    assert.equal(now(call(begun.context, 'yes')).name, 'SEC_E_INVALID_HANDLE', 'not another leg');
    const result = now(Sspi.completeAuthToken(begun.context!, begun.output));
    assert.deepEqual([result.name, result.attributes], ['SEC_E_OK', 5]);
    assert.equal(now(Sspi.completeAuthToken(begun.context!, [])).name, 'SEC_E_INVALID_HANDLE');
    assert.equal(Sspi.querySecurityContextToken(begun.context!).status, Sspi.SEC_E_OK);
    Sspi.deleteSecurityContext(begun.context!);
    assert.equal(owner.live, 0);
  });

  it('after SEC_I_COMPLETE_AND_CONTINUE the context stands only after the legs that follow', () => {
    const { owner, call } = scriptedCredential();
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
    const { call } = scriptedCredential();
    const { context } = now(call(undefined, 'go'));
    assert.equal(now(Sspi.completeAuthToken(context!, [])).name, 'SEC_E_INVALID_HANDLE');
    assert.equal(now(call(context, 'yes')).name, 'SEC_E_OK');
    Sspi.deleteSecurityContext(context!);
  });

  it('is one call at a time as well (A12)', async () => {
    const { owner, call } = scriptedCredential({
      begin: { status: Sspi.SEC_I_COMPLETE_NEEDED, completion: { waits: true, attributes: 5 } },
    });
    const { context } = now(call(undefined, 'begin'));
    const running = Sspi.completeAuthToken(context!, []);
    assert.equal(now(Sspi.completeAuthToken(context!, [])).name, 'SEC_E_INVALID_HANDLE');
    assert.equal(now(call(context, 'yes')).name, 'SEC_E_INVALID_HANDLE');
    assert.deepEqual([owner.asked, owner.waiting], [['begin'], ['completion']]);
    owner.settle();
    assert.equal((await running).status, Sspi.SEC_E_OK);
    assert.equal(Sspi.deleteSecurityContext(context!), Sspi.SEC_E_OK);
    const other = now(call(undefined, 'begin')).context!;
    const late = Sspi.completeAuthToken(other, []);
    assert.equal(Sspi.deleteSecurityContext(other), Sspi.SEC_E_OK);
    assert.equal(owner.live, 1, 'not under a call that runs');
    owner.settle();
    assert.equal(Sspi.statusName((await late).status), 'SEC_E_UNFINISHED_CONTEXT_DELETED');
    assert.equal(owner.live, 0);
  });

  it('a failure deletes the context', () => {
    const { owner, call } = scriptedCredential({
      bad: { status: Sspi.SEC_I_COMPLETE_NEEDED, completion: { status: Sspi.SEC_E_MESSAGE_ALTERED } },
    });
    const { context } = now(call(undefined, 'bad'));
    assert.equal(now(Sspi.completeAuthToken(context!, [])).name, 'SEC_E_MESSAGE_ALTERED');
    assert.equal(owner.live, 0);
  });
});
