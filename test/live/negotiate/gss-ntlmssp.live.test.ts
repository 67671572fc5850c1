/** NTLM by gss-ntlmssp, in MIT's SPNEGO and raw, under Negotiate. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { memoryAccounts } from '../../../src/accounts/memory-accounts.ts';
import { decodeInitialToken, decodeNegotiationToken } from '../../../src/formats/spnego.ts';
import { ntlmPackage } from '../../../src/packages/ntlm/ntlm-package.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { ntlmGssClientPackages, ntlmGssAccount, startGssClient } from '../../lab/gss-client.ts';
import type { NtlmGssAccount } from '../../lab/gss-client.ts';
import { tier } from '../../lab/tier.ts';
import { handshake, leg, negotiateCredential, protectMessages, whoRan } from './handshakes.ts';
import type { Finished } from './handshakes.ts';

/** The server's side as a function of nothing, so that recorded tokens of a client can be verified again. */
const startedAt = Date.now();
const repeatable = {
  clock: { now: () => startedAt, elapsed: () => 0 },
  random: (size: number) => new Uint8Array(size).fill(0x2a),
};
const accounts = memoryAccounts([{ userName: 'alice', domain: 'CORP', password: 'secret' }]);
const ntlm = { package: ntlmPackage, authData: { accounts, domain: 'CORP', computerName: 'SERVER', ...repeatable } };

describe('gss-ntlmssp', await tier('kdc', ntlmGssClientPackages), () => {
  let account: NtlmGssAccount;
  let credential: Sspi.CredentialHandle;
  before(async () => {
    account = await ntlmGssAccount('CORP', 'alice', 'secret');
    credential = await negotiateCredential(ntlm);
  });
  after(async () => {
    Sspi.freeCredentialsHandle(credential);
    await account[Symbol.asyncDispose]();
  });

  async function signIn(): Promise<Finished> {
    await using client = await startGssClient(account.env);
    return await handshake(credential, client, { mech: 'spnego', offer: ['ntlm'] });
  }

  it('in SPNEGO signs in, with mechListMIC both ways and messages protected after it', async () => {
    await using client = await startGssClient(account.env);
    const finished = await handshake(credential, client, { mech: 'spnego', offer: ['ntlm'] });
    const [, last] = finished.clientTokens.map((token, index) =>
      decodeNegotiationToken(index === 0 ? decodeInitialToken(token).innerToken : token),
    );
    assert.equal(last?.mechListMic?.byteLength, 16, 'the client sent a MIC');
    const answer = decodeNegotiationToken(finished.serverTokens[1]!);
    assert.equal(answer.mechListMic?.byteLength, 16, 'and was answered');
    assert.deepEqual(whoRan(finished.context), ['NTLM', 'CORP\\alice']);
    await protectMessages(finished, client);
    Sspi.deleteSecurityContext(finished.context);
  });

  it('raw under Negotiate signs in and is answered raw', async () => {
    await using client = await startGssClient(account.env);
    const finished = await handshake(credential, client, { mech: 'ntlm' });
    assert.equal(Buffer.from(finished.serverTokens[0]!).toString('latin1', 0, 7), 'NTLMSSP');
    assert.deepEqual(whoRan(finished.context), ['NTLM', 'CORP\\alice']);
    await protectMessages(finished, client);
    Sspi.deleteSecurityContext(finished.context);
  });

  it('with a wrong password is refused', async () => {
    await using wrong = await ntlmGssAccount('CORP', 'alice', 'not the secret');
    await using client = await startGssClient(wrong.env);
    const challenge = await leg(credential, await client.initiate({ mech: 'spnego', offer: ['ntlm'] }));
    const { data } = Sspi.findBuffer(challenge.output, Sspi.SECBUFFER_TOKEN)!;
    const { token } = await client.step(data);
    const last = await leg(credential, token, challenge.context);
    assert.equal(Sspi.statusName(last.status), 'SEC_E_LOGON_DENIED');
    const { data: reject } = Sspi.findBuffer(last.output, Sspi.SECBUFFER_TOKEN)!;
    assert.equal(Buffer.from(reject).toString('hex'), 'a1073005a0030a0102');
    await assert.rejects(client.step(reject), /gss client: /, 'the client understands the rejection');
  });

  it('each byte of its tokens changed, or cut off, is refused (A03, B04)', async () => {
    const { context, clientTokens } = await signIn();
    Sspi.deleteSecurityContext(context);
    const [first, last] = clientTokens as [Uint8Array, Uint8Array];

    const verify = async (one: Uint8Array, two: Uint8Array): Promise<number> => {
      const begun = await leg(credential, one);
      if (begun.context === undefined) return begun.status;
      const result = await leg(credential, two, begun.context);
      Sspi.deleteSecurityContext(begun.context);
      return result.status;
    };
    assert.equal(Sspi.statusName(await verify(first, last)), 'SEC_E_OK', 'the recording is good');

    for (const bit of [0, 7]) {
      for (let at = 0; at < first.byteLength; at++) {
        const changed = first.map((byte, index) => (index === at ? byte ^ (1 << bit) : byte));
        assert.notEqual(await verify(changed, last), Sspi.SEC_E_OK, `first token, byte ${at}, bit ${bit}`);
      }
      for (let at = 0; at < last.byteLength; at++) {
        const changed = last.map((byte, index) => (index === at ? byte ^ (1 << bit) : byte));
        const status = await verify(first, changed);
        // negState of a client says nothing and nothing protects it (RFC 4178 section 4.2.2).
        if (status === Sspi.SEC_E_OK)
          assert.deepEqual(withoutState(changed), withoutState(last), `byte ${at}, bit ${bit}`);
      }
    }
    for (let length = 0; length < first.byteLength; length++) {
      assert.notEqual(await verify(first.subarray(0, length), last), Sspi.SEC_E_OK);
    }
    for (let length = 0; length < last.byteLength; length++) {
      assert.notEqual(await verify(first, last.subarray(0, length)), Sspi.SEC_E_OK);
    }
    assert.deepEqual(Sspi.liveHandles().contexts, 0);
  });
});

function withoutState(token: Uint8Array): unknown {
  const decoded = decodeNegotiationToken(token);
  return { ...decoded, negState: undefined };
}
