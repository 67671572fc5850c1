/** The contract over the tokens of a client: right and wrong ones, garbage, what is cut, altered, replayed or out of order. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as Sspi from '../../src/sspi/index.ts';
import { token } from './contract-acceptor.ts';
import type { ContractAcceptor } from './contract-acceptor.ts';

/** Declares the cases about tokens. */
export function tokenCases(acceptor: ContractAcceptor): void {
  const { accept, assertNothingLeft, assertRefused, begun, handshake, leg, row, waiting } = acceptor;

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
      { domain: undefined, ...acceptor.subject.account, isAnonymous: false, isGuest: false },
    );
    assert.ok(Object.isFrozen(account.value));
    const info =
      Sspi.queryContextAttributes(last.context, Sspi.SECPKG_ATTR_NEGOTIATION_INFO).value?.package ??
      Sspi.queryContextAttributes(last.context, Sspi.SECPKG_ATTR_PACKAGE_INFO).value;
    assert.equal(info?.name ?? acceptor.subject.package.info.name, acceptor.subject.runs);
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
    const difference = acceptor.subject.differences['garbage'];
    if (difference !== undefined) t.diagnostic(`${acceptor.name} differs: ${difference.because}`);
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
    const client = await acceptor.subject.client('right');
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
          acceptor.subject.account.userName,
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
}
