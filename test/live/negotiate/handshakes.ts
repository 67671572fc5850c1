/** Whole handshakes between real clients and Negotiate, through acceptSecurityContext. */
import assert from 'node:assert/strict';
import { negotiatePackage } from '../../../src/packages/negotiate/index.ts';
import type { NegotiateInnerPackage } from '../../../src/packages/negotiate/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import type { GssClient, InitiateOptions } from '../../lab/gss-client.ts';
import { decryptNow, encryptNow } from '../../sspi/messages-now.ts';

/** Negotiate's credential over inner packages. */
export async function negotiateCredential(
  ...packages: readonly NegotiateInnerPackage[]
): Promise<Sspi.CredentialHandle> {
  return Sspi.acquireCredentialsHandle({ package: negotiatePackage, credentialUse: 'inbound', authData: { packages } });
}

/** One leg. */
export async function leg(
  credential: Sspi.CredentialHandle,
  token: Uint8Array,
  context?: Sspi.ContextHandle,
): Promise<Sspi.AcceptSecurityContextResult> {
  return Sspi.acceptSecurityContext({
    credential,
    context,
    input: [{ type: Sspi.SECBUFFER_TOKEN, data: token }],
    requirements: Sspi.ASC_REQ_CONNECTION | Sspi.ASC_REQ_EXTENDED_ERROR,
    targetDataRep: Sspi.SECURITY_NATIVE_DREP,
  });
}

export function tokenOf(result: Sspi.AcceptSecurityContextResult): Uint8Array | undefined {
  return Sspi.findBuffer(result.output, Sspi.SECBUFFER_TOKEN)?.data;
}

/** A handshake that came to its end. */
export interface Finished {
  /** The last result of the server. */
  readonly result: Sspi.AcceptSecurityContextResult;
  readonly context: Sspi.ContextHandle;
  /** Tokens of the client, and of the server, in order. */
  readonly clientTokens: readonly Uint8Array[];
  readonly serverTokens: readonly Uint8Array[];
}

/**
 * Carries tokens between a client and the server until both contexts stand.
 *
 * @throws AssertionError where the server refuses, Error where the client does
 */
export async function handshake(
  credential: Sspi.CredentialHandle,
  client: GssClient,
  options: InitiateOptions,
): Promise<Finished> {
  const clientTokens: Uint8Array[] = [];
  const serverTokens: Uint8Array[] = [];
  let result: Sspi.AcceptSecurityContextResult | undefined;
  let token = await client.initiate(options);
  while (token.byteLength > 0) {
    assert.notEqual(result?.status, Sspi.SEC_E_OK, 'the client goes on after SEC_E_OK');
    clientTokens.push(Uint8Array.from(token));
    result = await leg(credential, Uint8Array.from(token), result?.context);
    assert.ok(Sspi.keepsContext(result.status), `${Sspi.statusName(result.status)} ${result.diagnosis?.text ?? ''}`);
    const answer = tokenOf(result);
    if (answer === undefined) break;
    serverTokens.push(Uint8Array.from(answer));
    // A client without mutual authentication has nothing to do with a last token, unless it is SPNEGO's.
    if (result.status === Sspi.SEC_E_OK && client.complete) break;
    ({ token } = await client.step(answer));
  }
  assert.ok(client.complete, 'the server is done, the client is not');
  assert.ok(result?.context !== undefined);
  assert.equal(Sspi.statusName(result.status), 'SEC_E_OK');
  return { result, context: result.context, clientTokens, serverTokens };
}

/** Signs and seals in both directions: the keys, the sequence numbers and the cipher states agree. */
export async function protectMessages({ context }: Finished, client: GssClient): Promise<void> {
  const data = (text: string): Sspi.SecBuffer => ({ type: Sspi.SECBUFFER_DATA, data: Buffer.from(text) });
  const ours = data('from the client');
  const signed = [ours, { type: Sspi.SECBUFFER_TOKEN, data: await client.sign(ours.data) }];
  assert.equal(Sspi.statusName(Sspi.verifySignature(context, signed).status), 'SEC_E_OK');
  const wrapped: (readonly [string, Buffer])[] = [];
  for (const text of ['from the client', 'a second one']) wrapped.push([text, await client.wrap(Buffer.from(text))]);
  for (const [text, message] of wrapped) {
    const opened = decryptNow(context, sealed(context, message));
    assert.equal(Sspi.statusName(opened.status), 'SEC_E_OK');
    assert.equal(Buffer.from(opened.value?.[0]?.data ?? []).toString(), text);
  }
  const theirs = data('from the server');
  const mic = Sspi.makeSignature(context, [theirs]);
  const messages = ['sealed', 'again'].map((text) => {
    const { value = [] } = encryptNow(context, [data(text)]);
    return [text, Buffer.concat(value.map((buffer) => buffer.data))] as const;
  });
  await client.verify(theirs.data, mic.value?.[0]?.data ?? new Uint8Array(0));
  for (const [text, message] of messages) assert.equal((await client.unwrap(message)).toString(), text);
}

/** The output of GSS_Wrap as SSPI wants it: NTLM's signature is a buffer of its own, Kerberos' token one stream. */
function sealed(context: Sspi.ContextHandle, wrapped: Buffer): readonly Sspi.SecBuffer[] {
  const { value } = Sspi.queryContextAttributes(context, Sspi.SECPKG_ATTR_NEGOTIATION_INFO);
  if (value?.package.name === 'Kerberos') return [{ type: Sspi.SECBUFFER_STREAM, data: wrapped }];
  return [
    { type: Sspi.SECBUFFER_TOKEN, data: wrapped.subarray(0, 16) },
    { type: Sspi.SECBUFFER_DATA, data: wrapped.subarray(16) },
  ];
}

/** The package that ran and the name it gives the client. */
export function whoRan(context: Sspi.ContextHandle): readonly [string | undefined, string | undefined] {
  const { value } = Sspi.queryContextAttributes(context, Sspi.SECPKG_ATTR_NEGOTIATION_INFO);
  return [value?.package.name, Sspi.queryContextAttributes(context, Sspi.SECPKG_ATTR_NAMES).value];
}
