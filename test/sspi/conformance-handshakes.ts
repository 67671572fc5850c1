/** Handshakes of NTLM and Digest that prove rows of the table. */
import assert from 'node:assert/strict';
import type { AccountSource } from '../../src/accounts/account-source.ts';
import { memoryAccounts } from '../../src/accounts/memory-accounts.ts';
import { encodeChannelBindings } from '../../src/formats/channel-bindings.ts';
import { channelBindingsHash } from '../../src/crypto/channel-bindings-hash.ts';
import { decodeChannelBindings } from '../../src/formats/channel-bindings.ts';
import { digestPackage } from '../../src/packages/digest/index.ts';
import { ntlmPackage } from '../../src/packages/ntlm/ntlm-package.ts';
import * as Sspi from '../../src/sspi/index.ts';
import { answerChallenge } from '../packages/digest/digest-client.ts';
import { authenticateMessage, negotiateMessage, WINDOWS_FLAGS } from '../packages/ntlm/ntlm-client.ts';
import type { ClientOptions, ClientResult } from '../packages/ntlm/ntlm-client.ts';
import type { LegOptions, Witness } from './witness.ts';

export const PASSWORD = 'wonderland';
export const accounts = memoryAccounts([{ userName: 'alice', domain: 'LAB', password: PASSWORD }]);

export type Result = Sspi.AcceptSecurityContextResult;

export function assertStatus(result: Result, status: number): void {
  assert.equal(Sspi.statusName(result.status), Sspi.statusName(status));
}

/** An NTLM handshake, to its last leg. */
export async function ntlm(
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

export const HTTP = Sspi.ASC_REQ_HTTP;

export function digestBuffers(): Sspi.SecBuffer[] {
  return ['GET', '/'].map((text) => ({ type: Sspi.SECBUFFER_PKG_PARAMS, data: Buffer.from(text) }));
}

export async function digestCredential(witness: Witness): Promise<Sspi.CredentialHandle> {
  return witness.acquire(digestPackage, { accounts, realm: 'LAB', domain: 'LAB' });
}

/** A leg of Digest for `GET /`. */
export async function digestLeg(
  witness: Witness,
  credential: Sspi.CredentialHandle,
  context: Sspi.ContextHandle | undefined,
  token: string,
  requirements = HTTP,
): Promise<Result> {
  return witness.accept(credential, context, token, { requirements, buffers: digestBuffers() });
}

/** Challenge and answer of Digest, to SEC_E_OK. */
export async function digestSignsIn(
  witness: Witness,
): Promise<{ readonly credential: Sspi.CredentialHandle; readonly challenge: Result; readonly last: Result }> {
  const credential = await digestCredential(witness);
  const challenge = await digestLeg(witness, credential, undefined, '');
  const last = await digestLeg(witness, credential, challenge.context, digestAnswer(challenge));
  assertStatus(last, Sspi.SEC_E_OK);
  return { credential, challenge, last };
}

export function digestAnswer(challenge: Result, nc = '00000001'): string {
  const text = Buffer.from(challenge.output[0]!.data).toString('latin1');
  return answerChallenge(text, { userName: 'alice', password: PASSWORD, method: 'GET', uri: '/', nc });
}

export const bindings = encodeChannelBindings(Buffer.from('tls-server-end-point:a certificate'));
export const bindingsBuffer = { type: Sspi.SECBUFFER_CHANNEL_BINDINGS, data: bindings };
export const otherBindings = encodeChannelBindings(Buffer.from('tls-server-end-point:another one'));
/** A client that saw these bindings (MsvAvChannelBindings, MS-NLMP section 2.2.2.1). */
export const bound = (seen: Uint8Array): Partial<ClientOptions> => ({
  pairs: [[10, channelBindingsHash(decodeChannelBindings(seen))]],
});

export function source(verifyNtlm: NonNullable<AccountSource['verifyNtlm']>): AccountSource {
  return { description: 'conformance', verifyNtlm };
}

/** Asserts that bits are among the attributes of a context that stands. */
export function assertGranted({ status, attributes = 0 }: Result, bits: number): void {
  assert.equal(Sspi.statusName(status), 'SEC_E_OK');
  assert.equal(attributes & bits, bits);
}
