/** The rows of the status codes. */
import assert from 'node:assert/strict';
import { secur32Packages } from '../../src/native/secur32/index.ts';
import { ntlmPackage } from '../../src/packages/ntlm/ntlm-package.ts';
import * as Sspi from '../../src/sspi/index.ts';
import { negotiateMessage, WINDOWS_FLAGS } from '../packages/ntlm/ntlm-client.ts';
import { scratchFolder } from '../lab/scratch.ts';
import { buildScriptedSspi } from '../lab/scripted-sspi.ts';
import { WinprClient, winprLibrary } from '../lab/winpr.ts';
import {
  accounts,
  assertStatus,
  ntlm,
  HTTP,
  digestCredential,
  digestLeg,
  digestAnswer,
  bindingsBuffer,
  otherBindings,
  bound,
  source,
  digestSignsIn,
} from './conformance-handshakes.ts';
import { incompleteRecord } from './conformance-schannel.ts';
import type { ConformanceRow } from './conformance-row.ts';
import type { Witness } from './witness.ts';

/** The library says what its tokens say. The token may be sent when completeAuthToken has signed it. */
async function completeAndContinue(witness: Witness): Promise<void> {
  await using folder = await scratchFolder('conformance');
  const library = await buildScriptedSspi(folder);
  const owner = secur32Packages(library.path).find(({ info }) => info.name === 'NTLM')!;
  const credential = await witness.acquire(owner);
  const first = await witness.accept(credential, undefined, 'status=90314 complete=0 out=token name=LAB\\alice');
  assertStatus(first, Sspi.SEC_I_COMPLETE_AND_CONTINUE);
  assert.equal(Sspi.queryContextAttributes(first.context!, Sspi.SECPKG_ATTR_NAMES).status, Sspi.SEC_E_INVALID_HANDLE);
  const early = await witness.accept(credential, first.context, 'status=0');
  assertStatus(early, Sspi.SEC_E_INVALID_HANDLE);
  const completed = await Sspi.completeAuthToken(first.context!, first.output);
  assertStatus(completed, Sspi.SEC_I_CONTINUE_NEEDED);
  assert.equal(Buffer.from(completed.output[0]!.data).toString(), 'token');
  const last = await witness.accept(credential, first.context, 'status=0');
  assertStatus(last, Sspi.SEC_E_OK);
  assert.equal(Sspi.querySecurityContextToken(last.context!).value?.userName, 'alice');
  const broken = await witness.accept(credential, undefined, 'status=90314 complete=8009030f out=token');
  assertStatus(await Sspi.completeAuthToken(broken.context!, broken.output), Sspi.SEC_E_MESSAGE_ALTERED);
  witness.release();
  const { contexts, credentials, wrong } = library.counts();
  assert.deepEqual([contexts, credentials, wrong], [0, 0, 0]);
}

