/** The acceptor of the contract suite: a subject, a credential of it, and handshakes with its clients. */
import assert from 'node:assert/strict';
import { after, afterEach, before, it } from 'node:test';
import * as Sspi from '../../src/sspi/index.ts';
import type { ClientKind, ContractClient, ContractRow, ContractSubject } from './contract-subject.ts';

export type Result = Sspi.AcceptSecurityContextResult;

/** Input of one TOKEN buffer. */
export const token = (data: Uint8Array): Sspi.SecBuffer[] => [{ type: Sspi.SECBUFFER_TOKEN, data }];

/** A handshake that is over. */
export interface Handshake {
  readonly client: ContractClient;
  readonly last: Result;
  readonly tokens: readonly Uint8Array[];
}

/** What the cases have in their hands. */
export type ContractAcceptor = ReturnType<typeof contractAcceptor>;

/**
 * Opens the subject before the cases of the suite around this call, and closes it after them.
 *
 * @param name of the subject, for what is told of its differences
 * @param open makes the subject
 */
export function contractAcceptor(name: string, open: () => ContractSubject | Promise<ContractSubject>) {
  let subject: ContractSubject;
  let credential: Sspi.CredentialHandle;
  let atRest: number;

  before(async () => {
    subject = await open();
    credential = await acquire();
    atRest = Sspi.liveHandles().contexts;
  });
  after(async () => {
    Sspi.freeCredentialsHandle(credential);
    await subject.close?.();
  });

  const seen: Sspi.ContextHandle[] = [];
  // What a failed case left behind must not fail the next one.
  afterEach(() => {
    for (const context of seen.splice(0)) Sspi.deleteSecurityContext(context);
  });

  /** A further credential of the subject. */
  const acquire = async (): Promise<Sspi.CredentialHandle> =>
    Sspi.acquireCredentialsHandle({
      package: subject.package,
      credentialUse: 'inbound',
      authData: subject.authData,
    });
  /** AcceptSecurityContext as it is; `more` adds to the requirements, or takes the place of what is usual. */
  const accept = (
    context: Sspi.ContextHandle | undefined,
    input: readonly Sspi.SecBuffer[],
    more: { requirements?: number; output?: readonly Sspi.SecBuffer[]; credential?: Sspi.CredentialHandle } = {},
  ): Result | Promise<Result> =>
    Sspi.acceptSecurityContext({
      credential: more.credential ?? credential,
      context,
      input,
      requirements: subject.requirements | (more.requirements ?? 0),
      targetDataRep: Sspi.SECURITY_NATIVE_DREP,
      ...(more.output === undefined ? undefined : { output: more.output }),
    });

  /** What one leg amounts to, CompleteAuthToken included where the status asks for it. */
  async function leg(context: Sspi.ContextHandle | undefined, data: Uint8Array): Promise<Result> {
    const result = await accept(context, token(data));
    if (result.context !== undefined) seen.push(result.context);
    const mustComplete =
      result.status === Sspi.SEC_I_COMPLETE_NEEDED || result.status === Sspi.SEC_I_COMPLETE_AND_CONTINUE;
    if (!mustComplete) return result;
    assert.ok(result.context !== undefined);
    assert.equal(result.attributes, undefined, 'attributes mean nothing before the result');
    assert.equal(
      Sspi.querySecurityContextToken(result.context).status,
      Sspi.SEC_E_INVALID_HANDLE,
      'nothing may be asked before CompleteAuthToken',
    );
    return Sspi.completeAuthToken(result.context, result.output);
  }

  /** A handshake to its end. `alter` may change the client's tokens on their way. */
  async function handshake(
    kind: ClientKind,
    alter: (data: Uint8Array, index: number) => Uint8Array = (data) => data,
  ): Promise<Handshake> {
    const client = await subject.client(kind);
    const tokens: Uint8Array[] = [];
    let last: Result | undefined;
    for (let index = 0; index < 10; index++) {
      const data = await client.next(last?.output[0]?.data);
      if (data === undefined || data.byteLength === 0) break;
      tokens.push(data);
      last = await leg(last?.context, alter(data, index));
      if (last.status !== Sspi.SEC_I_CONTINUE_NEEDED) break;
      assert.ok(last.context !== undefined && last.output.length > 0, 'a leg that goes on has a token to send');
      assert.equal(last.attributes, undefined, 'attributes mean nothing before the last leg');
      assert.equal(last.expiry, undefined);
    }
    assert.ok(last !== undefined, 'the client made no token');
    // The client's context may stand only with the server's last token.
    const final = last.status === Sspi.SEC_E_OK ? last.output[0]?.data : undefined;
    if (final !== undefined) assert.equal(await client.next(final), undefined, 'nothing is said after SEC_E_OK');
    return { client, last, tokens };
  }

  /** A context that waits for its second token; undefined where the package has one leg only. */
  async function begun(): Promise<{ client: ContractClient; first: Uint8Array; result: Result } | undefined> {
    const client = await subject.client('right');
    const first = await client.next(undefined);
    assert.ok(first !== undefined);
    const result = await leg(undefined, first);
    if (result.status === Sspi.SEC_I_CONTINUE_NEEDED) return { client, first, result };
    assert.equal(Sspi.statusName(result.status), 'SEC_E_OK');
    if (result.context !== undefined) Sspi.deleteSecurityContext(result.context);
    client[Symbol.dispose]();
    return undefined;
  }

  /** As `begun`, for rows about what is between two legs. */
  async function waiting(): Promise<NonNullable<Awaited<ReturnType<typeof begun>>>> {
    const now = await begun();
    assert.ok(now !== undefined, 'one leg only: the row does not apply, and the subject has to say so');
    return now;
  }

  /** Fails unless the result is a refusal of one of these statuses, or of those that the subject has for the row. */
  function assertRefused(result: Result, row: ContractRow, expected: readonly number[]): void {
    const statuses = subject.differences[row]?.statuses ?? expected;
    const names = statuses.map(Sspi.statusName);
    assert.ok(
      names.includes(Sspi.statusName(result.status)),
      `${Sspi.statusName(result.status)}, not ${names.join('/')}`,
    );
    assert.equal(result.context, undefined, 'a failure leaves no context');
    assert.equal(result.attributes, undefined);
  }

  /** Fails where there are more contexts than before the first case, or anything native. */
  function assertNothingLeft(): void {
    assert.equal(Sspi.liveHandles().contexts, atRest);
    const native = subject.liveNative?.();
    if (native !== undefined) assert.deepEqual(native, { contexts: 0, other: 0 });
  }

  /** A case that the subject may differ in. */
  const row = (id: ContractRow, title: string, body: () => Promise<void>): void => {
    it(title, async (t) => {
      const difference = subject.differences[id];
      if (difference !== undefined) t.diagnostic(`${name} differs: ${difference.because}`);
      if (difference !== undefined && difference.statuses === undefined) return;
      await body();
    });
  };

  return {
    name,
    /** There from the first case on. */
    get subject(): ContractSubject {
      return subject;
    },
    ...{ acquire, accept, leg, handshake, begun, waiting, assertRefused, assertNothingLeft, row },
  };
}
