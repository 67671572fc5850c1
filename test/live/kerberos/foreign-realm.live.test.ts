/** Clients of other realms, which the realm of the service trusts: KDCs that have a key in common, two by two. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { gssClientPackages, startGssClient } from '../../lab/gss-client.ts';
import type { GssClient } from '../../lab/gss-client.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { tier } from '../../lab/tier.ts';
import { acceptor, heimdal, mit, portable, useRealm } from './acceptor.ts';
import type { Verified } from './acceptor.ts';

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
      for (const kdc of [ours, theirs]) await kdc.administer([trust('OTHER.TEST', 'TEST.LOCAL')]);
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

/** Trust of one realm in another, as a principal of both. */
const trust = (from: string, to: string): string => `addprinc -pw "between the realms" krbtgt/${to}@${from}`;

/** The realm FAR.TEST, trusted by OTHER.TEST, which TEST.LOCAL trusts. Its KDC looks at the way, or does not. */
interface FarRealm extends AsyncDisposable {
  readonly near: Kdc;
  readonly client: GssClient;
}

async function startFarRealm(near: Kdc): Promise<FarRealm> {
  const other = await startKdc({ realm: 'OTHER.TEST', services: ['HTTP/other.test'] });
  const far = await startKdc({ realm: 'FAR.TEST', services: ['HTTP/far.test'] });
  await near.administer([trust('OTHER.TEST', 'TEST.LOCAL')]);
  await other.administer([trust('OTHER.TEST', 'TEST.LOCAL'), trust('FAR.TEST', 'OTHER.TEST')]);
  await far.administer([trust('FAR.TEST', 'OTHER.TEST')]);
  const configuration = far.file('all.conf');
  const realms = [far, other, near].map(({ realm, port }) => ` ${realm} = {\n  kdc = 127.0.0.1:${port}\n }\n`);
  await writeFile(
    configuration,
    `[libdefaults]
 default_realm = FAR.TEST
 dns_lookup_kdc = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
[realms]
${realms.join('')}[domain_realm]
 localhost = TEST.LOCAL
[capaths]
 FAR.TEST = {
  TEST.LOCAL = OTHER.TEST
 }
`,
  );
  const client = await startGssClient({ ...(await far.signIn('alice')), KRB5_CONFIG: configuration });
  return {
    near,
    client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      for (const kdc of [far, other, near]) await kdc.stop();
    },
  };
}

describe('a client that came through a third realm', await tier('kdc', gssClientPackages), () => {
  const verifyAll = async ({ near, client }: FarRealm): Promise<Map<string, Verified>> => {
    useRealm(near);
    const results = new Map<string, Verified>();
    for (const { name, library, ready } of gssapis) {
      if (ready.skip !== false) continue;
      using server = await acceptor({ library, keytab: near.keytab });
      results.set(name, await server.verify(await client.initiate()));
    }
    return results;
  };

  it('is taken where the KDC of the service has verified the way', async () => {
    await using realm = await startFarRealm(await startKdc({ between: { 'FAR.TEST': 'OTHER.TEST' } }));
    for (const [name, { status, token, why }] of await verifyAll(realm)) {
      assert.equal(status, 'SEC_E_OK', `${name}: ${why}`);
      assert.equal(token?.userPrincipalName, 'alice@FAR.TEST');
    }
  });

  it('is refused where nobody has verified it', async () => {
    await using realm = await startFarRealm(await startKdc({ settings: ['reject_bad_transit = false'] }));
    const results = await verifyAll(realm);
    for (const [name, { status, token }] of results) {
      assert.equal(token, undefined, name);
      assert.equal(status, 'SEC_E_LOGON_DENIED', name);
    }
    assert.match(results.get(portable.name)?.why ?? '', /came through other realms/);
  });
});
