/** Tickets that are good, but not here: of other services, keys, encryption types, and of clients with another time. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { derInteger } from '../../../src/formats/der.ts';
import { encodeKeytab } from '../../../src/formats/kerberos/keytab-writer.ts';
import {
  ASC_REQ_EXTENDED_ERROR,
  deleteSecurityContext,
  queryContextAttributes,
  SECPKG_ATTR_CLIENT_SPECIFIED_TARGET,
  SECPKG_ATTR_NATIVE_NAMES,
  statusName,
} from '../../../src/sspi/index.ts';
import {
  authorizationData,
  kerberosString,
  keytabKey,
  openApRequest,
  principalName,
  sealApRequest,
} from '../../lab/kerberos/ap-request-forge.ts';
import type { OpenApRequest } from '../../lab/kerberos/ap-request-forge.ts';
import { gssClientPackages, startGssClient } from '../../lab/gss-client.ts';
import { startKdc } from '../../lab/kdc.ts';
import { runChecked } from '../../lab/process.ts';
import { tier } from '../../lab/tier.ts';
import { acceptor, heimdal, mit, outputToken, portable } from './acceptor.ts';
import { startForgeRealm } from './forge-realm.ts';
import { fakeTimeWords } from '../../lab/fake-time.ts';
import type { ForgeRealm } from './forge-realm.ts';

const packages = [...gssClientPackages, 'faketime'];
const gssapis = [
  { ...mit, ready: await tier('kdc', packages) },
  { ...heimdal, ready: await tier('heimdal', packages) },
  { ...portable, ready: await tier('kdc', packages) },
];

for (const { name: gssapi, library, ready } of gssapis)
  describe(`what Kerberos of ${gssapi} refuses`, ready, () => {
    let realm: ForgeRealm;
    before(async () => {
      realm = await startForgeRealm(library);
    });
    after(() => realm.stop());

    it('D05: servicePrincipalNames restricts whose tickets are taken, in any case', async () => {
      const web = await realm.client.initiate({ target: 'HTTP@web.test.local' });
      using only = await acceptor({
        library,
        keytab: realm.kdc.keytab,
        servicePrincipalNames: ['http/LOCALHOST@test.local'],
      });
      const refused = await only.verify(web);
      assert.equal(refused.status, 'SEC_E_WRONG_PRINCIPAL');
      assert.match(refused.why, /HTTP\/web\.test\.local@TEST\.LOCAL, but this server accepts http\/LOCALHOST/);
      assert.equal((await only.verify(await realm.client.initiate())).status, 'SEC_E_OK');
      assert.equal((await realm.server.verify(web)).status, 'SEC_E_OK');
      const cifs = await realm.server.verify(await realm.client.initiate({ target: 'cifs@localhost' }));
      assert.equal(cifs.status, 'SEC_E_WRONG_PRINCIPAL');
    });

    it('D05: a ticket of another service under the name of this one is refused: only its own keys are loaded', async () => {
      const names = ['HTTP/localhost', 'cifs/localhost'];
      using any = await acceptor({ library, keytab: realm.kdc.keytab, servicePrincipalNames: names });
      const cifs = keytabKey(realm.kdc.keytab, 'cifs/localhost');
      for (const keyVersion of [2, 77, undefined]) {
        const renamed = async (): Promise<Buffer> => {
          const open = openApRequest(await realm.client.initiate({ target: 'cifs@localhost' }), cifs);
          open.ticket.set(2, principalName(2, 'HTTP', 'localhost'));
          open.ticketHeader.keyVersion = keyVersion;
          return sealApRequest(open, cifs);
        };
        const verified = await realm.server.verify(await renamed());
        assert.equal(verified.token, undefined);
        // No library has anything against it by itself, once it has the key.
        if (keyVersion === 77) assert.equal((await any.verify(await renamed())).status, 'SEC_E_OK');
      }
    });

    it('D05: the service that is reported is the one whose key it was, not the one that the ticket names', async () => {
      const names = ['HTTP/localhost', 'cifs/localhost', 'HTTP/other.test@OTHER.TEST'];
      using any = await acceptor({ library, keytab: realm.kdc.keytab, servicePrincipalNames: names });
      const cifs = keytabKey(realm.kdc.keytab, 'cifs/localhost');
      for (const alter of [
        (open: OpenApRequest) => open.ticket.set(2, principalName(2, 'HTTP', 'localhost')),
        (open: OpenApRequest) => {
          open.ticket.set(1, kerberosString('OTHER.TEST'));
          open.ticket.set(2, principalName(2, 'HTTP', 'other.test'));
        },
      ]) {
        const open = openApRequest(await realm.client.initiate({ target: 'cifs@localhost' }), cifs);
        alter(open);
        open.ticketHeader.keyVersion = 77;
        const { context, status } = await any.accept(sealApRequest(open, cifs));
        assert.equal(statusName(status), 'SEC_E_OK');
        const service = 'cifs/localhost@TEST.LOCAL';
        assert.equal(queryContextAttributes(context!, SECPKG_ATTR_NATIVE_NAMES).value?.server, service);
        assert.equal(queryContextAttributes(context!, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET).value, service);
        deleteSecurityContext(context!);
      }
      // What stands in the clear reaches nobody: here a control character in the realm.
      const open = openApRequest(await realm.client.initiate(), realm.key);
      open.ticket.set(1, kerberosString('TEST.LOCAL\u001b[2J'));
      open.ticketHeader.keyVersion = 77;
      const { context } = await realm.server.accept(sealApRequest(open, realm.key));
      if (context !== undefined) {
        const names = queryContextAttributes(context, SECPKG_ATTR_NATIVE_NAMES).value;
        assert.equal(names?.server, 'HTTP/localhost@TEST.LOCAL');
        deleteSecurityContext(context);
      }
    });

    it('D05: a client that means another service is refused, whatever the ticket names', async () => {
      const meaning = (...target: readonly Uint8Array[]): Promise<Buffer> =>
        realm.forged((open) =>
          open.authenticator.set(8, authorizationData(1, authorizationData(144, Buffer.concat(target)))),
        );
      const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');
      for (const target of ['HTTP/localhost@TEST.LOCAL', 'http/LOCALHOST@test.local', 'HTTP/localhost']) {
        const { status, why } = await realm.server.verify(await meaning(utf16(target)));
        assert.equal(status, 'SEC_E_OK', why);
      }
      for (const target of ['cifs/localhost@TEST.LOCAL', 'cifs/localhost', 'alice', '', 'cifs/\u001b[2J']) {
        const { status, why } = await realm.server.verify(await meaning(utf16(target)));
        assert.equal(status, 'SEC_E_WRONG_PRINCIPAL', target);
        assert.match(why, /the client means .*, but this server accepts HTTP\/\*/);
        assert.ok(!why.includes('\u001b'));
      }
      const odd = await realm.server.verify(await meaning(utf16('HTTP/localhost'), Buffer.of(0)));
      assert.equal(odd.status, 'SEC_E_WRONG_PRINCIPAL');
    });

    it('D09: a ticket under a known key is taken whatever key version it names: libkrb5 tries the keys it has', async () => {
      for (const keyVersion of [77, -1, 0x70002, undefined]) {
        const token = await realm.forged((open) => (open.ticketHeader.keyVersion = keyVersion));
        assert.equal((await realm.server.verify(token)).token?.userName, 'alice');
      }
      const stranger = Buffer.alloc(32, 9);
      const open = openApRequest(await realm.client.initiate(), realm.key);
      open.ticketHeader.keyVersion = 77;
      const verified = await realm.server.verify(sealApRequest(open, stranger));
      assert.equal(verified.token, undefined);
      assert.match(verified.why, /kvno\) 77, but the keytab .* has kvno 2/);
    });

    it('D09: the kvno of a read-only domain controller fits a keytab that has all of it, or its lower half', async () => {
      // MS-KILE section 3.1.5.8: the upper half is the number of the controller.
      const [ofController, ofAnother] = [0x1f34_0002, 0x0d05_0002];
      for (const keyVersions of [[2], [ofController], [1, ofController, 3]]) {
        const keytab = realm.kdc.file(`rodc-${keyVersions.join('-')}.keytab`);
        const entries = keyVersions.map((keyVersion) => ({
          ...{ components: ['HTTP', 'localhost'], realm: 'TEST.LOCAL', keyVersion, encryptionType: 18 },
          // The others are older and newer keys.
          value: keyVersion === 1 || keyVersion === 3 ? Buffer.alloc(32, keyVersion) : realm.key,
        }));
        await writeFile(keytab, encodeKeytab(entries, 0), { mode: 0o600 });
        using server = await acceptor({ library, keytab });
        for (const keyVersion of [ofController, ofAnother, 2]) {
          const token = await realm.forged((open) => (open.ticketHeader.keyVersion = keyVersion));
          const { status, why } = await server.verify(token);
          assert.equal(status, 'SEC_E_OK', `${keyVersion} with ${keyVersions.join()}: ${why}`);
        }
        // The right number under another key is no reason to take it.
        const open = openApRequest(await realm.client.initiate(), realm.key);
        open.ticketHeader.keyVersion = ofController;
        const { token } = await server.verify(sealApRequest(open, Buffer.alloc(32, 9)));
        assert.equal(token, undefined);
      }
    });

    it('D03: a client whose clock is off is told apart, in seconds, and gets the server time where asked for', async () => {
      await runChecked('kvno', ['HTTP/localhost'], { env: realm.env });
      await using late = await startGssClient(realm.env, fakeTimeWords('+20m'));
      const verified = await realm.server.verify(await late.initiate(), { requirements: ASC_REQ_EXTENDED_ERROR });
      assert.equal(verified.status, 'SEC_E_TIME_SKEW');
      const [, seconds] = /clock is (\d+) seconds ahead/.exec(verified.why) ?? [];
      assert.ok(Math.abs(Number(seconds) - 1200) <= 5, verified.why);
      // KRB-ERROR with KRB_AP_ERR_SKEW (37): error-code [6] INTEGER.
      const error = Buffer.from(outputToken(verified.output));
      assert.ok(
        error.includes(Buffer.concat([Buffer.from('a603', 'hex'), Buffer.from(derInteger(37))])),
        error.toString('hex'),
      );
    });

    it('D06: RC4 of a real KDC is refused by default and taken where allowed', async () => {
      await using old = await startKdc({
        realm: 'OLD.TEST',
        services: ['HTTP/localhost'],
        encryptionTypes: 'aes256-cts:normal rc4-hmac:normal',
      });
      await old.administer([
        'addprinc -randkey -e rc4-hmac:normal HTTP/rc4.old.test',
        `ktadd -k ${old.file('rc4.keytab')} -e rc4-hmac:normal HTTP/rc4.old.test`,
        `ktadd -k ${old.file('rc4.keytab')} HTTP/localhost`,
      ]);
      const rc4 = await startGssClient(await old.signIn('alice'));
      const keytab = old.file('rc4.keytab');
      using refusing = await acceptor({ library, keytab });
      using allowing = await acceptor({ library, keytab, allowRc4: true });
      const target = 'HTTP@rc4.old.test';
      const verified = await refusing.verify(await rc4.initiate({ target }));
      assert.equal(verified.status, 'SEC_E_ALGORITHM_MISMATCH');
      assert.match(verified.why, /arcfour-hmac, which is refused/);
      assert.equal((await allowing.verify(await rc4.initiate({ target }))).status, 'SEC_E_OK');
      await rc4[Symbol.asyncDispose]();
    });
  });
