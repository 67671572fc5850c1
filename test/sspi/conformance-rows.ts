/**
 * The promises of AcceptSecurityContext (General), one row each, and the proof of each as a function. To add the proof of
 * a row that waits, give it `holds` in place of `waits`; docs/sspi.md then has to say the same.
 */
import assert from 'node:assert/strict';
import type { AccountSource } from '../../src/accounts/account-source.ts';
import { memoryAccounts } from '../../src/accounts/memory-accounts.ts';
import { encodeChannelBindings } from '../../src/formats/channel-bindings.ts';
import { channelBindingsHash } from '../../src/crypto/channel-bindings-hash.ts';
import { decodeChannelBindings } from '../../src/formats/channel-bindings.ts';
import { secur32Packages } from '../../src/native/secur32/index.ts';
import { digestPackage } from '../../src/packages/digest/index.ts';
import { negotiatePackage } from '../../src/packages/negotiate/index.ts';
import { ntlmPackage } from '../../src/packages/ntlm/ntlm-package.ts';
import * as Sspi from '../../src/sspi/index.ts';
import { answerChallenge } from '../packages/digest/digest-client.ts';
import { authenticateMessage, negotiateMessage, WINDOWS_FLAGS } from '../packages/ntlm/ntlm-client.ts';
import type { ClientOptions, ClientResult } from '../packages/ntlm/ntlm-client.ts';
import { WinprClient, winprLibrary } from '../lab/winpr.ts';
import { kerberosDelegates, kerberosSignsIn, negotiateRunsKerberos, peerIsTold } from './conformance-kerberos.ts';
import type { LegOptions, Witness } from './witness.ts';

/** What a row is about. */
export type RowKind = 'package' | 'status' | 'requirement';

/** A tier that a proof may need. */
export type ConformanceTier = 'winpr' | 'kdc';

/** One row of the table. */
export interface ConformanceRow {
  readonly kind: RowKind;
  readonly name: string;
  /** How it is proven, or what it waits for; docs/sspi.md says it in the same words. */
  readonly says: string;
  /** The proof. Left out: the row waits. */
  readonly holds?: (witness: Witness) => Promise<void>;
  /** The tiers the proof needs beyond Node. */
  readonly needs?: readonly ConformanceTier[];
}

const PASSWORD = 'wonderland';
const accounts = memoryAccounts([{ userName: 'alice', domain: 'LAB', password: PASSWORD }]);

type Result = Sspi.AcceptSecurityContextResult;

function assertStatus(result: Result, status: number): void {
  assert.equal(Sspi.statusName(result.status), Sspi.statusName(status));
}

/** An NTLM handshake, to its last leg. */
async function ntlm(
  witness: Witness,
  options: LegOptions & { readonly client?: Partial<ClientOptions>; readonly source?: AccountSource } = {},
): Promise<{ readonly last: Result; readonly client: ClientResult; readonly credential: Sspi.CredentialHandle }> {
  const authData = { accounts: options.source ?? accounts, domain: 'LAB', computerName: 'SERVER' };
  const credential = await witness.acquire(ntlmPackage, authData);
  const type1 = negotiateMessage(WINDOWS_FLAGS);
  const first = await witness.accept(credential, undefined, type1, options);
  assertStatus(first, Sspi.SEC_I_CONTINUE_NEEDED);
  assert.equal(first.attributes === undefined || first.attributes === Sspi.ASC_RET_ALLOCATED_MEMORY, true);
  const challenge = Sspi.findBuffer(first.output, Sspi.SECBUFFER_TOKEN)!.data;
  const identity = { userName: 'alice', domain: 'LAB', password: PASSWORD, mic: true, ...options.client };
  const client = authenticateMessage(type1, challenge, identity);
  return { last: await witness.accept(credential, first.context, client.message, options), client, credential };
}

const HTTP = Sspi.ASC_REQ_HTTP;

