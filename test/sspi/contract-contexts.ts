/** The contract over the life of contexts and credentials: one call at a time, failure, deletion, what is left behind. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as Sspi from '../../src/sspi/index.ts';
import { token } from './contract-acceptor.ts';
import type { ContractAcceptor, Result } from './contract-acceptor.ts';

/** Declares the cases about handles. */
export function contextCases(acceptor: ContractAcceptor): void {
  const { accept, acquire, assertNothingLeft, begun, handshake, leg, row, waiting } = acceptor;

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
    const { other } = acceptor.subject;
    const sides = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => ({
        expected: index % 2 === 0 ? acceptor.subject.account.userName : other.userName,
        client: await (index % 2 === 0 ? acceptor.subject.client('right') : other.client()),
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
    const client = await acceptor.subject.client('right');
    const first = await client.next(undefined);
    const result = await accept(undefined, token(first!), { credential: own });
    assert.ok(['SEC_E_INVALID_HANDLE', 'SEC_E_NO_CREDENTIALS'].includes(Sspi.statusName(result.status)));
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
}
