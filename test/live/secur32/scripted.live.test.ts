/** The provider against a library that answers what Windows never should, and what it sometimes does. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { asyncCallLimit } from '../../../src/native/koffi.ts';
import { liveNativeHandles, secur32Packages } from '../../../src/native/secur32/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';
import { buildScriptedSspi } from '../../lab/scripted-sspi.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('winpr', ['gcc', 'libc6-dev']);

type Result = Sspi.AcceptSecurityContextResult;

function ntlm(path: string): Sspi.SecurityPackage {
  const found = secur32Packages(path).find(({ info }) => info.name === 'NTLM');
  assert.ok(found);
  return found;
}

describe('secur32 over a library that does what it is told', ready, () => {
  let folder: ScratchFolder;
  let library: Awaited<ReturnType<typeof buildScriptedSspi>>;
  let credential: Sspi.CredentialHandle;

  before(async () => {
    folder = await scratchFolder('scripted-sspi');
    library = await buildScriptedSspi(folder);
    const scripted = ntlm(library.path);
    assert.deepEqual(scripted.info, {
      name: 'NTLM',
      comment: 'Scripted',
      capabilities: 3,
      version: 1,
      rpcId: 10,
      maxToken: 256,
    });
    credential = await Sspi.acquireCredentialsHandle({ package: scripted, credentialUse: 'inbound' });
  });
  after(async () => {
    Sspi.freeCredentialsHandle(credential);
    assert.deepEqual(library.counts(), {
      credentials: 0,
      contexts: 0,
      buffers: 0,
      wrong: 0,
      overlaps: 0,
      tokens: 0,
      certificates: 0,
    });
    assert.deepEqual(liveNativeHandles(), { credentials: 0, contexts: 0, tokens: 0, certificates: 0, buffers: 0 });
    await folder.remove();
  });

  const accept = async (script: string, context?: Sspi.ContextHandle): Promise<Result> =>
    Sspi.acceptSecurityContext({
      credential,
      context,
      input: [{ type: Sspi.SECBUFFER_TOKEN, data: Buffer.from(script) }],
      requirements: Sspi.ASC_REQ_CONNECTION,
      targetDataRep: Sspi.SECURITY_NATIVE_DREP,
    });
  const outputOf = ({ output }: Result): string[] => output.map(({ data }) => Buffer.from(data).toString());
  function assertNothingHeld(): void {
    const { credentials, ...rest } = library.counts();
    assert.deepEqual(rest, { contexts: 0, buffers: 0, wrong: 0, overlaps: 0, tokens: 0, certificates: 0 });
    assert.equal(credentials, 1);
  }

  const failures: Readonly<Record<string, string>> = {
    '00090320': 'SEC_I_INCOMPLETE_CREDENTIALS, positive',
    '00090321': 'SEC_I_RENEGOTIATE, positive',
    '00000001': 'one',
    '7fffffff': 'the largest positive one',
    '80090301': 'SEC_E_INVALID_HANDLE',
    '8009030c': 'SEC_E_LOGON_DENIED',
    '80090318': 'SEC_E_INCOMPLETE_MESSAGE, which only Schannel may answer',
    ffffffff: 'minus one',
    c0000001: 'an NTSTATUS',
  };
  for (const [code, what] of Object.entries(failures)) {
    it(`refuses ${code}: ${what} (G07), and sends no token of it`, async () => {
      const first = await accept(`status=${code} out=never flags=800`);
      assert.notEqual(first.status, Sspi.SEC_E_OK);
      assert.equal(first.context, undefined);
      assert.deepEqual(first.output, []);
      const begun = await accept('status=90312 out=hello');
      const later = await accept(`status=${code} out=never`, begun.context);
      assert.notEqual(later.status, Sspi.SEC_E_OK);
      assert.deepEqual([later.context, later.output], [undefined, []]);
      assertNothingHeld();
    });
  }

  it('sends the token that comes with SEC_E_OK', async () => {
    const result = await accept('status=0 out=last flags=20800 name=LAB\\alice');
    assert.equal(Sspi.statusName(result.status), 'SEC_E_OK');
    assert.deepEqual(outputOf(result), ['last']);
    assert.equal(result.attributes, 0x20800);
    assert.equal(result.expiry, undefined);
    const { userName, domain } = Sspi.querySecurityContextToken(result.context!).value!;
    assert.deepEqual([domain, userName], ['LAB', 'alice']);
    Sspi.deleteSecurityContext(result.context!);
    assertNothingHeld();
  });

  it('gives no account where the library has no name', async () => {
    const result = await accept('status=0');
    const account = Sspi.querySecurityContextToken(result.context!);
    assert.equal(Sspi.statusName(account.status), 'SEC_E_UNSUPPORTED_FUNCTION');
    assert.equal(account.value, undefined);
    Sspi.deleteSecurityContext(result.context!);
    assertNothingHeld();
  });

  it('calls a null session anonymous, and Guest a guest (C20, C22)', async () => {
    for (const [script, expected] of [
      ['flags=100000 name=LAB\\alice', [true, false]],
      ['name=NT\u0020AUTHORITY\\x', [false, false]],
      ['name=LAB\\Guest', [false, true]],
      ['name=LAB\\', [true, false]],
    ] as const) {
      const { context } = await accept(`status=0 ${script}`);
      const { isAnonymous, isGuest } = Sspi.querySecurityContextToken(context!).value!;
      assert.deepEqual([isAnonymous, isGuest], expected, script);
      Sspi.deleteSecurityContext(context!);
    }
    assertNothingHeld();
  });

  it('takes the result of CompleteAuthToken, for 0x90313 and 0x90314', async () => {
    for (const [status, complete, expected] of [
      ['90313', '0', 'SEC_E_OK'],
      ['90313', '8009030f', 'SEC_E_MESSAGE_ALTERED'],
      ['90313', '90312', 'SEC_E_INTERNAL_ERROR'],
      ['90314', '0', 'SEC_I_CONTINUE_NEEDED'],
      ['90314', '8009030f', 'SEC_E_MESSAGE_ALTERED'],
    ] as const) {
      const result = await accept(`status=${status} complete=${complete} out=token name=LAB\\alice`);
      assert.equal(result.status.toString(16), status);
      assert.equal(Sspi.querySecurityContextToken(result.context!).status, Sspi.SEC_E_INVALID_HANDLE);
      const completed = await Sspi.completeAuthToken(result.context!, result.output);
      assert.equal(Sspi.statusName(completed.status), expected, `${status} and ${complete}`);
      if (completed.context === undefined) assert.deepEqual(completed.output, []);
      else {
        assert.deepEqual(outputOf(completed), ['token']);
        Sspi.deleteSecurityContext(completed.context);
      }
    }
    assertNothingHeld();
  });

  it('believes nothing of a call that says it wrote past its room', async () => {
    for (const claim of [4097, 65536, 4294967295]) {
      const result = await accept(`status=0 claim=${claim} name=LAB\\alice`);
      assert.equal(Sspi.statusName(result.status), 'SEC_E_INTERNAL_ERROR', String(claim));
      assert.deepEqual([result.context, result.output], [undefined, []]);
    }
    assertNothingHeld();
  });

  it('deletes what a failed first leg left behind', async () => {
    const result = await accept('status=8009030c begin=1');
    assert.equal(Sspi.statusName(result.status), 'SEC_E_LOGON_DENIED');
    assertNothingHeld();
  });

  it('goes on with the handle that a later leg gave in place of the first', async () => {
    let result = await accept('status=90312 out=1');
    for (let leg = 0; leg < 5; leg++) result = await accept('status=90312 out=2 new=1', result.context);
    result = await accept('status=0 new=1 name=LAB\\alice', result.context);
    assert.equal(Sspi.statusName(result.status), 'SEC_E_OK');
    assert.equal(Sspi.querySecurityContextToken(result.context!).value?.userName, 'alice');
    Sspi.deleteSecurityContext(result.context!);
    assertNothingHeld();
  });

  it('runs one call at a time on a context and discards the result of one that was deleted (A12, G10)', async () => {
    const { context } = await accept('status=90312 out=1');
    const slow = accept('status=0 sleep=50 name=LAB\\alice', context);
    assert.equal(Sspi.statusName((await accept('status=0', context)).status), 'SEC_E_INVALID_HANDLE');
    assert.equal(Sspi.deleteSecurityContext(context!), Sspi.SEC_E_OK);
    const result = await slow;
    assert.equal(Sspi.statusName(result.status), 'SEC_E_UNFINISHED_CONTEXT_DELETED');
    assertNothingHeld();
  });

  it('survives a credential that is freed while its first leg runs', async () => {
    const own = await Sspi.acquireCredentialsHandle({
      package: ntlm(library.path),
      credentialUse: 'both',
      principal: 'HTTP/x',
    });
    const running = Sspi.acceptSecurityContext({
      credential: own,
      context: undefined,
      input: [{ type: Sspi.SECBUFFER_TOKEN, data: Buffer.from('status=0 sleep=50 name=LAB\\alice') }],
      requirements: 0,
      targetDataRep: Sspi.SECURITY_NATIVE_DREP,
    });
    Sspi.freeCredentialsHandle(own);
    const result = await running;
    assert.equal(Sspi.statusName(result.status), 'SEC_E_OK');
    Sspi.deleteSecurityContext(result.context!);
    assertNothingHeld();
  });

  it(`answers hundreds of calls at once, ${asyncCallLimit} of them on threads`, async () => {
    const results = await Promise.all(
      Array.from({ length: 600 }, (_, index) => accept(`status=0 out=${index} name=LAB\\user${index}`)),
    );
    results.forEach((result, index) => {
      assert.deepEqual(outputOf(result), [String(index)]);
      assert.equal(Sspi.querySecurityContextToken(result.context!).value?.userName, `user${index}`);
      Sspi.deleteSecurityContext(result.context!);
    });
    assertNothingHeld();
  });

  it('never carries bytes of one call into another', async () => {
    const secret = await accept('status=0 out=s3cret name=LAB\\alice');
    Sspi.deleteSecurityContext(secret.context!);
    // Six bytes claimed, none written: the room was wiped.
    const next = await accept('status=0 claim=6 name=LAB\\bob');
    assert.deepEqual(outputOf(next), ['\0\0\0\0\0\0']);
    Sspi.deleteSecurityContext(next.context!);
    assertNothingHeld();
  });
});