export const statusRows: readonly ConformanceRow[] = [
  {
    kind: 'status',
    name: 'SEC_E_OK',
    says: 'NTLM with the right password; attributes are there only now',
    async holds(witness) {
      const { last } = await ntlm(witness);
      assertStatus(last, Sspi.SEC_E_OK);
      assert.equal(typeof last.attributes, 'number');
    },
  },
  {
    kind: 'status',
    name: 'SEC_I_CONTINUE_NEEDED',
    says: 'the first leg of NTLM gives a context and a token, and nothing can be asked of the context',
    async holds(witness) {
      const credential = await witness.acquire(ntlmPackage, { accounts, domain: 'LAB', computerName: 'SERVER' });
      const first = await witness.accept(credential, undefined, negotiateMessage(WINDOWS_FLAGS));
      assertStatus(first, Sspi.SEC_I_CONTINUE_NEEDED);
      assert.ok(first.context !== undefined && first.output.length === 1);
      assert.equal(Sspi.querySecurityContextToken(first.context).status, Sspi.SEC_E_INVALID_HANDLE);
    },
  },
  {
    kind: 'status',
    name: 'SEC_I_COMPLETE_NEEDED',
    says: 'the last leg of WinPR’s NTLM with a wrong password; completeAuthToken refuses',
    needs: ['winpr'],
    async holds(witness) {
      const owner = secur32Packages(winprLibrary).find(({ info }) => info.name === 'NTLM')!;
      const credential = await witness.acquire(owner);
      using client = new WinprClient('NTLM', { user: 'nobody', domain: '', password: 'at all' });
      const first = await witness.accept(credential, undefined, client.next(undefined)!);
      const challenge = Sspi.findBuffer(first.output, Sspi.SECBUFFER_TOKEN)!.data;
      const last = await witness.accept(credential, first.context, client.next(challenge)!);
      assertStatus(last, Sspi.SEC_I_COMPLETE_NEEDED);
      assert.equal(last.attributes, undefined);
      const result = await Sspi.completeAuthToken(last.context!, last.output);
      assert.ok(result.status >= 0x80000000, Sspi.statusName(result.status));
    },
  },
  {
    kind: 'status',
    name: 'SEC_I_COMPLETE_AND_CONTINUE',
    says: 'no package of this library gives it: a library with the interface of secur32.dll that does; completeAuthToken',
    needs: ['compiler'],
    holds: completeAndContinue,
  },
  {
    kind: 'status',
    name: 'SEC_E_BAD_BINDINGS',
    says: 'NTLM where bindings are required and the client saw another certificate, or sent none',
    async holds(witness) {
      for (const client of [{}, bound(otherBindings)]) {
        const { last } = await ntlm(witness, { buffers: [bindingsBuffer], client });
        assertStatus(last, Sspi.SEC_E_BAD_BINDINGS);
      }
    },
  },
  {
    kind: 'status',
    name: 'SEC_E_INCOMPLETE_MESSAGE',
    says: 'Schannel with a part of a ClientHello: nothing is consumed, and the whole goes on with the same context',
    holds: incompleteRecord,
  },
  {
    kind: 'status',
    name: 'SEC_E_INSUFFICIENT_MEMORY',
    says: 'NTLM with an output buffer of the caller’s that is too small for the challenge',
    async holds(witness) {
      const credential = await witness.acquire(ntlmPackage, { accounts, domain: 'LAB', computerName: 'SERVER' });
      const output = [{ type: Sspi.SECBUFFER_TOKEN, data: new Uint8Array(8) }];
      const result = await witness.accept(credential, undefined, negotiateMessage(WINDOWS_FLAGS), { output });
      assertStatus(result, Sspi.SEC_E_INSUFFICIENT_MEMORY);
      assert.equal(result.context, undefined);
    },
  },
  {
    kind: 'status',
    name: 'SEC_E_INTERNAL_ERROR',
    says: 'NTLM whose account source throws',
    async holds(witness) {
      const broken = source(() => {
        throw new Error('broken');
      });
      assertStatus((await ntlm(witness, { source: broken })).last, Sspi.SEC_E_INTERNAL_ERROR);
    },
  },
  {
    kind: 'status',
    name: 'SEC_E_INVALID_HANDLE',
    says: 'NTLM with a context that was deleted, and with one that never was; 0x80090301, not the 0x80100003 of one page',
    async holds(witness) {
      const { last, credential } = await ntlm(witness);
      Sspi.deleteSecurityContext(last.context!);
      for (const context of [last.context, new Sspi.ContextHandle()]) {
        const result = await witness.accept(credential, context, negotiateMessage(WINDOWS_FLAGS));
        assert.equal(result.status, 0x80090301);
      }
    },
  },
  {
    kind: 'status',
    name: 'SEC_E_INVALID_TOKEN',
    says: 'NTLM with bytes that are no NEGOTIATE_MESSAGE',
    async holds(witness) {
      const credential = await witness.acquire(ntlmPackage, { accounts, domain: 'LAB', computerName: 'SERVER' });
      for (const token of ['', 'NTLMSSP\0', 'no token at all']) {
        assertStatus(await witness.accept(credential, undefined, token), Sspi.SEC_E_INVALID_TOKEN);
      }
    },
  },
  {
    kind: 'status',
    name: 'SEC_E_LOGON_DENIED',
    says: 'NTLM with a wrong password, and with an unknown account',
    async holds(witness) {
      for (const client of [{ password: 'wrong' }, { userName: 'mallory' }]) {
        assertStatus((await ntlm(witness, { client })).last, Sspi.SEC_E_LOGON_DENIED);
      }
    },
  },
  {
    kind: 'status',
    name: 'SEC_E_NO_AUTHENTICATING_AUTHORITY',
    says: 'NTLM whose account source cannot ask its domain controller',
    async holds(witness) {
      const away = source(() => ({ result: 'unavailable', reason: 'the domain controller is away' }));
      assertStatus((await ntlm(witness, { source: away })).last, Sspi.SEC_E_NO_AUTHENTICATING_AUTHORITY);
    },
  },
  {
    kind: 'status',
    name: 'SEC_E_NO_CREDENTIALS',
    says: 'Digest with a credential that was freed',
    async holds(witness) {
      const credential = await digestCredential(witness);
      Sspi.freeCredentialsHandle(credential);
      assertStatus(await digestLeg(witness, credential, undefined, ''), Sspi.SEC_E_NO_CREDENTIALS);
    },
  },
  {
    kind: 'status',
    name: 'SEC_E_SECURITY_QOS_FAILED',
    says: 'Digest over HTTP where confidentiality is required',
    async holds(witness) {
      const credential = await digestCredential(witness);
      const requirements = HTTP | Sspi.ASC_REQ_CONFIDENTIALITY;
      assertStatus(await digestLeg(witness, credential, undefined, '', requirements), Sspi.SEC_E_SECURITY_QOS_FAILED);
    },
  },
  {
    kind: 'status',
    name: 'SEC_E_UNSUPPORTED_FUNCTION',
    says: 'NTLM with ALLOW_MISSING_BINDINGS and PROXY_BINDINGS together, Digest without ASC_REQ_HTTP',
    async holds(witness) {
      const credential = await witness.acquire(ntlmPackage, { accounts, domain: 'LAB', computerName: 'SERVER' });
      const requirements = Sspi.ASC_REQ_ALLOW_MISSING_BINDINGS | Sspi.ASC_REQ_PROXY_BINDINGS;
      const result = await witness.accept(credential, undefined, negotiateMessage(WINDOWS_FLAGS), { requirements });
      assertStatus(result, Sspi.SEC_E_UNSUPPORTED_FUNCTION);
      const digest = await digestCredential(witness);
      assertStatus(await digestLeg(witness, digest, undefined, '', 0), Sspi.SEC_E_UNSUPPORTED_FUNCTION);
    },
  },
  {
    kind: 'status',
    name: 'STATUS_LOGON_FAILURE',
    says: 'Digest called once more after its context stood',
    async holds(witness) {
      const { credential, challenge, last } = await digestSignsIn(witness);
      const again = await digestLeg(witness, credential, last.context, digestAnswer(challenge, '00000002'));
      assertStatus(again, Sspi.STATUS_LOGON_FAILURE);
    },
  },
];
