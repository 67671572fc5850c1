/**
 * Verifies the bytes of an Authorization field by acceptSecurityContext. Knows schemes and contexts. Connection state,
 * identity and policy belong to other files of this folder.
 */
import { reason } from '../identity/reasons/reason.ts';
import {
  acceptSecurityContext,
  ASC_REQ_ALLOW_MISSING_BINDINGS,
  ASC_REQ_CONNECTION,
  ASC_REQ_EXTENDED_ERROR,
  ASC_REQ_HTTP,
  completeAuthToken,
  deleteSecurityContext,
  findBuffer,
  SEC_E_BAD_BINDINGS,
  SEC_E_INTERNAL_ERROR,
  SEC_E_INVALID_TOKEN,
  SEC_E_OK,
  SEC_I_COMPLETE_AND_CONTINUE,
  SEC_I_COMPLETE_NEEDED,
  SEC_I_CONTINUE_NEEDED,
  SECBUFFER_CHANNEL_BINDINGS,
  SECBUFFER_CHANNEL_BINDINGS_RESULT,
  SECBUFFER_EXTRA,
  SECBUFFER_PKG_PARAMS,
  SECBUFFER_TOKEN,
  SECURITY_NATIVE_DREP,
  SECURITY_NETWORK_DREP,
} from '../sspi/index.ts';
import type { AcceptSecurityContextResult, ContextHandle, Diagnosis, SecBuffer } from '../sspi/index.ts';
import type { OfferedScheme } from './offered-scheme.ts';

/** The context is established. The receiver must delete it. */
export interface AcceptedResult {
  readonly type: 'accepted';
  readonly context: ContextHandle;
  readonly attributes: number;
  readonly expiry: Date | undefined;
  /** A token for the client, to be sent with the handler's response. */
  readonly token: Uint8Array | undefined;
  readonly channelBound: boolean;
}

/** The result of acceptSecurityContext. */
export type VerificationResult =
  | AcceptedResult
  /** The client must send another token. The receiver must delete the context. */
  | { readonly type: 'continue'; readonly context: ContextHandle; readonly tokens: readonly Uint8Array[] }
  /** Refused. The context is already deleted. */
  | {
      readonly type: 'refused';
      readonly status: number;
      readonly diagnosis: Diagnosis | undefined;
      /** For the client, from a scheme that tells it within its own TLS why it is refused. */
      readonly token?: Uint8Array | undefined;
    };

/** SEC_CHANNEL_BINDINGS_RESULT flag: the client sent the bindings of this connection. */
const VALID_MATCHED = 0x10;

/** How channel bindings are enforced. */
export interface ChannelBindingPolicy {
  readonly mode: 'never' | 'whenSupported' | 'always';
  /** SEC_CHANNEL_BINDINGS of the connection; undefined without TLS. */
  readonly bindings: Uint8Array | undefined;
}

/**
 * Verifies one leg of Negotiate, Kerberos or NTLM.
 *
 * @param context the pending context of the same scheme on the same connection; undefined on the first leg
 * @param abandoned whether the client has gone, or was refused because the result did not come in time
 * @param furtherRequirements ASC_REQ_* bits for this connection. A context without them is still accepted
 */
export function verifyToken(
  scheme: OfferedScheme,
  context: ContextHandle | undefined,
  token: Uint8Array,
  { mode, bindings }: ChannelBindingPolicy,
  abandoned?: () => boolean,
  furtherRequirements = 0,
): VerificationResult | Promise<VerificationResult> {
  if (mode === 'always' && bindings === undefined) {
    if (context !== undefined) deleteSecurityContext(context);
    return { type: 'refused', status: SEC_E_BAD_BINDINGS, diagnosis: { text: reason('no-bindings-to-require') } };
  }
  const input: SecBuffer[] = [{ type: SECBUFFER_TOKEN, data: token }];
  // The ASC_REQ_* bit of a security attribute is the same as its ASC_RET_* bit.
  // A refusal is a bare 401, so a token that tells the cause is not requested. That of CredSSP tells no more than that
  // the client is refused, and without it its clients report a broken server.
  let requirements = ASC_REQ_CONNECTION;
  if (scheme.innerTls !== undefined) requirements |= ASC_REQ_EXTENDED_ERROR;
  requirements |= (scheme.requirements ?? 0) | (scheme.requiredAttributes ?? 0) | furtherRequirements;
  if (mode !== 'never' && bindings !== undefined) {
    // Without SECBUFFER_READONLY: a package that compares the whole type would find no bindings and ask for none.
    input.push({ type: SECBUFFER_CHANNEL_BINDINGS, data: bindings });
    if (mode === 'whenSupported') requirements |= ASC_REQ_ALLOW_MISSING_BINDINGS;
  }
  return resultOf(
    acceptSecurityContext({
      credential: scheme.credential,
      context,
      input,
      requirements,
      targetDataRep: SECURITY_NATIVE_DREP,
      abandoned,
    }),
  );
}

const nothing = new Uint8Array(0);

/**
 * Verifies the credentials of a Digest request.
 *
 * @param fields the text after `Digest `
 * @param method the request method
 * @param target the request target as sent on the wire
 */
