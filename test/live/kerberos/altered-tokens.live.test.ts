/** Tokens of Kerberos that somebody altered, cut or made up without any key. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { applicationTag, derElement, derObjectIdentifier } from '../../../src/formats/der.ts';
import { OID_KERBEROS, OID_KERBEROS_MICROSOFT } from '../../../src/formats/object-identifiers.ts';
import { decodeKerberosToken } from '../../../src/formats/kerberos/kerberos-token.ts';
import { cutTicket } from '../../lab/kerberos/ap-request-tickets.ts';
import { gssClientPackages } from '../../lab/gss-client.ts';
import { tier } from '../../lab/tier.ts';
import { heimdal, mit, portable } from './acceptor.ts';
import { startForgeRealm } from './forge-realm.ts';
import type { ForgeRealm } from './forge-realm.ts';

const gssapis = [
  { ...mit, ready: await tier('kdc', gssClientPackages) },
  { ...heimdal, ready: await tier('heimdal', gssClientPackages) },
  { ...portable, ready: await tier('kdc', gssClientPackages) },
];

for (const { name: gssapi, library, ready } of gssapis)
  describe(`what Kerberos of ${gssapi} refuses`, ready, () => {
    let realm: ForgeRealm;
    before(async () => {
      realm = await startForgeRealm(library);
    });
    after(() => realm.stop());

    it('D08: no byte of ticket or authenticator can be altered, and none of the rest helps', async () => {
      const token = await realm.client.initiate();
      // The true one first: what is accepted afterwards with its authenticator would be a replay.
      assert.equal((await realm.server.verify(token)).status, 'SEC_E_OK');
      for (let at = 0; at < token.byteLength; at++) {
        for (const bit of [0x01, 0x80]) {
          const altered = Buffer.from(token);
          altered[at]! ^= bit;
          const { status } = await realm.server.verify(altered);
          assert.notEqual(status, 'SEC_E_OK', `byte ${at}, bit ${bit}`);
        }
      }
    });

    it('A03, A04: every prefix and any trailing byte is refused', async () => {
      const token = await realm.client.initiate();
      for (let length = 0; length < token.byteLength; length++) {
        assert.equal((await realm.server.verify(token.subarray(0, length))).status, 'SEC_E_INVALID_TOKEN');
      }
      assert.equal((await realm.server.verify(Buffer.concat([token, Buffer.of(0)]))).status, 'SEC_E_INVALID_TOKEN');
      assert.equal((await realm.server.verify(token)).status, 'SEC_E_OK');
    });

    it('D08: ciphertexts cut to fewer bytes than a confounder and a MAC', async () => {
      for (const length of [0, 1, 11, 12, 15, 16, 27, 28, 29]) {
        const token = await realm.client.initiate();
        const cut = cutTicket(token, length);
        assert.ok(cut.byteLength < token.byteLength - 200, `${cut.byteLength} bytes`);
        assert.notEqual((await realm.server.verify(cut)).status, 'SEC_E_OK', `${length} bytes`);
      }
    });

    it('D19, B09: tokens of other kinds and mechanisms never reach the library', async () => {
      const spnego = await realm.client.initiate({ mech: 'spnego' });
      assert.equal((await realm.server.verify(spnego)).status, 'SEC_E_INVALID_TOKEN');
      const token = await realm.client.initiate();
      const at = token.indexOf(Buffer.from('06092a864886f712010202', 'hex')) + 11;
      for (const tokenId of [0x0200, 0x0300, 0x0404, 0x0504, 0x0000]) {
        const altered = Buffer.from(token);
        altered.writeUInt16BE(tokenId, at);
        assert.equal((await realm.server.verify(altered)).status, 'SEC_E_INVALID_TOKEN');
      }
      const { message } = decodeKerberosToken(token);
      // The same AP-REQ as Kerberos, and under the names of IAKERB, user-to-user and the one of old Windows.
      for (const [oid, status, why] of [
        [OID_KERBEROS, 'SEC_E_OK', /^$/],
        ['1.3.6.1.5.2.5', 'SEC_E_INVALID_TOKEN', /is not Kerberos/],
        ['1.2.840.113554.1.2.2.3', 'SEC_E_INVALID_TOKEN', /is not Kerberos/],
        [OID_KERBEROS_MICROSOFT, 'SEC_E_INVALID_TOKEN', /is not Kerberos/],
      ] as const) {
        const named = derElement(applicationTag(0), derObjectIdentifier(oid), Uint8Array.of(1, 0), message);
        const verified = await realm.server.verify(named);
        assert.equal(verified.status, status, oid);
        assert.match(verified.why, why);
      }
      const ntlm = Buffer.from('4e544c4d5353500001000000978208e2', 'hex');
      assert.equal((await realm.server.verify(ntlm)).status, 'SEC_E_INVALID_TOKEN');
      assert.equal((await realm.server.verify(Buffer.alloc(65_537, 0x60))).status, 'SEC_E_INVALID_TOKEN');
    });
  });
