/** Proofs of the conformance table that need a ticket: an MIT KDC, MIT's libgssapi as the client, in a process of its own. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { kerberosPackage } from '../../src/native/gssapi/index.ts';
import type { KerberosAuthData } from '../../src/native/gssapi/index.ts';
import { negotiatePackage } from '../../src/packages/negotiate/index.ts';
import { ntlmPackage } from '../../src/packages/ntlm/ntlm-package.ts';
import * as Sspi from '../../src/sspi/index.ts';
import { memoryAccounts } from '../../src/accounts/memory-accounts.ts';
import { mutual, startGssClient } from '../lab/gss-client.ts';
import type { GssClient, InitiateOptions } from '../lab/gss-client.ts';
import { startKdc } from '../lab/kdc.ts';
import type { Kdc } from '../lab/kdc.ts';
import { runChecked } from '../lab/process.ts';
import type { Witness } from './witness.ts';
import { encryptNow } from './messages-now.ts';

/** A proof with a KDC of its own, and a client that has a ticket. */
async function withTicket(
  proof: (kdc: Kdc, client: GssClient) => Promise<void>,
  kinit: readonly string[] = [],
): Promise<void> {
  await using kdc = await startKdc();
  // libkrb5 in this process looks for its realm here.
  Object.assign(process.env, kdc.env);
  await using client = await startGssClient(await kdc.signIn('alice', kinit));
  await proof(kdc, client);
}

const kerberos = (kdc: Kdc, more: KerberosAuthData = {}) => ({
  package: kerberosPackage,
  authData: { keytab: kdc.keytab, ...more } satisfies KerberosAuthData,
});

const tokenOf = ({ output }: Sspi.AcceptSecurityContextResult): Uint8Array | undefined =>
  Sspi.findBuffer(output, Sspi.SECBUFFER_TOKEN)?.data;

function assertAlice(result: Sspi.AcceptSecurityContextResult): Sspi.ContextHandle {
  assert.equal(Sspi.statusName(result.status), 'SEC_E_OK', result.diagnosis?.text);
  const account = Sspi.querySecurityContextToken(result.context!).value;
  assert.equal(account?.userPrincipalName, 'alice@TEST.LOCAL');
  return result.context!;
}

/** One token of the client; the answer, which must satisfy the client too. */
async function signIn(
  witness: Witness,
  credential: Sspi.CredentialHandle,
  client: GssClient,
  options: InitiateOptions,
  requirements?: number,
): Promise<Sspi.AcceptSecurityContextResult> {
  const token = await client.initiate(options);
  const result = await witness.accept(credential, undefined, token, requirements === undefined ? {} : { requirements });
  assertAlice(result);
  await client.step(tokenOf(result)!);
  assert.equal(client.complete, true);
  return result;
}

/** Row package Kerberos. */
export const kerberosSignsIn = (witness: Witness): Promise<void> =>
  withTicket(async (kdc, client) => {
    const { package: owner, authData } = kerberos(kdc);
    const credential = await witness.acquire(owner, authData);
    const { context, attributes = 0 } = await signIn(witness, credential, client, {});
    assert.notEqual(attributes & Sspi.ASC_RET_MUTUAL_AUTH, 0);
    const data = Buffer.from('a message');
    const sealed = encryptNow(context!, [{ type: Sspi.SECBUFFER_DATA, data }]).value!;
    assert.deepEqual(await client.unwrap(Buffer.concat(sealed.map((part) => part.data))), data);
  });

/** Row package Negotiate, its half with Kerberos. */
export const negotiateRunsKerberos = (witness: Witness): Promise<void> =>
  withTicket(async (kdc, client) => {
    const credential = await witness.acquire(negotiatePackage, { packages: [kerberos(kdc)] });
    const { context } = await signIn(witness, credential, client, { mech: 'spnego' });
    const ran = Sspi.queryContextAttributes(context!, Sspi.SECPKG_ATTR_NEGOTIATION_INFO).value;
    assert.equal(ran?.package.name, 'Kerberos');
  });

const DELEGATE = Sspi.ASC_REQ_CONNECTION | Sspi.ASC_REQ_DELEGATE;
const forwarding = [...mutual, 'delegate_to_peer'];

