/**
 * CredSSP over the GSSAPI clients of MIT krb5 and gss-ntlmssp: their tokens, in SPNEGO and raw, and their sealed messages.
 * TLS is Node's, and TSRequests are written by the test.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { memoryAccounts } from '../../../src/accounts/memory-accounts.ts';
import { kerberosPackage } from '../../../src/native/gssapi/index.ts';
import { serverBinding } from '../../../src/packages/credssp/key-binding.ts';
import { negotiatePackage } from '../../../src/packages/negotiate/index.ts';
import { ntlmPackage } from '../../../src/packages/ntlm/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { ntlmGssAccount, ntlmGssClientPackages, startGssClient } from '../../lab/gss-client.ts';
import type { GssClient, InitiateOptions, NtlmGssAccount } from '../../lab/gss-client.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { tier } from '../../lab/tier.ts';
import { clientBinding, passwordCredentials, publicKeyOf } from '../../packages/credssp/credssp-client.ts';
import { credsspAuthData, CredSspServer } from '../../packages/credssp/credssp-server.ts';
import type { Answered, CredSspConnection } from '../../packages/credssp/credssp-server.ts';
import { certificates } from '../../vectors/certificates.ts';
import { useRealm } from '../kerberos/acceptor.ts';

const publicKey = publicKeyOf(certificates.server.cert);
const account = { domain: 'CORP', userName: 'alice', password: 'alice-password' };
const principal = { domain: '', userName: 'alice@TEST.LOCAL', password: 'alice-password' };

/** A sign-in up to the credentials: the client's tokens, then its proof of the key. */
async function proveKey(connection: CredSspConnection, gss: GssClient, options: InitiateOptions): Promise<Answered> {
  await connection.secure();
  let negoToken = await gss.initiate(options);
  for (let leg = 0; leg < 4; leg++) {
    const { status, answer, result } = await connection.say({ negoToken });
    assert.equal(status, 'SEC_I_CONTINUE_NEEDED', result.diagnosis?.text);
    if (answer?.negoToken !== undefined) ({ token: negoToken } = await gss.step(answer.negoToken));
    if (gss.complete && negoToken.byteLength === 0) break;
    // NTLM alone has nothing to wait for after its last message: the key's proof goes with it.
    if (gss.complete) return await bind(connection, gss, negoToken);
  }
  return await bind(connection, gss, undefined);
}

async function bind(connection: CredSspConnection, gss: GssClient, negoToken: Buffer | undefined): Promise<Answered> {
  const { nonce } = connection.client;
  const pubKeyAuth = await gss.wrap(clientBinding(nonce, publicKey));
  const answered = await connection.say({ negoToken, pubKeyAuth, clientNonce: nonce });
  assert.equal(answered.status, 'SEC_I_CONTINUE_NEEDED', answered.result.diagnosis?.text);
  const binding = await gss.unwrap(answered.answer!.pubKeyAuth!);
  assert.ok(binding.equals(serverBinding(6, publicKey, nonce)), 'the server proves its key');
  return answered;
}

describe('CredSSP with GSSAPI clients', await tier('kdc', ntlmGssClientPackages), () => {
  let kdc: Kdc;
  let ntlmAccount: NtlmGssAccount;
  let server: CredSspServer;
  before(async () => {
    kdc = await startKdc();
    useRealm(kdc);
    ntlmAccount = await ntlmGssAccount(account.domain, account.userName, account.password);
    const accounts = memoryAccounts([account]);
    const ntlm = { package: ntlmPackage, authData: { accounts, domain: 'CORP', computerName: 'SERVER' } };
    const kerberos = { package: kerberosPackage, authData: { keytab: kdc.keytab } };
    const negotiate = { package: negotiatePackage, authData: { packages: [kerberos, ntlm] } };
    server = await CredSspServer.start(credsspAuthData({ negotiate }));
  });
  after(async () => {
    server[Symbol.dispose]();
    await ntlmAccount[Symbol.asyncDispose]();
    await kdc[Symbol.asyncDispose]();
  });

  const rows: readonly (readonly [string, 'Kerberos' | 'NTLM', InitiateOptions])[] = [
    ['raw Kerberos', 'Kerberos', { mech: 'kerberos' }],
    ['Kerberos in SPNEGO', 'Kerberos', { mech: 'spnego', offer: ['kerberos'] }],
    ['raw NTLM', 'NTLM', { mech: 'ntlm' }],
    ['NTLM in SPNEGO', 'NTLM', { mech: 'spnego', offer: ['ntlm'] }],
  ];
  for (const [name, verifiedBy, options] of rows) {
    it(`${name}: signs in`, async () => {
      const env = verifiedBy === 'NTLM' ? ntlmAccount.env : await kdc.signIn('alice');
      await using gss = await startGssClient(env);
      using connection = server.connect();
      await proveKey(connection, gss, options);
      const given = verifiedBy === 'NTLM' ? account : principal;
      const authInfo = await gss.wrap(passwordCredentials(given));
      const { status, result } = await connection.say({ authInfo });
      assert.equal(status, 'SEC_E_OK', result.diagnosis?.text);
      const context = result.context!;
      const ran = Sspi.queryContextAttributes(context, Sspi.SECPKG_ATTR_NEGOTIATION_INFO).value;
      assert.equal(ran?.package.name, verifiedBy);
      assert.equal(Sspi.querySecurityContextToken(context).value?.userName, 'alice');
      const mutual = (result.attributes! & Sspi.ASC_RET_MUTUAL_AUTH) !== 0;
      assert.equal(mutual, verifiedBy === 'Kerberos');
      const { value } = Sspi.queryDelegatedCredentials(context);
      assert.ok(value?.kind === 'password');
      assert.equal(value.password.toString(), account.password);
    });
  }

  it('F05: with a ticket of alice, the password of bob is refused', async () => {
    await using gss = await startGssClient(await kdc.signIn('alice'));
    for (const userName of ['bob@TEST.LOCAL', 'alice@OTHER.LOCAL', 'bob']) {
      using connection = server.connect();
      await proveKey(connection, gss, { mech: 'kerberos' });
      const authInfo = await gss.wrap(passwordCredentials({ domain: '', userName, password: 'x' }));
      assert.equal((await connection.say({ authInfo })).status, 'SEC_E_LOGON_DENIED', userName);
    }
  });

  it('F03: a message that is signed only, or is of another context, does not prove the key', async () => {
    await using gss = await startGssClient(await kdc.signIn('alice'));
    for (const encrypt of [true, false]) {
      using connection = server.connect();
      await connection.secure();
      const { answer } = await connection.say({ negoToken: await gss.initiate({ mech: 'kerberos' }) });
      await gss.step(answer!.negoToken!);
      const { nonce } = connection.client;
      const pubKeyAuth = await gss.wrap(clientBinding(nonce, publicKey), encrypt);
      // The message of one connection on another one.
      using other = server.connect();
      const target = encrypt ? other : connection;
      if (encrypt) {
        await other.secure();
        await using second = await startGssClient(await kdc.signIn('alice'));
        await other.say({ negoToken: await second.initiate({ mech: 'kerberos' }) });
      }
      const { status } = await target.say({ pubKeyAuth, clientNonce: nonce });
      assert.equal(status, 'SEC_E_MESSAGE_ALTERED');
    }
  });
});