export function verifyDigestFields(
  scheme: OfferedScheme,
  fields: string,
  method: string,
  target: string,
): VerificationResult | Promise<VerificationResult> {
  // node:http gives header fields as latin1: one character, one byte.
  return acceptDigest(scheme, Buffer.from(fields, 'latin1'), method, target);
}

/**
 * The Digest challenges of a 401: one text after `Digest ` for each algorithm, preferred first.
 */
export function digestChallenges(scheme: OfferedScheme): readonly string[] {
  const result = acceptDigest(scheme, nothing, '', '');
  if (result instanceof Promise) {
    // A challenge asks no account source, so it never has to wait. A package that waits has no challenge to offer.
    result.then(discard, () => undefined);
    return [];
  }
  discard(result);
  return result.type === 'continue' ? result.tokens.map(challengeText) : [];
}

/** A Digest challenge as text for a header field. */
export function challengeText(token: Uint8Array): string {
  return Buffer.from(token).toString('latin1');
}

/** Deletes the context of a result that is no longer needed. */
export function discard(result: VerificationResult): void {
  if (result.type !== 'refused') deleteSecurityContext(result.context);
}

function acceptDigest(
  scheme: OfferedScheme,
  token: Uint8Array,
  method: string,
  target: string,
): VerificationResult | Promise<VerificationResult> {
  return resultOf(
    acceptSecurityContext({
      credential: scheme.credential,
      context: undefined,
      input: [
        { type: SECBUFFER_TOKEN, data: token },
        { type: SECBUFFER_PKG_PARAMS, data: Buffer.from(method, 'latin1') },
        { type: SECBUFFER_PKG_PARAMS, data: Buffer.from(target, 'latin1') },
      ],
      requirements: ASC_REQ_CONNECTION | ASC_REQ_HTTP,
      targetDataRep: SECURITY_NETWORK_DREP,
    }),
  );
}

function resultOf(
  result: AcceptSecurityContextResult | Promise<AcceptSecurityContextResult>,
): VerificationResult | Promise<VerificationResult> {
  return result instanceof Promise ? result.then(settled) : settled(result);
}

function settled(result: AcceptSecurityContextResult): VerificationResult | Promise<VerificationResult> {
  const { status, context, output } = result;
  if (context !== undefined && (findBuffer(output, SECBUFFER_EXTRA)?.data.byteLength ?? 0) > 0) {
    // A token is a whole message, or several. What is left of it would belong to a token that never comes.
    deleteSecurityContext(context);
    return { type: 'refused', status: SEC_E_INVALID_TOKEN, diagnosis: { text: reason('token-bytes-too-many') } };
  }
  switch (status) {
    case SEC_E_OK:
      if (context === undefined) break;
      return {
        type: 'accepted',
        context,
        attributes: result.attributes ?? 0,
        expiry: result.expiry,
        token: findBuffer(output, SECBUFFER_TOKEN)?.data,
        channelBound: matchedBindings(output),
      };
    case SEC_I_CONTINUE_NEEDED: {
      if (context === undefined) break;
      const tokens = output.filter(({ type }) => type === SECBUFFER_TOKEN).map(({ data }) => data);
      return { type: 'continue', context, tokens };
    }
    case SEC_I_COMPLETE_NEEDED:
    case SEC_I_COMPLETE_AND_CONTINUE:
      // CompleteAuthToken gives the result: some providers return these codes for right and wrong passwords alike.
      if (context === undefined) break;
      return completed(context, result);
    default:
      if (context !== undefined) deleteSecurityContext(context);
  }
  return {
    type: 'refused',
    status: status === SEC_E_OK ? SEC_E_INVALID_TOKEN : status,
    diagnosis: result.diagnosis,
    token: findBuffer(output, SECBUFFER_TOKEN)?.data,
  };
}

function completed(
  context: ContextHandle,
  incomplete: AcceptSecurityContextResult,
): VerificationResult | Promise<VerificationResult> {
  const { status, output } = incomplete;
  const result = completeAuthToken(context, output);
  const after = (completion: AcceptSecurityContextResult): VerificationResult | Promise<VerificationResult> => {
    if (completion.status === SEC_I_COMPLETE_NEEDED || completion.status === SEC_I_COMPLETE_AND_CONTINUE) {
      // A package that answers the completion by asking for another one never gives a result.
      deleteSecurityContext(context);
      return { type: 'refused', status: SEC_E_INTERNAL_ERROR, diagnosis: completion.diagnosis };
    }
    if (completion.status !== SEC_E_OK) return settled(completion);
    const whole = { ...completion, output: completion.output.length > 0 ? completion.output : output };
    return settled(status === SEC_I_COMPLETE_AND_CONTINUE ? { ...whole, status: SEC_I_CONTINUE_NEEDED } : whole);
  };
  return result instanceof Promise ? result.then(after) : after(result);
}

function matchedBindings(output: readonly SecBuffer[]): boolean {
  const data = findBuffer(output, SECBUFFER_CHANNEL_BINDINGS_RESULT)?.data;
  return data !== undefined && data.byteLength >= 1 && ((data[0] ?? 0) & VALID_MATCHED) !== 0;
}