function digestBuffers(): Sspi.SecBuffer[] {
  return ['GET', '/'].map((text) => ({ type: Sspi.SECBUFFER_PKG_PARAMS, data: Buffer.from(text) }));
}

async function digestCredential(witness: Witness): Promise<Sspi.CredentialHandle> {
  return witness.acquire(digestPackage, { accounts, realm: 'LAB', domain: 'LAB' });
}

/** A leg of Digest for `GET /`. */
async function digestLeg(
  witness: Witness,
  credential: Sspi.CredentialHandle,
  context: Sspi.ContextHandle | undefined,
  token: string,
  requirements = HTTP,
): Promise<Result> {
  return witness.accept(credential, context, token, { requirements, buffers: digestBuffers() });
}

function digestAnswer(challenge: Result, nc = '00000001'): string {
  const text = Buffer.from(challenge.output[0]!.data).toString('latin1');
  return answerChallenge(text, { userName: 'alice', password: PASSWORD, method: 'GET', uri: '/', nc });
}

const bindings = encodeChannelBindings(Buffer.from('tls-server-end-point:a certificate'));
const bindingsBuffer = { type: Sspi.SECBUFFER_CHANNEL_BINDINGS, data: bindings };
const otherBindings = encodeChannelBindings(Buffer.from('tls-server-end-point:another one'));
/** A client that saw these bindings (MsvAvChannelBindings, MS-NLMP section 2.2.2.1). */
const bound = (seen: Uint8Array): Partial<ClientOptions> => ({
  pairs: [[10, channelBindingsHash(decodeChannelBindings(seen))]],
});

function source(judgeNtlm: NonNullable<AccountSource['judgeNtlm']>): AccountSource {
  return { description: 'conformance', judgeNtlm };
}

/** Asserts that bits are among the attributes of a context that stands. */
function assertGranted({ status, attributes = 0 }: Result, bits: number): void {
  assert.equal(Sspi.statusName(status), 'SEC_E_OK');
  assert.equal(attributes & bits, bits);
}

const packages: readonly ConformanceRow[] = [
  {
    kind: 'package',
    name: 'Negotiate',
    says: 'MIT’s SPNEGO client with a ticket and WinPR’s client with NTLM end in SEC_E_OK; the package that ran is told',
    needs: ['winpr', 'kdc'],
    async holds(witness) {
      await negotiateRunsKerberos(witness);
      const inner = { package: ntlmPackage, authData: { accounts, domain: 'LAB', computerName: 'SERVER' } };
      const credential = await witness.acquire(negotiatePackage, { packages: [inner] });
      using client = new WinprClient('Negotiate', { user: 'alice', domain: 'LAB', password: PASSWORD });
      let result = await witness.accept(credential, undefined, client.next(undefined)!);
      for (let leg = 0; leg < 3 && result.status === Sspi.SEC_I_CONTINUE_NEEDED; leg++) {
        result = await witness.accept(credential, result.context, client.next(result.output[0]!.data)!);
      }
      assertStatus(result, Sspi.SEC_E_OK);
      assert.equal(Sspi.querySecurityContextToken(result.context!).value?.userName, 'alice');
      const ran = Sspi.queryContextAttributes(result.context!, Sspi.SECPKG_ATTR_NEGOTIATION_INFO).value;
      assert.equal(ran?.package.name, 'NTLM');
    },
  },
  {
    kind: 'package',
    name: 'Kerberos',
    says: 'a ticket of an MIT KDC ends in SEC_E_OK and names the account; MIT’s client finds the server genuine',
    needs: ['kdc'],
    holds: kerberosSignsIn,
  },
  {
    kind: 'package',
    name: 'NTLM',
    says: 'an NTLMv2 handshake of two legs ends in SEC_E_OK and names the account',
    async holds(witness) {
      const { last } = await ntlm(witness);
      assertStatus(last, Sspi.SEC_E_OK);
      assert.equal(Sspi.querySecurityContextToken(last.context!).value?.userName, 'alice');
    },
  },
  {
    kind: 'package',
    name: 'Digest',
    says: 'a challenge and its SHA-256 answer end in SEC_E_OK and name the account',
    async holds(witness) {
      const credential = await digestCredential(witness);
      const challenge = await digestLeg(witness, credential, undefined, '');
      const last = await digestLeg(witness, credential, challenge.context, digestAnswer(challenge));
      assertStatus(last, Sspi.SEC_E_OK);
      assert.equal(Sspi.querySecurityContextToken(last.context!).value?.userName, 'alice');
    },
  },
  { kind: 'package', name: 'Schannel', says: 'waits for src/packages/schannel' },
  { kind: 'package', name: 'CredSSP', says: 'waits for src/packages/credssp' },
];

