/**
 * The contract of src/sspi as a suite of cases, run over every provider with the same expectations. Where a provider
 * answers otherwise, its subject says so per row, with the reason.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import * as Sspi from '../../src/sspi/index.ts';
import type { ClientKind, ContractClient, ContractRow, ContractSubject } from './contract-subject.ts';

type Result = Sspi.AcceptSecurityContextResult;

const token = (data: Uint8Array): Sspi.SecBuffer[] => [{ type: Sspi.SECBUFFER_TOKEN, data }];

/**
 * Declares all cases over one package.
 *
 * @param open makes the subject when the cases start
 * @param options for describe, such as the readiness of a tier
 */
export function contractSuite(
  name: string,
  open: () => ContractSubject | Promise<ContractSubject>,
  options: { readonly skip?: string | false } = {},
): void {
  describe(`the contract over ${name}`, options, () => {
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

    const acquire = async (): Promise<Sspi.CredentialHandle> =>
      Sspi.acquireCredentialsHandle({
        package: subject.package,
        credentialUse: 'inbound',
        authData: subject.authData,
      });
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
      assert.equal(result.attributes, undefined, 'attributes mean nothing before the verdict');
      assert.equal(
        Sspi.querySecurityContextToken(result.context).status,
        Sspi.SEC_E_INVALID_HANDLE,
        'nothing may be asked before CompleteAuthToken',
      );
      return Sspi.completeAuthToken(result.context, result.output);
    }

    interface Handshake {
      readonly client: ContractClient;
      readonly last: Result;
      readonly tokens: readonly Uint8Array[];
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

    function assertNothingLeft(): void {
      assert.equal(Sspi.liveHandles().contexts, atRest);
      const native = subject.liveNative?.();
      if (native !== undefined) assert.deepEqual(native, { contexts: 0, other: 0 });
    }

    const row = (id: ContractRow, title: string, body: () => Promise<void>): void => {
      it(title, async (t) => {
        const difference = subject.differences[id];
        if (difference !== undefined) t.diagnostic(`${name} differs: ${difference.because}`);
        if (difference !== undefined && difference.statuses === undefined) return;
        await body();
      });
    };

    it('accepts the right password and knows the account, and gives everything back', async () => {
      const { client, last } = await handshake('right');
      assert.equal(Sspi.statusName(last.status), 'SEC_E_OK');
      assert.ok(last.context !== undefined);
      assert.equal(typeof last.attributes, 'number');
      const account = Sspi.querySecurityContextToken(last.context);
      assert.equal(Sspi.statusName(account.status), 'SEC_E_OK');
      const { userName, domain, isAnonymous, isGuest } = account.value!;
      assert.deepEqual(
        { userName, domain, isAnonymous, isGuest },
        { domain: undefined, ...subject.account, isAnonymous: false, isGuest: false },
      );
      assert.ok(Object.isFrozen(account.value));
      const info =
        Sspi.queryContextAttributes(last.context, Sspi.SECPKG_ATTR_NEGOTIATION_INFO).value?.package ??
        Sspi.queryContextAttributes(last.context, Sspi.SECPKG_ATTR_PACKAGE_INFO).value;
      assert.equal(info?.name ?? subject.package.info.name, subject.runs);
      assert.equal(Sspi.deleteSecurityContext(last.context), Sspi.SEC_E_OK);
      client[Symbol.dispose]();
      assertNothingLeft();
    });

    for (const kind of ['wrong password', 'unknown user'] as const) {
      row(kind, `refuses: ${kind}, and sends no token`, async () => {
        const { client, last } = await handshake(kind);
        assertRefused(last, kind, [Sspi.SEC_E_LOGON_DENIED]);
        assert.equal(last.output.length, 0);
        client[Symbol.dispose]();
        assertNothingLeft();
      });
    }

    it('refuses what is no token of the package', async (t) => {
      const difference = subject.differences['garbage'];
      if (difference !== undefined) t.diagnostic(`${name} differs: ${difference.because}`);
      const inputs: Readonly<Record<string, readonly Sspi.SecBuffer[]>> = {
        'no buffer': [],
        'no TOKEN buffer': [{ type: Sspi.SECBUFFER_DATA, data: Buffer.from('NTLMSSP\0') }],
        'one byte': token(Buffer.of(0x60)),
        text: token(Buffer.from('hello, this is not a token of anything')),
        zeros: token(Buffer.alloc(2000)),
        'half a signature': token(Buffer.from('NTLMSS')),
        'a DER length beyond the end': token(Buffer.from('6084ffffffff06062b0601050502', 'hex')),
      };
      for (const [what, input] of Object.entries(inputs)) {
        const result = await accept(undefined, input);
        const expected = difference?.statuses ?? [Sspi.SEC_E_INVALID_TOKEN];
        assert.ok(expected.includes(result.status), `${what}: ${Sspi.statusName(result.status)}`);
        assert.equal(result.context, undefined, what);
        assert.equal(result.output.length, 0, what);
      }
      assertNothingLeft();
    });

    it('never says yes to a first token that is cut short', async () => {
      const client = await subject.client('right');
      const first = await client.next(undefined);
      assert.ok(first !== undefined);
      const step = Math.max(1, Math.floor(first.byteLength / 40));
      for (let length = 1; length < first.byteLength; length += step) {
        const result = await leg(undefined, first.subarray(0, length));
        assert.notEqual(result.status, Sspi.SEC_E_OK, `${length} of ${first.byteLength} bytes`);
        if (result.context !== undefined) Sspi.deleteSecurityContext(result.context);
      }
      client[Symbol.dispose]();
      assertNothingLeft();
    });

    row('tampered last token', 'refuses an altered last token, or it is the same account', async () => {
      const { client, last, tokens } = await handshake('right');
      assert.equal(Sspi.statusName(last.status), 'SEC_E_OK');
      Sspi.deleteSecurityContext(last.context!);
      client[Symbol.dispose]();
      const length = tokens.at(-1)!.byteLength;
      const step = Math.max(1, Math.floor(length / 60));
      for (let at = 0; at < length; at += step) {
        const altered = await handshake('right', (data, index) => {
          if (index !== tokens.length - 1) return data;
          const copy = Uint8Array.from(data);
          const position = Math.min(at, copy.byteLength - 1);
          copy[position] = copy[position]! ^ 0x41;
          return copy;
        });
        altered.client[Symbol.dispose]();
        const { status, context } = altered.last;
        if (status === Sspi.SEC_E_OK) {
          assert.equal(
            Sspi.querySecurityContextToken(context!).value?.userName,
            subject.account.userName,
            `byte ${at}`,
          );
        }
        if (context !== undefined) Sspi.deleteSecurityContext(context);
      }
      assertNothingLeft();
    });

    row('replayed last token', 'refuses the last token of another handshake', async () => {
      const earlier = await handshake('right');
      Sspi.deleteSecurityContext(earlier.last.context!);
      earlier.client[Symbol.dispose]();
      const now = await begun();
      const replay = await leg(now?.result.context, earlier.tokens.at(-1)!);
      assertRefused(replay, 'replayed last token', [Sspi.SEC_E_LOGON_DENIED, Sspi.SEC_E_INVALID_TOKEN]);
      now?.client[Symbol.dispose]();
      assertNothingLeft();
    });

    row('last token first', 'refuses the last token where the first belongs', async () => {
      const earlier = await handshake('right');
      Sspi.deleteSecurityContext(earlier.last.context!);
      earlier.client[Symbol.dispose]();
      assert.notEqual(earlier.tokens.length, 1, 'one leg only: the subject has to say so');
      const result = await leg(undefined, earlier.tokens.at(-1)!);
      assertRefused(result, 'last token first', [Sspi.SEC_E_INVALID_TOKEN, Sspi.SEC_E_LOGON_DENIED]);
      assertNothingLeft();
    });

    row('first token twice', 'refuses the first token again where the last belongs (A12)', async () => {
      const now = await waiting();
      const result = await leg(now.result.context, now.first);
      assertRefused(result, 'first token twice', [Sspi.SEC_E_INVALID_TOKEN]);
      now.client[Symbol.dispose]();
      assertNothingLeft();
    });

    row('second leg', 'is dead after a failure: SEC_E_INVALID_HANDLE, nothing freed twice (B11, G09)', async () => {
      const now = await waiting();
      const handle = now.result.context!;
      const failed = await leg(handle, Buffer.from('nonsense where the last token belongs'));
      assert.ok(failed.status >= 0x80000000, Sspi.statusName(failed.status));
      assert.equal(failed.output.length, 0);
      const again = await leg(handle, Buffer.from('once more'));
      assert.equal(Sspi.statusName(again.status), 'SEC_E_INVALID_HANDLE');
      assert.equal(Sspi.statusName(Sspi.deleteSecurityContext(handle)), 'SEC_E_INVALID_HANDLE');
      now.client[Symbol.dispose]();
      assertNothingLeft();
    });

    it('deletes once (G09) and answers nothing afterwards', async () => {
      const { client, last } = await handshake('right');
      const handle = last.context!;
      assert.equal(Sspi.statusName(Sspi.deleteSecurityContext(handle)), 'SEC_E_OK');
      assert.equal(Sspi.statusName(Sspi.deleteSecurityContext(handle)), 'SEC_E_INVALID_HANDLE');
      assert.equal(Sspi.statusName(Sspi.querySecurityContextToken(handle).status), 'SEC_E_INVALID_HANDLE');
      assert.equal(
        Sspi.statusName(Sspi.queryContextAttributes(handle, Sspi.SECPKG_ATTR_SIZES).status),
        'SEC_E_INVALID_HANDLE',
      );
      assert.equal(Sspi.statusName(Sspi.makeSignature(handle, []).status), 'SEC_E_INVALID_HANDLE');
      assert.equal(Sspi.statusName(Sspi.impersonateSecurityContext(handle)), 'SEC_E_INVALID_HANDLE');
      client[Symbol.dispose]();
      assertNothingLeft();
    });

    row('second leg', 'answers nothing before the last leg (B08)', async () => {
      const now = await waiting();
      const handle = now.result.context!;
      assert.equal(Sspi.statusName(Sspi.querySecurityContextToken(handle).status), 'SEC_E_INVALID_HANDLE');
      assert.equal(Sspi.statusName(Sspi.impersonateSecurityContext(handle)), 'SEC_E_INVALID_HANDLE');
      assert.equal(Sspi.statusName((await Sspi.completeAuthToken(handle, [])).status), 'SEC_E_INVALID_HANDLE');
      assert.equal(Sspi.statusName(Sspi.deleteSecurityContext(handle)), 'SEC_E_OK');
      now.client[Symbol.dispose]();
      assertNothingLeft();
    });

    row('second leg', 'takes one call at a time on a context (A12)', async () => {
      const now = await waiting();
      const handle = now.result.context!;
      const second = await now.client.next(now.result.output[0]?.data);
      const running = accept(handle, token(second!));
      if (running instanceof Promise) {
        const other = await accept(handle, token(second!));
        assert.equal(Sspi.statusName(other.status), 'SEC_E_INVALID_HANDLE');
      }
      const result = await running;
      assert.ok(result.context !== undefined, `undisturbed by the other call: ${Sspi.statusName(result.status)}`);
      Sspi.deleteSecurityContext(result.context);
      now.client[Symbol.dispose]();
      assertNothingLeft();
    });

    it('never takes one client for another, however their handshakes interleave', async () => {
      const { other } = subject;
      const sides = await Promise.all(
        Array.from({ length: 12 }, async (_, index) => ({
          expected: index % 2 === 0 ? subject.account.userName : other.userName,
          client: await (index % 2 === 0 ? subject.client('right') : other.client()),
        })),
      );
      // All first tokens before any last one, and the last ones in the opposite order.
      const begunSides: { side: (typeof sides)[number]; result: Result }[] = [];
      for (const side of sides) {
        const first = await side.client.next(undefined);
        begunSides.push({ side, result: await leg(undefined, first!) });
      }
      const finished = await Promise.all(
        begunSides.reverse().map(async ({ side, result }) => {
          let last = result;
          while (last.status === Sspi.SEC_I_CONTINUE_NEEDED) {
            last = await leg(last.context, (await side.client.next(last.output[0]?.data))!);
          }
          return { side, last };
        }),
      );
      for (const { side, last } of finished) {
        assert.equal(Sspi.statusName(last.status), 'SEC_E_OK');
        assert.equal(Sspi.querySecurityContextToken(last.context!).value?.userName, side.expected);
        Sspi.deleteSecurityContext(last.context!);
        side.client[Symbol.dispose]();
      }
      assertNothingLeft();
    });

    row('second leg', 'deletes a context whose call still runs when that call ends (G10)', async () => {
      const now = await waiting();
      const handle = now.result.context!;
      const second = await now.client.next(now.result.output[0]?.data);
      const running = accept(handle, token(second!));
      assert.equal(Sspi.statusName(Sspi.deleteSecurityContext(handle)), 'SEC_E_OK');
      const result = await running;
      if (running instanceof Promise) {
        assert.equal(Sspi.statusName(result.status), 'SEC_E_UNFINISHED_CONTEXT_DELETED');
        assert.equal(result.context, undefined);
        assert.equal(result.output.length, 0);
      }
      now.client[Symbol.dispose]();
      assertNothingLeft();
    });

    it('refuses a freed credential, and a context begun with it goes on only with a live one', async () => {
      const own = await acquire();
      assert.equal(Sspi.statusName(Sspi.freeCredentialsHandle(own)), 'SEC_E_OK');
      assert.equal(Sspi.statusName(Sspi.freeCredentialsHandle(own)), 'SEC_E_INVALID_HANDLE');
      const client = await subject.client('right');
      const first = await client.next(undefined);
      const result = await accept(undefined, token(first!), { credential: own });
      assert.ok(['SEC_E_INVALID_HANDLE', 'SEC_E_NO_CREDENTIALS'].includes(Sspi.statusName(result.status)));
      client[Symbol.dispose]();
      assertNothingLeft();
    });

    it('fills the buffer of the caller, and fails where it is too small', async () => {
      for (const size of [8192 * 8, 4]) {
        const client = await subject.client('right');
        const first = await client.next(undefined);
        const room = Buffer.alloc(size);
        const result = await accept(undefined, token(first!), { output: [{ type: Sspi.SECBUFFER_TOKEN, data: room }] });
        if (size > 4) {
          assert.ok(result.context !== undefined, Sspi.statusName(result.status));
          const [out] = result.output;
          if (out !== undefined) assert.equal(out.data.buffer, room.buffer);
          Sspi.deleteSecurityContext(result.context);
        } else if (result.output.length > 0 || result.status !== Sspi.SEC_E_OK) {
          assert.equal(Sspi.statusName(result.status), 'SEC_E_INSUFFICIENT_MEMORY');
          assert.equal(result.context, undefined);
        } else if (result.context !== undefined) Sspi.deleteSecurityContext(result.context);
        client[Symbol.dispose]();
      }
      assertNothingLeft();
    });

    it('says that it allocated the output where ASC_REQ_ALLOCATE_MEMORY asks for it', async () => {
      const client = await subject.client('right');
      const first = await client.next(undefined);
      const result = await accept(undefined, token(first!), { requirements: Sspi.ASC_REQ_ALLOCATE_MEMORY });
      assert.ok(result.context !== undefined, Sspi.statusName(result.status));
      assert.ok(((result.attributes ?? 0) & Sspi.ASC_RET_ALLOCATED_MEMORY) !== 0);
      Sspi.deleteSecurityContext(result.context);
      client[Symbol.dispose]();
      assertNothingLeft();
    });

    row('message protection', 'signs and verifies in both directions, and sees an alteration', async () => {
      const { client, last } = await handshake('right');
      assert.equal(Sspi.statusName(last.status), 'SEC_E_OK');
      const context = last.context!;
      const message = Buffer.from('a message of the server');
      const signed = Sspi.makeSignature(context, [{ type: Sspi.SECBUFFER_DATA, data: message }]);
      assert.equal(Sspi.statusName(signed.status), 'SEC_E_OK');
      assert.equal(await client.verifySignature!(message, signed.value![0]!.data), true);

      const reply = Buffer.from('a message of the client');
      const signature = await client.makeSignature!(reply);
      const data = { type: Sspi.SECBUFFER_DATA, data: reply };
      const good = Sspi.verifySignature(context, [data, { type: Sspi.SECBUFFER_TOKEN, data: signature }]);
      assert.equal(Sspi.statusName(good.status), 'SEC_E_OK');
      const second = await client.makeSignature!(reply);
      second[second.byteLength - 6] = second[second.byteLength - 6]! ^ 1;
      const bad = Sspi.verifySignature(context, [data, { type: Sspi.SECBUFFER_TOKEN, data: second }]);
      assert.ok(bad.status >= 0x80000000, Sspi.statusName(bad.status));
      assert.equal(bad.value, undefined);
      Sspi.deleteSecurityContext(context);
      client[Symbol.dispose]();
      assertNothingLeft();
    });

    row('confidentiality', 'seals and unseals in both directions, and sees an alteration', async () => {
      const { client, last } = await handshake('right');
      const context = last.context!;
      const message = Buffer.from('a secret of the server');
      const sealed = Sspi.encryptMessage(context, [{ type: Sspi.SECBUFFER_DATA, data: message }]);
      assert.equal(Sspi.statusName(sealed.status), 'SEC_E_OK');
      const part = (type: number): Uint8Array => Sspi.findBuffer(sealed.value!, type)!.data;
      assert.notDeepEqual(Buffer.from(part(Sspi.SECBUFFER_DATA)), message);
      const plain = await client.decryptMessage!(part(Sspi.SECBUFFER_TOKEN), part(Sspi.SECBUFFER_DATA));
      assert.deepEqual(Buffer.from(plain), message);

      const reply = Buffer.from('a secret of the client');
      const { token: trailer, data } = await client.encryptMessage!(reply);
      const opened = Sspi.decryptMessage(context, [
        { type: Sspi.SECBUFFER_TOKEN, data: trailer },
        { type: Sspi.SECBUFFER_DATA, data },
      ]);
      assert.equal(Sspi.statusName(opened.status), 'SEC_E_OK');
      assert.deepEqual(Buffer.from(opened.value![0]!.data), reply);
      const next = await client.encryptMessage!(reply);
      next.data[0] = next.data[0]! ^ 1;
      const bad = Sspi.decryptMessage(context, [
        { type: Sspi.SECBUFFER_TOKEN, data: next.token },
        { type: Sspi.SECBUFFER_DATA, data: next.data },
      ]);
      assert.ok(bad.status >= 0x80000000, Sspi.statusName(bad.status));
      assert.equal(bad.value, undefined);
      Sspi.deleteSecurityContext(context);
      client[Symbol.dispose]();
      assertNothingLeft();
    });

    it('leaves nothing behind after 200 abandoned handshakes (A17)', async () => {
      for (let round = 0; round < 200; round++) {
        const now = await begun();
        // A package of one leg has established its context, and begun has deleted it.
        if (now === undefined) continue;
        assert.equal(Sspi.deleteSecurityContext(now.result.context!), Sspi.SEC_E_OK);
        now.client[Symbol.dispose]();
      }
      assertNothingLeft();
    });
  });
}
