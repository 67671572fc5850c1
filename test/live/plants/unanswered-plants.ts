/** Clients that are asked for Kerberos and send nothing, or something else. */
import { curl } from '../../lab/curl.ts';
import { ntlmGssAccount } from '../../lab/gss-client.ts';
import type { Plant } from '../../lab/plants/plant.ts';
import { changedConfiguration, negotiateStatus } from '../../lab/plants/realm.ts';
import type { ClientEnv, Realm } from '../../lab/plants/realm.ts';
import { named, serve } from '../../lab/plants/site.ts';
import type { Site } from '../../lab/plants/site.ts';
import { fakeTimeWords } from '../../lab/fake-time.ts';
import { runChecked } from '../../lab/process.ts';

/** A client that has not answered within this time has not answered. */
const limits = { handshakeMilliseconds: 200 };
const plant = ({ kdc }: Realm): Promise<Site> => serve({ keytab: kdc.keytab, limits });
const plantAs =
  (host: string) =>
  async (realm: Realm): Promise<Site> =>
    named(await plant(realm), host);
const noTicket = /klist|kinit|no ticket/;
const curl401 = { client: 'curl --negotiate', answer: 401, plant } as const;
const unanswered = { ...curl401, kind: 'unanswered' } as const;

async function requestsKerberos(url: string, env: ClientEnv): Promise<number> {
  const script = [
    'import requests, sys',
    'from requests_kerberos import HTTPKerberosAuth',
    'session = requests.Session()',
    'session.trust_env = False',
    'try:',
    '    print(session.get(sys.argv[1], auth=HTTPKerberosAuth()).status_code)',
    'except Exception:',
    '    print(401)',
  ].join('\n');
  return Number(await runChecked('/usr/bin/python3', ['-c', script, url], { env }));
}

/** The table. */
export const unansweredPlants: readonly Plant<Realm>[] = [
  {
    ...unanswered,
    planted: 'the user has no ticket',
    visit: (site, { kdc }) => negotiateStatus(site.url(), kdc.env),
    cause: /none came.*host=localhost/,
    cure: noTicket,
  },
  {
    ...unanswered,
    client: 'requests-kerberos',
    planted: 'the user of a Python program has no ticket',
    visit: (site, { kdc }) => requestsKerberos(site.url(), kdc.env),
    cause: /none came.*host=localhost/,
    cure: noTicket,
  },
  {
    ...unanswered,
    planted: 'the ticket of the user has expired',
    async visit(site, realm) {
      const env = await realm.kdc.signIn('alice', ['-l', '1m']);
      const words = ['--negotiate', '-u', ':', site.url()];
      return (await curl(words, { env }, fakeTimeWords('+120s'))).status;
    },
    cause: /none came.*host=localhost/,
    cure: noTicket,
  },
  {
    ...unanswered,
    planted: 'the site is opened by its address',
    kind: 'unanswered, address',
    plant: plantAs('127.0.0.1'),
    visit: (site, realm) => negotiateStatus(site.url(), realm.alice),
    cause: /none came.*no tickets? (for|can be had for) (an|the) address.*127\.0\.0\.1/,
    cure: /by (its|the|a) name|a name/,
    misleads: /klist/,
  },
  {
    ...unanswered,
    planted: 'the site is opened by a name that is registered nowhere',
    kind: 'unanswered, name',
    plant: plantAs('alias2.test.local'),
    visit: (site, realm) => negotiateStatus(site.url(), realm.alice),
    cause: /alias2\.test\.local.*(not among|none of|has no key|no key for)/,
    cure: /setspn|[Rr]egister/,
  },
  {
    ...unanswered,
    planted: 'krb5.conf of the client maps the host to another realm',
    kind: 'unanswered, name',
    plant: plantAs('web.test.local'),
    async visit(site, realm) {
      const KRB5_CONFIG = await changedConfiguration(realm, (text) =>
        text.replace('.test.local = TEST.LOCAL', '.test.local = OTHER.LOCAL'),
      );
      return negotiateStatus(site.url(), { ...realm.alice, KRB5_CONFIG });
    },
    cause: /none came.*host=web\.test\.local/,
    cure: noTicket,
  },
  {
    ...curl401,
    client: 'a raw NTLM message',
    planted: 'the client falls back to NTLM, and the server has Kerberos alone',
    kind: 'NTLM to Kerberos',
    async visit(site) {
      const type1 = 'TlRMTVNTUAABAAAABoIIAAAAAAAAAAAAAAAAAAAAAAA=';
      return (await curl(['-H', `Authorization: Negotiate ${type1}`, site.url()])).status;
    },
    cause: /client offers NTLM; this server has Kerberos/,
    cure: /could not get a ticket for HTTP\/localhost: the name is not registered/,
    misleads: /broken/,
  },
  {
    ...curl401,
    client: 'curl with gss-ntlmssp',
    planted: 'the client offers NTLM inside of SPNEGO, and the server has Kerberos alone',
    kind: 'NTLM to Kerberos',
    async visit(site) {
      await using account = await ntlmGssAccount('CORP', 'alice', 'secret');
      return (await curl(['--negotiate', '-u', ':', site.url()], { env: account.env })).status;
    },
    cause: /client offers NTLM; this server has Kerberos/,
    cure: /could not get a ticket for HTTP\/localhost: the name is not registered/,
  },
  {
    ...curl401,
    client: 'curl',
    planted: 'the client sends Basic, which is not offered',
    kind: 'another scheme',
    visit: async (site) => (await curl(['-u', 'alice:s3cret', site.url()])).status,
    cause: /scheme-not-offered.*(it )?used Basic/,
    cure: /offered(:| \()? ?Negotiate/,
    misleads: /s3cret/,
  },
  {
    ...curl401,
    client: 'curl',
    planted: 'the client sends a bearer token, which is not offered',
    kind: 'another scheme',
    visit: async (site) => (await curl(['--oauth2-bearer', 's3cret', site.url()])).status,
    cause: /scheme-not-offered.*(it )?used Bearer/,
    cure: /offered(:| \()? ?Negotiate/,
    misleads: /s3cret/,
  },
  {
    ...curl401,
    client: 'curl --ntlm',
    planted: 'the client is told to use NTLM, and Negotiate alone is offered',
    kind: 'another scheme',
    visit: async (site) => (await curl(['--ntlm', '-u', 'alice:s3cret', site.url()])).status,
    cause: /scheme-not-offered.*(it )?used NTLM/,
    cure: /offered(:| \()? ?Negotiate/,
  },
];
