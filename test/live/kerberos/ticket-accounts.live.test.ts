/** Whom a ticket names: odd names, anonymous principals, tickets that are known, tickets without a PAC. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { decodePac, PAC_SERVER_CHECKSUM } from '../../../src/formats/kerberos/pac.ts';
import {
  authorizationData,
  kerberosString,
  pacAuthorizationData,
  pacOf,
  principalName,
  withChecksum,
} from '../../lab/kerberos/ap-request-forge.ts';
import type { OpenApRequest } from '../../lab/kerberos/ap-request-forge.ts';
import { withTicketOf } from '../../lab/kerberos/ap-request-tickets.ts';
import { gssClientPackages } from '../../lab/gss-client.ts';
import { tier } from '../../lab/tier.ts';
import { acceptor, heimdal, mit, portable } from './acceptor.ts';
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

    const named =
      (...components: (string | Uint8Array)[]) =>
      (open: OpenApRequest): void => {
        const name = principalName(1, ...components);
        open.encTicket.set(3, name);
        open.authenticator.set(2, name);
        // The PAC of this KDC names alice; it has no logon information, so the name is the principal's.
        open.encTicket.delete(10);
      };

    it('D22: a name that is not UTF-8 is no identity, so that two principals never have one name', async () => {
      for (const name of [Buffer.from('j\xf6rg', 'latin1'), Buffer.from('j\xe4rg', 'latin1'), Buffer.of(0xff)]) {
        const { status, token, why } = await realm.server.verify(await realm.forged(named(name)));
        assert.deepEqual([status, token], ['SEC_E_LOGON_DENIED', undefined]);
        assert.match(why, /name of the client is not UTF-8/);
      }
      const { token } = await realm.server.verify(await realm.forged(named('j\xf6rg')));
      assert.equal(token?.userPrincipalName, 'j\xf6rg@TEST.LOCAL');
      const nul = await realm.server.verify(await realm.forged(named('alice\0')));
      assert.notEqual(nul.token?.userName, 'alice');
    });

    it('D18: a name with a separator in it stays one component', async () => {
      const enterprise = await realm.server.verify(await realm.forged(named('alice@OTHER.TEST')));
      assert.equal(enterprise.status, 'SEC_E_OK');
      assert.equal(enterprise.token?.userName, 'alice\\@OTHER.TEST');
      assert.equal(enterprise.token.userPrincipalName, 'alice\\@OTHER.TEST@TEST.LOCAL');
      const slash = await realm.server.verify(await realm.forged(named('host/admin')));
      assert.equal(slash.token?.userName, 'host\\/admin');
      const two = await realm.server.verify(await realm.forged(named('host', 'admin')));
      assert.equal(two.token?.userName, 'host/admin');
      const control = await realm.server.verify(await realm.forged(named('al\u001bice')));
      assert.equal(control.status, 'SEC_E_LOGON_DENIED');
      assert.match(control.why, /control characters/);
    });

    it('D13: an account that is known by its ticket is verified by each token all the same', async () => {
      const first = await realm.client.initiate();
      const verified = await realm.server.verify(first);
      assert.equal(verified.status, 'SEC_E_OK');
      /** Another authenticator with the very ticket that was accepted. */
      const again = async (alter: (open: OpenApRequest) => void): Promise<Buffer> =>
        withTicketOf(first, await realm.forged(alter));
      const unaltered = await realm.server.verify(await again(() => undefined));
      assert.equal(unaltered.status, 'SEC_E_OK');
      assert.deepEqual(unaltered.token, verified.token);
      const ofBob = await again((open) => void open.authenticator.set(2, principalName(1, 'bob')));
      assert.notEqual((await realm.server.verify(ofBob)).status, 'SEC_E_OK');
      const otherKey = await again((open) => void open.sessionKey.fill(1));
      assert.notEqual((await realm.server.verify(otherKey)).status, 'SEC_E_OK');
      // GSS_C_ANON_FLAG: whatever the library makes of it, it does so for a known ticket as for a new one.
      const anonymous = withChecksum((c) => (c.writeUInt32LE(c.readUInt32LE(20) | 0x40, 20), c));
      using fresh = await acceptor({ library, keytab: realm.kdc.keytab });
      const known = await realm.server.verify(await again(anonymous));
      const unknown = await fresh.verify(await again(anonymous));
      assert.equal(known.status, unknown.status);
      assert.deepEqual(known.token, unknown.token);
    });

    it('an anonymous principal is no identity', async () => {
      const name = principalName(11, 'WELLKNOWN', 'ANONYMOUS');
      const { status, token } = await realm.server.verify(
        await realm.forged((open) => {
          for (const [part, nameTag, realmTag] of [
            [open.encTicket, 3, 2],
            [open.authenticator, 2, 1],
          ] as const) {
            part.set(nameTag, name);
            part.set(realmTag, kerberosString('WELLKNOWN:ANONYMOUS'));
          }
          open.encTicket.delete(10);
        }),
      );
      if (status === 'SEC_E_OK') assert.equal(token?.isAnonymous, true);
      else assert.equal(token, undefined);
    });

    it('D13: a PAC that does not verify is never taken for none, wherever in the ticket it lies', async () => {
      const altered = (open: OpenApRequest): Buffer => {
        const pac = pacOf(open.encTicket.get(10)!);
        const signature = decodePac(pac).find(({ type }) => type === PAC_SERVER_CHECKSUM);
        pac[signature!.offset + 4]! ^= 1;
        return pac;
      };
      for (const alter of [
        (open: OpenApRequest) => open.encTicket.set(10, pacAuthorizationData(altered(open))),
        (open: OpenApRequest) => open.encTicket.set(10, authorizationData(128, altered(open))),
      ]) {
        const { status, token, why } = await realm.server.verify(await realm.forged(alter));
        assert.deepEqual([status, token], ['SEC_E_LOGON_DENIED', undefined], why);
      }
      const verified = await realm.forged((open) =>
        open.encTicket.set(10, pacAuthorizationData(pacOf(open.encTicket.get(10)!))),
      );
      assert.equal((await realm.server.verify(verified)).status, 'SEC_E_OK');
    });

    it('D16: a ticket without logon information is refused where a PAC is required', async () => {
      using strict = await acceptor({ library, keytab: realm.kdc.keytab, requirePac: true });
      const verified = await strict.verify(await realm.client.initiate());
      assert.equal(verified.status, 'SEC_E_LOGON_DENIED');
      assert.match(verified.why, /no PAC/);
    });
  });
