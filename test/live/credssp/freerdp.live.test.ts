/** CredSSP with xfreerdp: what counts is the server's record. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { memoryAccounts } from '../../../src/accounts/memory-accounts.ts';
import { smbpasswdFile } from '../../../src/accounts/smbpasswd-file.ts';
import { ntowfv1 } from '../../../src/crypto/ntlm-keys.ts';
import type { CredSspAuthData } from '../../../src/packages/credssp/index.ts';
import type { NtlmAuthData } from '../../../src/packages/ntlm/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { startFreeRdp } from '../../lab/freerdp.ts';
import type { FreeRdp, FreeRdpOptions } from '../../lab/freerdp.ts';
import { matrixRows } from '../../lab/matrix.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';
import { credsspAuthData } from '../../packages/credssp/credssp-server.ts';
import { certificates } from '../../vectors/certificates.ts';
import { schannelPackage } from '../../../src/packages/schannel/index.ts';
import type { SchannelAuthData } from '../../../src/packages/schannel/index.ts';
import { rdpServer } from './rdp-server.ts';
import type { RdpServerOptions, RdpVisit } from './rdp-server.ts';

const LOGON_FAILURE = /LOGON_FAILURE/;
const password = 'Gr\u00fc\u00dfe 7\u20ac';
const accounts = memoryAccounts([
  { userName: 'alice', domain: 'LAB', password, userPrincipalName: 'alice@test.local' },
]);
const clock = { now: () => Date.now(), elapsed: () => 0 };
const ntlm = { accounts, clock };

const schannel = (more: Partial<SchannelAuthData>): Pick<CredSspAuthData, 'schannel'> => ({
  schannel: { package: schannelPackage, authData: { ...certificates.server, ...more } },
});

/** A way of the server that xfreerdp signs in to. */
interface Row {
  readonly name: string;
  readonly kind: string;
  readonly authData: Partial<CredSspAuthData>;
  readonly tls: number;
}

const rows: readonly Row[] = [
  { name: 'TLS 1.3, RSA, version 6', kind: '1.3', authData: {}, tls: 0x304 },
  { name: 'TLS 1.2, RSA, version 6', kind: '1.2', authData: schannel({ maxVersion: 'TLSv1.2' }), tls: 0x303 },
  { name: 'TLS 1.3, P-256, version 6', kind: '1.3', authData: schannel(certificates.serverEc), tls: 0x304 },
  { name: 'TLS 1.3, RSA, version 5', kind: '5', authData: { maxVersion: 5 }, tls: 0x304 },
  { name: 'TLS 1.3, RSA, version 2', kind: '2', authData: { minVersion: 2, maxVersion: 2 }, tls: 0x304 },
];

describe('CredSSP with xfreerdp', await tier('freerdp'), () => {
  let client: FreeRdp;
  before(async () => {
    client = await startFreeRdp();
  });
  after(() => client[Symbol.asyncDispose]());

  /** One sign-in, as the server saw it. */
  async function visit(
    authData: Partial<CredSspAuthData>,
    account: Omit<FreeRdpOptions, 'port'>,
    options: RdpServerOptions = {},
    verifier: Partial<NtlmAuthData> = ntlm,
  ): Promise<RdpVisit & { readonly said: string }> {
    await using server = await rdpServer(credsspAuthData(authData, verifier), options);
    const { stdout, stderr } = await client.signIn({ port: server.port, ...account });
    const last = server.visits.at(-1);
    assert.ok(last !== undefined, stdout + stderr);
    await last.ended;
    return { ...last, said: stdout + stderr };
  }

  const alice = { user: 'alice', domain: 'LAB', password };

  for (const { name, authData, tls } of matrixRows(rows, ({ kind }) => kind)) {
    it(`${name}: signs in and gives its password away`, async () => {
      let given: Sspi.DelegatedPassword | undefined;
      let text = '';
      const seen = await visit(authData, alice, {
        requirements: Sspi.ASC_REQ_EXTENDED_ERROR | Sspi.ASC_REQ_DELEGATE,
        signedIn(context) {
          const { value } = Sspi.queryDelegatedCredentials(context);
          if (value?.kind !== 'password') return;
          given = value;
          text = value.password.toString();
        },
      });
      assert.deepEqual([seen.user, seen.verifiedBy, seen.tls], ['LAB\\alice', 'NTLM', tls], seen.diagnoses.join());
      assert.equal(seen.statuses.at(-1), 'SEC_E_OK');
      assert.deepEqual([given?.domain, given?.userName, text], ['LAB', 'alice', password]);
      assert.equal(given?.password.byteLength, 0, 'it went with the context');
    });
  }

  it('by its principal name', async () => {
    const seen = await visit({}, { user: 'alice@test.local', password });
    assert.deepEqual([seen.user, seen.statuses.at(-1)], ['LAB\\alice', 'SEC_E_OK'], seen.diagnoses.join());
  });

  it('restricted administration: signed in, without a password', async () => {
    let status: number | undefined;
    const seen = await visit(
      {},
      { ...alice, words: ['/restricted-admin'] },
      {
        requirements: Sspi.ASC_REQ_EXTENDED_ERROR | Sspi.ASC_REQ_DELEGATE,
        negotiationFlags: 8,
        signedIn(context) {
          ({ status } = Sspi.queryDelegatedCredentials(context));
        },
      },
    );
    assert.deepEqual([seen.user, status], ['LAB\\alice', Sspi.SEC_E_NO_CREDENTIALS], seen.diagnoses.join());
  });

  it('a wrong password: xfreerdp is told STATUS_LOGON_FAILURE', async () => {
    const seen = await visit({}, { ...alice, password: 'wrong' });
    assert.deepEqual([seen.user, seen.statuses.at(-1)], [undefined, 'SEC_E_LOGON_DENIED']);
    assert.match(seen.said, LOGON_FAILURE);
  });

  it('a disabled account, and one that does not exist, are told the same', async () => {
    await using folder = await scratchFolder('freerdp-accounts');
    const path = folder.file('smbpasswd');
    const hash = Buffer.from(ntowfv1(password)).toString('hex').toUpperCase();
    const line = (user: string, flags: string): string =>
      `${user}:1001:${'X'.repeat(32)}:${hash}:[${flags}]:LCT-00000000:\n`;
    await writeFile(path, line('alice', 'U          ') + line('bob', 'UD         '), { mode: 0o600 });
    for (const user of ['bob', 'nobody']) {
      const seen = await visit({}, { ...alice, user }, {}, { accounts: smbpasswdFile(path), clock });
      assert.deepEqual([seen.user, seen.statuses.at(-1)], [undefined, 'SEC_E_LOGON_DENIED'], user);
      assert.match(seen.said, LOGON_FAILURE);
    }
  });
});