const statuses: readonly ConformanceRow[] = [
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
      const verdict = await Sspi.completeAuthToken(last.context!, last.output);
      assert.ok(verdict.status >= 0x80000000, Sspi.statusName(verdict.status));
    },
  },
  {
    kind: 'status',
    name: 'SEC_I_COMPLETE_AND_CONTINUE',
    says: 'waits for a package that gives it; the contract’s part is in test/sspi/accept-security-context.test.ts',
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
  { kind: 'status', name: 'SEC_E_INCOMPLETE_MESSAGE', says: 'waits for src/packages/schannel' },
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
      const away = source(() => ({ verdict: 'unavailable', reason: 'the domain controller is away' }));
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
      const credential = await digestCredential(witness);
      const challenge = await digestLeg(witness, credential, undefined, '');
      const last = await digestLeg(witness, credential, challenge.context, digestAnswer(challenge));
      assertStatus(last, Sspi.SEC_E_OK);
      const again = await digestLeg(witness, credential, last.context, digestAnswer(challenge, '00000002'));
      assertStatus(again, Sspi.STATUS_LOGON_FAILURE);
    },
  },
];

const requirementRows: readonly ConformanceRow[] = [
  {
    kind: 'requirement',
    name: 'ASC_REQ_ALLOCATE_MEMORY',
    says: 'NTLM allocates its challenge, says so on the first leg and leaves the caller’s buffers alone',
    async holds(witness) {
      const credential = await witness.acquire(ntlmPackage, { accounts, domain: 'LAB', computerName: 'SERVER' });
      const own = new Uint8Array(1);
      const result = await witness.accept(credential, undefined, negotiateMessage(WINDOWS_FLAGS), {
        requirements: Sspi.ASC_REQ_ALLOCATE_MEMORY,
        output: [{ type: Sspi.SECBUFFER_TOKEN, data: own }],
      });
      assertStatus(result, Sspi.SEC_I_CONTINUE_NEEDED);
      assert.equal(result.attributes, Sspi.ASC_RET_ALLOCATED_MEMORY);
      assert.notEqual(result.output[0]!.data.buffer, own.buffer);
    },
  },
  {
    kind: 'requirement',
    name: 'ASC_REQ_ALLOW_MISSING_BINDINGS',
    says: 'NTLM lets a client pass that says nothing of bindings, and still refuses wrong ones',
    async holds(witness) {
      const options = { buffers: [bindingsBuffer], requirements: Sspi.ASC_REQ_ALLOW_MISSING_BINDINGS };
      assertStatus((await ntlm(witness, options)).last, Sspi.SEC_E_OK);
      assertStatus((await ntlm(witness, { ...options, client: bound(bindings) })).last, Sspi.SEC_E_OK);
      assertStatus((await ntlm(witness, { ...options, client: bound(otherBindings) })).last, Sspi.SEC_E_BAD_BINDINGS);
      assertStatus((await ntlm(witness, { ...options, requirements: 0 })).last, Sspi.SEC_E_BAD_BINDINGS);
    },
  },
  {
    kind: 'requirement',
    name: 'ASC_REQ_CONFIDENTIALITY',
    says: 'NTLM seals messages and notices a changed one; Digest over HTTP refuses',
    async holds(witness) {
      const { last } = await ntlm(witness, { requirements: Sspi.ASC_REQ_CONFIDENTIALITY });
      assertGranted(last, Sspi.ASC_RET_CONFIDENTIALITY);
      const plain = Buffer.from('a message');
      const sealed = Sspi.encryptMessage(last.context!, [{ type: Sspi.SECBUFFER_DATA, data: plain }]);
      const data = Sspi.findBuffer(sealed.value!, Sspi.SECBUFFER_DATA)!.data;
      assert.notDeepEqual(Buffer.from(data), plain);
      // Sealed by the server is nothing the server would take for the client's.
      assert.notEqual(Sspi.decryptMessage(last.context!, sealed.value!).status, Sspi.SEC_E_OK);
      const credential = await digestCredential(witness);
      const refused = await digestLeg(witness, credential, undefined, '', HTTP | Sspi.ASC_REQ_CONFIDENTIALITY);
      assertStatus(refused, Sspi.SEC_E_SECURITY_QOS_FAILED);
    },
  },
  {
    kind: 'requirement',
    name: 'ASC_REQ_CONNECTION',
    says: 'NTLM and Digest grant it where it is asked for and not where it is not',
    async holds(witness) {
      const granted = (await ntlm(witness, { requirements: Sspi.ASC_REQ_CONNECTION })).last;
      assertGranted(granted, Sspi.ASC_RET_CONNECTION);
      const not = (await ntlm(witness, { requirements: 0 })).last;
      assert.equal((not.attributes ?? 0) & Sspi.ASC_RET_CONNECTION, 0);
      const credential = await digestCredential(witness);
      const challenge = await digestLeg(witness, credential, undefined, '', HTTP);
      const requirements = HTTP | Sspi.ASC_REQ_CONNECTION;
      const last = await digestLeg(witness, credential, challenge.context, digestAnswer(challenge), requirements);
      assertGranted(last, Sspi.ASC_RET_CONNECTION);
    },
  },
  {
    kind: 'requirement',
    name: 'ASC_REQ_DELEGATE',
    says: 'a forwarded ticket becomes a cache that gets tickets of the KDC; without the requirement none is kept',
    needs: ['kdc'],
    holds: kerberosDelegates,
  },
  {
    kind: 'requirement',
    name: 'ASC_REQ_EXTENDED_ERROR',
    says: 'MIT’s client reads a replay out of KRB-ERROR, raw and in SPNEGO, and takes a reject; without it no token',
    needs: ['kdc'],
    holds: peerIsTold,
  },
  {
    kind: 'requirement',
    name: 'ASC_REQ_HTTP',
    says: 'Digest challenges for HTTP with it and has no other mechanism without it',
    async holds(witness) {
      const credential = await digestCredential(witness);
      assertStatus(await digestLeg(witness, credential, undefined, '', 0), Sspi.SEC_E_UNSUPPORTED_FUNCTION);
      const challenge = await digestLeg(witness, credential, undefined, '', HTTP);
      assertStatus(challenge, Sspi.SEC_I_CONTINUE_NEEDED);
      const last = await digestLeg(witness, credential, challenge.context, digestAnswer(challenge), HTTP);
      assertStatus(last, Sspi.SEC_E_OK);
    },
  },
  {
    kind: 'requirement',
    name: 'ASC_REQ_INTEGRITY',
    says: 'NTLM signs; with a client that does not negotiate it the attribute is missing and makeSignature refuses',
    async holds(witness) {
      const requirements = Sspi.ASC_REQ_INTEGRITY;
      const { last } = await ntlm(witness, { requirements });
      assertGranted(last, Sspi.ASC_RET_INTEGRITY);
      const message = [{ type: Sspi.SECBUFFER_DATA, data: Buffer.from('a message') }];
      assert.equal(Sspi.makeSignature(last.context!, message).value?.[0]?.data.byteLength, 16);
      const unsigned = (await ntlm(witness, { requirements, client: { flags: WINDOWS_FLAGS & ~0x30 } })).last;
      assertStatus(unsigned, Sspi.SEC_E_OK);
      assert.equal((unsigned.attributes ?? 0) & Sspi.ASC_RET_INTEGRITY, 0);
      assert.equal(Sspi.makeSignature(unsigned.context!, message).status, Sspi.SEC_E_QOP_NOT_SUPPORTED);
    },
  },
  { kind: 'requirement', name: 'ASC_REQ_MUTUAL_AUTH', says: 'waits for src/packages/schannel' },
  {
    kind: 'requirement',
    name: 'ASC_REQ_PROXY_BINDINGS',
    says: 'NTLM without bindings of its own wants some of the client, whatever they are',
    async holds(witness) {
      const requirements = Sspi.ASC_REQ_PROXY_BINDINGS;
      assertStatus((await ntlm(witness, { requirements, client: bound(otherBindings) })).last, Sspi.SEC_E_OK);
      assertStatus((await ntlm(witness, { requirements })).last, Sspi.SEC_E_BAD_BINDINGS);
      const zeros: Partial<ClientOptions> = { pairs: [[10, new Uint8Array(16)]] };
      assertStatus((await ntlm(witness, { requirements, client: zeros })).last, Sspi.SEC_E_BAD_BINDINGS);
    },
  },
  {
    kind: 'requirement',
    name: 'ASC_REQ_REPLAY_DETECT',
    says: 'Digest answers a nonce count that was used with a new challenge; NTLM numbers its messages',
    async holds(witness) {
      const requirements = HTTP | Sspi.ASC_REQ_REPLAY_DETECT;
      const credential = await digestCredential(witness);
      const challenge = await digestLeg(witness, credential, undefined, '', requirements);
      const answer = digestAnswer(challenge);
      assertGranted(await digestLeg(witness, credential, undefined, answer, requirements), Sspi.ASC_RET_REPLAY_DETECT);
      assertStatus(await digestLeg(witness, credential, undefined, answer, requirements), Sspi.SEC_I_CONTINUE_NEEDED);
      assertGranted(
        (await ntlm(witness, { requirements: Sspi.ASC_REQ_REPLAY_DETECT })).last,
        Sspi.ASC_RET_REPLAY_DETECT,
      );
    },
  },
  {
    kind: 'requirement',
    name: 'ASC_REQ_SEQUENCE_DETECT',
    says: 'Digest answers a nonce count below the highest with a new challenge, and only then; NTLM numbers its messages',
    async holds(witness) {
      for (const [requirements, status] of [
        [HTTP | Sspi.ASC_REQ_SEQUENCE_DETECT, Sspi.SEC_I_CONTINUE_NEEDED],
        [HTTP, Sspi.SEC_E_OK],
      ] as const) {
        const credential = await digestCredential(witness);
        const challenge = await digestLeg(witness, credential, undefined, '', requirements);
        const second = await digestLeg(
          witness,
          credential,
          undefined,
          digestAnswer(challenge, '00000002'),
          requirements,
        );
        assertGranted(second, requirements & Sspi.ASC_RET_SEQUENCE_DETECT);
        const first = await digestLeg(
          witness,
          credential,
          undefined,
          digestAnswer(challenge, '00000001'),
          requirements,
        );
        assertStatus(first, status);
      }
      assertGranted(
        (await ntlm(witness, { requirements: Sspi.ASC_REQ_SEQUENCE_DETECT })).last,
        Sspi.ASC_RET_SEQUENCE_DETECT,
      );
    },
  },
  { kind: 'requirement', name: 'ASC_REQ_STREAM', says: 'waits for src/packages/schannel' },
];

/** All thirty-five, in the order of docs/sspi.md. */
export const conformanceRows: readonly ConformanceRow[] = [...packages, ...statuses, ...requirementRows];
