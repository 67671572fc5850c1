/** NTLM by gss-ntlmssp, in MIT's SPNEGO and raw, under Negotiate. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { memoryAccounts } from '../../../src/accounts/memory-accounts.ts';
import { decodeInitialToken, decodeNegotiationToken, OID_NTLM, OID_SPNEGO } from '../../../src/formats/spnego.ts';
import { ntlmPackage } from '../../../src/packages/ntlm/ntlm-package.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { gssapiInitiatorPackages, ntlmInitiatorAccount, startInitiator } from '../../lab/gssapi-initiator.ts';
import type { NtlmInitiatorAccount } from '../../lab/gssapi-initiator.ts';
import { tier } from '../../lab/tier.ts';
import { handshake, leg, negotiateCredential, protectMessages, whoRan } from './handshakes.ts';
import type { Finished } from './handshakes.ts';

/** The server's side as a function of nothing, so that recorded tokens of a client can be judged again. */
const startedAt = Date.now();
const repeatable = {
  clock: { now: () => startedAt, elapsed: () => 0 },
  random: (size: number) => new Uint8Array(size).fill(0x2a),
};
const accounts = memoryAccounts([{ userName: 'alice', domain: 'CORP', password: 'secret' }]);
const ntlm = { package: ntlmPackage, authData: { accounts, domain: 'CORP', computerName: 'SERVER', ...repeatable } };

describe('gss-ntlmssp', await tier('kdc', gssapiInitiatorPackages), () => {
  let account: NtlmInitiatorAccount;
  let credential: Sspi.CredentialHandle;
  before(async () => {
    account = await ntlmInitiatorAccount('CORP', 'alice', 'secret');
    credential = await negotiateCredential(ntlm);
  });
  after(async () => {
    Sspi.freeCredentialsHandle(credential);
    await account[Symbol.asyncDispose]();
  });

  async function signIn(): Promise<Finished> {
    await using client = await startInitiator({ mech: OID_SPNEGO, offer: [OID_NTLM] }, account.env);
    return await handshake(credential, client);
  }

  it('in SPNEGO signs in, with mechListMIC both ways and messages protected after it', async () => {
    await using client = await startInitiator({ mech: OID_SPNEGO, offer: [OID_NTLM] }, account.env);
    const finished = await handshake(credential, client);
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
    await using client = await startInitiator({ mech: OID_NTLM }, account.env);
    const finished = await handshake(credential, client);
    assert.equal(Buffer.from(finished.serverTokens[0]!).toString('latin1', 0, 7), 'NTLMSSP');
    assert.deepEqual(whoRan(finished.context), ['NTLM', 'CORP\\alice']);
    await protectMessages(finished, client);
    Sspi.deleteSecurityContext(finished.context);
  });

  it('with a wrong password is refused', async () => {
    await using wrong = await ntlmInitiatorAccount('CORP', 'alice', 'not the secret');
    await using client = await startInitiator({ mech: OID_SPNEGO, offer: [OID_NTLM] }, wrong.env);
    const first = await client.next();
    const challenge = await leg(credential, Buffer.from(first.token!, 'base64'));
    const { data } = Sspi.findBuffer(challenge.output, Sspi.SECBUFFER_TOKEN)!;
    client.answer({ token: Buffer.from(data).toString('base64') });
    const second = await client.next();
    const last = await leg(credential, Buffer.from(second.token!, 'base64'), challenge.context);
    assert.equal(Sspi.statusName(last.status), 'SEC_E_LOGON_DENIED');
    const { data: reject } = Sspi.findBuffer(last.output, Sspi.SECBUFFER_TOKEN)!;
    assert.equal(Buffer.from(reject).toString('hex'), 'a1073005a0030a0102');
    client.answer({ token: Buffer.from(reject).toString('base64') });
    assert.match((await client.next()).error ?? '', /./, 'the client understands the rejection');
  });

  it('each byte of its tokens changed, or cut off, is refused (A03, B04)', async () => {
    const { context, clientTokens } = await signIn();
    Sspi.deleteSecurityContext(context);
    const [first, last] = clientTokens as [Uint8Array, Uint8Array];

    const judge = async (one: Uint8Array, two: Uint8Array): Promise<number> => {
      const begun = await leg(credential, one);
      if (begun.context === undefined) return begun.status;
      const result = await leg(credential, two, begun.context);
      Sspi.deleteSecurityContext(begun.context);
      return result.status;
    };
    assert.equal(Sspi.statusName(await judge(first, last)), 'SEC_E_OK', 'the recording is good');

    for (const bit of [0, 7]) {
      for (let at = 0; at < first.byteLength; at++) {
        const changed = first.map((byte, index) => (index === at ? byte ^ (1 << bit) : byte));
        assert.notEqual(await judge(changed, last), Sspi.SEC_E_OK, `first token, byte ${at}, bit ${bit}`);
      }
      for (let at = 0; at < last.byteLength; at++) {
        const changed = last.map((byte, index) => (index === at ? byte ^ (1 << bit) : byte));
        const status = await judge(first, changed);
        // negState of a client says nothing and nothing protects it (RFC 4178 section 4.2.2).
        if (status === Sspi.SEC_E_OK)
          assert.deepEqual(withoutState(changed), withoutState(last), `byte ${at}, bit ${bit}`);
      }
    }
    for (let length = 0; length < first.byteLength; length++) {
      assert.notEqual(await judge(first.subarray(0, length), last), Sspi.SEC_E_OK);
    }
    for (let length = 0; length < last.byteLength; length++) {
      assert.notEqual(await judge(first, last.subarray(0, length)), Sspi.SEC_E_OK);
    }
    assert.deepEqual(Sspi.liveHandles().contexts, 0);
  });
});

function withoutState(token: Uint8Array): unknown {
  const decoded = decodeNegotiationToken(token);
  return { ...decoded, negState: undefined };
}