/** Row requirement ASC_REQ_DELEGATE. */
export const kerberosDelegates = (witness: Witness): Promise<void> =>
  withTicket(
    async (kdc, client) => {
      const { package: owner, authData } = kerberos(kdc, { delegate: true });
      const delegating = await witness.acquire(owner, authData);
      const given = await signIn(witness, delegating, client, { flags: forwarding }, DELEGATE);
      assert.notEqual((given.attributes ?? 0) & Sspi.ASC_RET_DELEGATE, 0);
      const { credentialCache } = Sspi.queryDelegatedCredentials(given.context!).value!;
      assert.ok(credentialCache !== undefined);
      // The proof of a delegated ticket: the KDC gives a ticket for another service on it, to its owner.
      const env = { ...kdc.env, KRB5CCNAME: credentialCache };
      await runChecked('kvno', ['HTTP/web.test.local'], { env });
      assert.match(await runChecked('klist', [], { env }), /principal: alice@TEST\.LOCAL[^]*HTTP\/web\.test\.local@/);
      Sspi.deleteSecurityContext(given.context!);
      assert.equal(existsSync(credentialCache.replace(/^FILE:/, '')), false, 'the cache ends with the context');

      const strict = await witness.acquire(owner, kerberos(kdc).authData);
      for (const [credential, flags, requirements] of [
        [delegating, forwarding, Sspi.ASC_REQ_CONNECTION],
        [delegating, mutual, DELEGATE],
        [strict, forwarding, DELEGATE],
      ] as const) {
        const not = await signIn(witness, credential, client, { flags }, requirements);
        assert.equal((not.attributes ?? 0) & Sspi.ASC_RET_DELEGATE, 0);
        assert.equal(Sspi.queryDelegatedCredentials(not.context!).status, Sspi.SEC_E_NO_CREDENTIALS);
      }
    },
    ['-f'],
  );

const EXTENDED_ERROR = Sspi.ASC_REQ_CONNECTION | Sspi.ASC_REQ_EXTENDED_ERROR;
/** NegTokenResp with negState reject and nothing else, RFC 4178 section 4.2.2. */
const REJECT = 'a1073005a0030a0102';
/** thisMech Kerberos and TOK_ID KRB-ERROR, RFC 4121 section 4.1. */
const KRB_ERROR = Buffer.from('06092a864886f7120102020300', 'hex');

/** Row requirement ASC_REQ_EXTENDED_ERROR. */
export const peerIsTold = (witness: Witness): Promise<void> =>
  withTicket(async (kdc, client) => {
    const inner = kerberos(kdc);
    const raw = await witness.acquire(inner.package, inner.authData);
    const spnego = await witness.acquire(negotiatePackage, { packages: [inner] });
    for (const [credential, mech] of [
      [raw, 'kerberos'],
      [spnego, 'spnego'],
    ] as const) {
      const token = await client.initiate({ mech });
      assertAlice(await witness.accept(credential, undefined, token));
      const replay = async (requirements: number): Promise<Uint8Array | undefined> => {
        const result = await witness.accept(credential, undefined, token, { requirements });
        assert.ok(Sspi.statusName(result.status).startsWith('SEC_E_') && result.context === undefined);
        assert.notEqual(result.status, Sspi.SEC_E_OK);
        return tokenOf(result);
      };
      assert.equal(await replay(Sspi.ASC_REQ_CONNECTION), undefined);
      const error = await replay(EXTENDED_ERROR);
      assert.ok(Buffer.from(error!).includes(KRB_ERROR), 'SPNEGO has it as the responseToken of its reject');
      // The client has the reason from the server's token: it knows of no replay itself.
      await assert.rejects(client.step(error!), /replay/i);
    }

    const accounts = memoryAccounts([{ userName: 'alice', domain: 'LAB', password: 'wonderland' }]);
    const ntlm = { package: ntlmPackage, authData: { accounts, domain: 'LAB', computerName: 'SERVER' } };
    const other = await witness.acquire(negotiatePackage, { packages: [ntlm] });
    const token = await client.initiate({ mech: 'spnego', offer: ['kerberos'] });
    const silent = await witness.accept(other, undefined, token);
    assert.equal(Sspi.statusName(silent.status), 'SEC_E_INVALID_TOKEN');
    assert.equal(tokenOf(silent), undefined);
    const reject = tokenOf(await witness.accept(other, undefined, token, { requirements: EXTENDED_ERROR }))!;
    assert.equal(Buffer.from(reject).toString('hex'), REJECT);
    await assert.rejects(client.step(reject), /gss client: /);
  });
