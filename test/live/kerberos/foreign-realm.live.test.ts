/** A client of another realm, which the realm of the service trusts: two KDCs with a key in common. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { gssClientPackages, startGssClient } from '../../lab/gss-client.ts';
import type { GssClient } from '../../lab/gss-client.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { tier } from '../../lab/tier.ts';
import { acceptor, heimdal, mit, portable, useRealm } from './acceptor.ts';

const gssapis = [
  { ...mit, ready: await tier('kdc', gssClientPackages) },
  { ...heimdal, ready: await tier('heimdal', gssClientPackages) },
  { ...portable, ready: await tier('kdc', gssClientPackages) },
];

for (const { name: gssapi, library, ready } of gssapis)
  describe(`a client of another realm, with ${gssapi}`, ready, () => {
    let ours: Kdc;
    let theirs: Kdc;
    let client: GssClient;
    before(async () => {
      ours = await startKdc();
      theirs = await startKdc({ realm: 'OTHER.TEST', services: ['HTTP/other.test'] });
      // RFC 4120 section 1.2: the trust is a principal that both KDCs have, with one key.
      const trust = 'addprinc -pw "between the realms" krbtgt/TEST.LOCAL@OTHER.TEST';
      for (const kdc of [ours, theirs]) await kdc.administer([trust]);
      const configuration = theirs.file('both.conf');
      await writeFile(
        configuration,
        `[libdefaults]
 default_realm = OTHER.TEST
 dns_lookup_kdc = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
[realms]
 OTHER.TEST = {
  kdc = 127.0.0.1:${theirs.port}
 }
 TEST.LOCAL = {
  kdc = 127.0.0.1:${ours.port}
 }
[domain_realm]
 localhost = TEST.LOCAL
`,
      );
      useRealm(ours);
      client = await startGssClient({ ...(await theirs.signIn('alice')), KRB5_CONFIG: configuration });
    });
    after(async () => {
      await client[Symbol.asyncDispose]();
      await theirs.stop();
      await ours.stop();
    });

    it('D18: has the realm in its name, so that it is not the alice of this realm', async () => {
      using server = await acceptor({ library, keytab: ours.keytab });
      const foreign = await server.verify(await client.initiate());
      assert.equal(foreign.status, 'SEC_E_OK', foreign.why);
      assert.equal(foreign.token?.userPrincipalName, 'alice@OTHER.TEST');
      assert.deepEqual([foreign.token.domain, foreign.token.groups], [undefined, []]);
      await using alice = await startGssClient(await ours.signIn('alice'));
      const own = await server.verify(await alice.initiate());
      assert.equal(own.token?.userPrincipalName, 'alice@TEST.LOCAL');
    });
  });
