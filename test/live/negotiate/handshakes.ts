/** Whole handshakes between real clients and Negotiate, through acceptSecurityContext. */
import assert from 'node:assert/strict';
import { negotiatePackage } from '../../../src/packages/negotiate/index.ts';
import type { NegotiateInnerPackage } from '../../../src/packages/negotiate/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import type { Initiator, InitiatorLine } from '../../lab/gssapi-initiator.ts';

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
  /** What the client said when its context stood. */
  readonly established: InitiatorLine;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const bytes = (text: string | undefined | null): Buffer => Buffer.from(text ?? '', 'base64');

/**
 * Carries tokens between a client and the server until both contexts stand.
 *
 * @throws AssertionError where either refuses
 */
export async function handshake(credential: Sspi.CredentialHandle, client: Initiator): Promise<Finished> {
  const clientTokens: Uint8Array[] = [];
  const serverTokens: Uint8Array[] = [];
  let result: Sspi.AcceptSecurityContextResult | undefined;
  for (;;) {
    const line = await client.next();
    assert.equal(line.error, undefined);
    if (typeof line.token !== 'string') {
      assert.equal(line.complete, true);
      break;
    }
    assert.notEqual(result?.status, Sspi.SEC_E_OK, 'the client goes on after SEC_E_OK');
    const token = Uint8Array.from(bytes(line.token));
    clientTokens.push(token);
    result = await leg(credential, token, result?.context);
    assert.ok(Sspi.keepsContext(result.status), `${Sspi.statusName(result.status)} ${result.diagnosis?.text ?? ''}`);
    const answer = tokenOf(result);
    if (answer === undefined) {
      assert.equal(result.status, Sspi.SEC_E_OK);
      client.answer({ done: true });
      break;
    }
    serverTokens.push(Uint8Array.from(answer));
    // A client without mutual authentication has nothing to do with a last token, unless it is SPNEGO's.
    if (result.status === Sspi.SEC_E_OK && line.complete === true) {
      client.answer({ done: true });
      break;
    }
    client.answer({ token: base64(answer) });
  }
  assert.ok(result?.context !== undefined);
  assert.equal(result.status, Sspi.SEC_E_OK);
  const established = await client.next();
  assert.equal(established.error, undefined);
  return { result, context: result.context, clientTokens, serverTokens, established };
}

/** Signs and seals in both directions: the keys, the sequence numbers and the cipher states agree. */
export async function protectMessages({ context, established }: Finished, client: Initiator): Promise<void> {
  const data = (text: string): Sspi.SecBuffer => ({ type: Sspi.SECBUFFER_DATA, data: Buffer.from(text) });
  const signed = [data('from the client'), { type: Sspi.SECBUFFER_TOKEN, data: bytes(established.mic) }];
  assert.equal(Sspi.statusName(Sspi.verifySignature(context, signed).status), 'SEC_E_OK');
  for (const [wrapped, text] of [
    [established.wrapped, 'from the client'],
    [established.second, 'a second one'],
  ] as const) {
    const opened = Sspi.decryptMessage(context, sealed(context, bytes(wrapped)));
    assert.equal(Sspi.statusName(opened.status), 'SEC_E_OK');
    assert.equal(Buffer.from(opened.value?.[0]?.data ?? []).toString(), text);
  }
  const mic = Sspi.makeSignature(context, [data('from the server')]);
  const seal = (text: string): string => {
    const { value = [] } = Sspi.encryptMessage(context, [data(text)]);
    return base64(Buffer.concat(value.map((buffer) => buffer.data)));
  };
  client.answer({
    mic: base64(mic.value?.[0]?.data ?? new Uint8Array(0)),
    wrapped: seal('sealed'),
    second: seal('again'),
  });
  for (const text of ['sealed', 'again']) {
    const line = await client.next();
    assert.deepEqual(
      { error: line.error, opened: line.opened, encrypted: line.encrypted },
      { error: undefined, opened: text, encrypted: true },
    );
  }
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
