/** Kerberos by MIT's libgssapi as the client, in SPNEGO and raw, under Negotiate over the Kerberos package. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { memoryAccounts } from '../../../src/accounts/memory-accounts.ts';
import {
  decodeInitialToken,
  decodeNegotiationToken,
  NEG_STATE_ACCEPT_COMPLETED,
  NEG_STATE_REQUEST_MIC,
} from '../../../src/formats/spnego.ts';
import type { NegTokenInit, NegTokenResp } from '../../../src/formats/spnego.ts';
import { kerberosPackage } from '../../../src/native/gssapi/kerberos.ts';
import { ntlmPackage } from '../../../src/packages/ntlm/ntlm-package.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { notMutual, ntlmGssClientPackages, ntlmGssAccount, startGssClient } from '../../lab/gss-client.ts';
import type { InitiateOptions, NtlmGssAccount } from '../../lab/gss-client.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { tier } from '../../lab/tier.ts';
import { mechTypeList, negTokenInit, negTokenResp } from '../../packages/negotiate/client-tokens.ts';
import { handshake, leg, negotiateCredential, protectMessages, tokenOf, whoRan } from './handshakes.ts';
import { unprotectedFields } from './unprotected-fields.ts';
import { OID_KERBEROS, OID_KERBEROS_MICROSOFT, OID_NTLM } from '../../../src/formats/object-identifiers.ts';

const ALICE = ['Kerberos', 'alice@TEST.LOCAL'] as const;
const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex');

function decoded(token: Uint8Array | undefined): NegTokenInit | NegTokenResp {
  assert.ok(token !== undefined);
  return decodeNegotiationToken(token[0] === 0x60 ? decodeInitialToken(token).innerToken : token);
}

describe('MIT Kerberos clients', await tier('kdc', ntlmGssClientPackages), () => {
  let kdc: Kdc;
  let account: NtlmGssAccount;
  /** A client with a ticket, and one that has NTLM besides. */
  let ticket: Readonly<Record<string, string>>;
  let ticketAndNtlm: Readonly<Record<string, string>>;
  /** Kerberos; Kerberos and NTLM; NTLM; the first two without a replay cache, to verify one token many times. */
  const credentials: Sspi.CredentialHandle[] = [];
  let kerberosOnly: Sspi.CredentialHandle;
  let both: Sspi.CredentialHandle;
  let ntlmOnly: Sspi.CredentialHandle;
  let forgetful: Sspi.CredentialHandle;
  let forgetfulKerberos: Sspi.CredentialHandle;

  before(async () => {
    kdc = await startKdc();
    // libkrb5 in this process looks here.
    process.env['KRB5_CONFIG'] = kdc.env['KRB5_CONFIG'];
    process.env['GSS_MECH_CONFIG'] = kdc.env['GSS_MECH_CONFIG'];
    account = await ntlmGssAccount('CORP', 'alice', 'secret');
    ticket = await kdc.signIn('alice');
    ticketAndNtlm = { ...account.env, ...ticket, GSS_MECH_CONFIG: account.env['GSS_MECH_CONFIG']! };
    const accounts = memoryAccounts([{ userName: 'alice', domain: 'CORP', password: 'secret' }]);
    const ntlm = { package: ntlmPackage, authData: { accounts, domain: 'CORP', computerName: 'SERVER' } };
    const replayCache = `file2:${kdc.file('replay')}`;
    const kerberos = { package: kerberosPackage, authData: { keytab: kdc.keytab, replayCache } };
    const careless = { package: kerberosPackage, authData: { keytab: kdc.keytab, replayCache: false } };
    kerberosOnly = await negotiateCredential(kerberos);
    both = await negotiateCredential(kerberos, ntlm);
    ntlmOnly = await negotiateCredential(ntlm);
    forgetful = await negotiateCredential(careless, ntlm);
    forgetfulKerberos = await negotiateCredential(careless);
    credentials.push(kerberosOnly, both, ntlmOnly, forgetful, forgetfulKerberos);
  });
  after(async () => {
    for (const credential of credentials) Sspi.freeCredentialsHandle(credential);
    await account[Symbol.asyncDispose]();
    await kdc.stop();
    assert.deepEqual(Sspi.liveHandles(), { credentials: 0, contexts: 0 });
  });

  const accepted: readonly (readonly [string, InitiateOptions, number])[] = [
    ['SPNEGO, mutual', { mech: 'spnego', offer: ['kerberos'] }, 1],
    ['SPNEGO, not mutual', { mech: 'spnego', offer: ['kerberos'], flags: notMutual }, 1],
    ['SPNEGO, NTLM offered besides', { mech: 'spnego', offer: ['kerberos', 'ntlm'] }, 1],
    ['raw, mutual', { mech: 'kerberos' }, 1],
    ['raw, not mutual', { mech: 'kerberos', flags: notMutual }, 1],
  ];
  for (const [name, options, legs] of accepted) {
    it(`${name}: signs in, in one leg, and protects messages`, async () => {
      await using client = await startGssClient(ticketAndNtlm);
      const finished = await handshake(both, client, options);
      assert.equal(finished.clientTokens.length, legs);
      assert.deepEqual(whoRan(finished.context), ALICE);
      const [answer] = finished.serverTokens;
      if (options.mech === 'spnego') {
        const response = decoded(answer);
        assert.ok(response.type === 'NegTokenResp');
        assert.equal(response.negState, NEG_STATE_ACCEPT_COMPLETED);
        assert.equal(response.supportedMech, OID_KERBEROS);
        assert.equal(response.responseToken !== undefined, options.flags !== notMutual);
      } else if (options.flags === notMutual) {
        assert.equal(answer, undefined);
      } else {
        assert.equal(decodeInitialToken(answer!).mechanism, OID_KERBEROS, 'answered in kind');
      }
      await protectMessages(finished, client);
      Sspi.deleteSecurityContext(finished.context);
    });
  }

  it('Kerberos not the first of the list, mutual: the MIC of the server comes with its last token, then the client’s', async () => {
    await using client = await startGssClient(ticketAndNtlm);
    const finished = await handshake(kerberosOnly, client, { mech: 'spnego', offer: ['ntlm', 'kerberos'] });
    assert.deepEqual(whoRan(finished.context), ALICE);
    const [requested, last] = finished.serverTokens.map(decoded);
    assert.ok(requested?.type === 'NegTokenResp');
    assert.equal(requested.negState, NEG_STATE_REQUEST_MIC);
    assert.ok(last?.mechListMic !== undefined);
    assert.equal(finished.clientTokens.length, 3);
    assert.ok(decoded(finished.clientTokens[2]).mechListMic !== undefined);
    assert.equal(tokenOf(finished.result), undefined);
    await protectMessages(finished, client);
    Sspi.deleteSecurityContext(finished.context);
  });

  it('Kerberos not the first of the list, not mutual: the MIC of the client comes with its only token', async () => {
    const options: InitiateOptions = { mech: 'spnego', offer: ['ntlm', 'kerberos'], flags: notMutual };
    await using client = await startGssClient(ticketAndNtlm);
    const finished = await handshake(kerberosOnly, client, options);
    assert.equal(finished.clientTokens.length, 2);
    assert.ok(decoded(finished.clientTokens[1]).mechListMic !== undefined);
    assert.ok(decoded(finished.serverTokens[1]).mechListMic !== undefined);
    await protectMessages(finished, client);
    Sspi.deleteSecurityContext(finished.context);
  });

  it('Kerberos first where only NTLM is allowed: its token is discarded, NTLM runs under a MIC', async () => {
    await using client = await startGssClient(ticketAndNtlm);
    const finished = await handshake(ntlmOnly, client, { mech: 'spnego', offer: ['kerberos', 'ntlm'] });
    assert.deepEqual(whoRan(finished.context), ['NTLM', 'CORP\\alice']);
    assert.equal(finished.clientTokens.length, 3);
    assert.ok(decoded(finished.serverTokens[2]).mechListMic !== undefined);
    await protectMessages(finished, client);
    Sspi.deleteSecurityContext(finished.context);
  });

  it('NTLM only where only Kerberos is allowed is refused, in SPNEGO and raw (G11)', async () => {
    for (const options of [{ mech: 'spnego', offer: ['ntlm'] }, { mech: 'ntlm' }] satisfies InitiateOptions[]) {
      await using client = await startGssClient(account.env);
      const token = await client.initiate(options);
      const result = await leg(kerberosOnly, token);
      assert.equal(Sspi.statusName(result.status), 'SEC_E_INVALID_TOKEN');
      assert.equal(hex(tokenOf(result)), options.mech === 'spnego' ? 'a1073005a0030a0102' : undefined);
    }
  });

  /** One token of a client, not yet verified. */
  async function firstToken(options: InitiateOptions): Promise<Uint8Array> {
    await using client = await startGssClient(ticketAndNtlm);
    return Uint8Array.from(await client.initiate(options));
  }

  it('the same token a second time is a replay, in any wrapping (D01)', async () => {
    const token = await firstToken({ mech: 'spnego', offer: ['kerberos'] });
    const first = await leg(both, token);
    assert.equal(Sspi.statusName(first.status), 'SEC_E_OK');
    Sspi.deleteSecurityContext(first.context!);
    const init = decoded(token);
    assert.ok(init.type === 'NegTokenInit' && init.mechToken !== undefined);
    const wrappings = [
      token,
      init.mechToken,
      negTokenInit({ mechTypes: mechTypeList(OID_KERBEROS_MICROSOFT, OID_NTLM), mechToken: init.mechToken }),
    ];
    for (const again of wrappings) {
      const result = await leg(both, again);
      assert.equal(result.context, undefined);
      assert.notEqual(result.status, Sspi.SEC_E_OK);
      assert.match(result.diagnosis?.text ?? '', /replay/i);
    }
  });

  it('the Microsoft identifier before a real token is echoed', async () => {
    const mechToken = await firstToken({ mech: 'kerberos', flags: notMutual });
    const mechTypes = mechTypeList(OID_KERBEROS_MICROSOFT, OID_KERBEROS, OID_NTLM);
    const result = await leg(both, negTokenInit({ mechTypes, mechToken }));
    assert.equal(Sspi.statusName(result.status), 'SEC_E_OK');
    assert.equal(hex(tokenOf(result)), 'a1143012a0030a0100a10b06092a864882f712010202');
    Sspi.deleteSecurityContext(result.context!);
  });

  it('tokens with another TOK_ID are refused (D19)', async () => {
    const mechToken = await firstToken({ mech: 'kerberos' });
    const at = Buffer.from(mechToken).indexOf('2a864886f712010202', 'hex') + 9;
    for (const id of [0x0200, 0x0300, 0x0404, 0x0101]) {
      const changed = Uint8Array.from(mechToken);
      changed[at] = id >> 8;
      changed[at + 1] = id & 0xff;
      for (const token of [changed, negTokenInit({ mechTypes: mechTypeList(OID_KERBEROS), mechToken: changed })]) {
        assert.equal(Sspi.statusName((await leg(both, token)).status), 'SEC_E_INVALID_TOKEN');
      }
    }
  });

  /** Verifies a client's tokens with one byte changed, every byte in turn. */
  async function survivors(
    credential: Sspi.CredentialHandle,
    tokens: readonly Uint8Array[],
    which: number,
  ): Promise<readonly number[]> {
    const accepted = new Set<number>();
    const original = tokens[which]!;
    for (let at = 0; at < original.byteLength; at++) {
      for (const bit of [0, 7]) {
        const changed = original.map((byte, index) => (index === at ? byte ^ (1 << bit) : byte));
        const result = await verify(
          credential,
          tokens.map((token, index) => (index === which ? changed : token)),
        );
        if (result.context === undefined) continue;
        if (result.status === Sspi.SEC_E_OK) {
          accepted.add(at);
          assert.deepEqual(whoRan(result.context), ALICE);
        }
        Sspi.deleteSecurityContext(result.context);
      }
    }
    return [...accepted];
  }
  async function verify(
    credential: Sspi.CredentialHandle,
    tokens: readonly Uint8Array[],
  ): Promise<Sspi.AcceptSecurityContextResult> {
    let result: Sspi.AcceptSecurityContextResult | undefined;
    for (const token of tokens) {
      if (result !== undefined && result.status !== Sspi.SEC_I_CONTINUE_NEEDED) break;
      result = await leg(credential, token, result?.context);
    }
    return result!;
  }

  it('each byte of a token changed, but for those that nothing protects, or cut off, is refused (A03)', async () => {
    const token = await firstToken({ mech: 'spnego', offer: ['kerberos', 'ntlm'], flags: notMutual });
    const good = await verify(forgetful, [token]);
    assert.equal(Sspi.statusName(good.status), 'SEC_E_OK');
    Sspi.deleteSecurityContext(good.context!);
    const fields = unprotectedFields(token);
    for (const at of await survivors(forgetful, [token], 0)) {
      assert.ok(
        fields.some(({ start, end }) => at >= start && at < end),
        `byte ${at} is in none of the open fields`,
      );
    }
    for (let length = 0; length < token.byteLength; length++) {
      assert.notEqual((await verify(forgetful, [token.subarray(0, length)])).status, Sspi.SEC_E_OK);
    }
  });

  it('under a MIC no byte of the list can be changed (B04), nor of the MIC, and none can be left out (B05)', async () => {
    const options: InitiateOptions = { mech: 'spnego', offer: ['ntlm', 'kerberos'], flags: notMutual };
    await using client = await startGssClient(ticketAndNtlm);
    const { clientTokens, context } = await handshake(kerberosOnly, client, options);
    Sspi.deleteSecurityContext(context);
    const good = await verify(forgetfulKerberos, clientTokens);
    assert.equal(Sspi.statusName(good.status), 'SEC_E_OK');
    Sspi.deleteSecurityContext(good.context!);
    const [first, second] = clientTokens as [Uint8Array, Uint8Array];
    const init = decoded(first);
    const last = decoded(second);
    assert.ok(init.type === 'NegTokenInit' && init.mechToken !== undefined && last.mechListMic !== undefined);
    // What follows the list in the first token is for the mechanism that does not run: discarded, whatever it is.
    const discarded = init.mechTypesBytes.byteOffset + init.mechTypesBytes.byteLength - first.byteOffset;
    for (const at of await survivors(forgetfulKerberos, clientTokens, 0))
      assert.ok(at >= discarded, `byte ${at} of the first token`);
    const mic = last.mechListMic.byteOffset - second.byteOffset;
    for (const at of await survivors(forgetfulKerberos, clientTokens, 1))
      assert.ok(at < mic, `byte ${at} of the second token`);
    const { responseToken } = last as NegTokenResp;
    const without = await verify(forgetfulKerberos, [first, negTokenResp({ responseToken })]);
    assert.equal(Sspi.statusName(without.status), 'SEC_E_INVALID_TOKEN');
    assert.match(without.diagnosis?.text ?? '', /mechListMIC is missing/);
  });
});
