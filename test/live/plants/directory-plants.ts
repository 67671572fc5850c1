/** Mistakes in the directory: an Active Directory domain, whose controller is Samba's. */
import { inGroup } from '../../../src/index.ts';
import type { Plant } from '../../lab/plants/plant.ts';
import { negotiateStatus } from '../../lab/plants/realm.ts';
import { named, serve, siteOf } from '../../lab/plants/site.ts';
import type { Site } from '../../lab/plants/site.ts';
import type { SambaDomain } from '../../lab/samba-ad.ts';

const client = 'kinit, kvno and curl';
const refused = { client, answer: 401 } as const;
const web = 'web.corp.example.test';
const controller = 'dc1.corp.example.test';

const serveDomain = (domain: SambaDomain): Promise<Site> => serve({ keytab: domain.keytab });
/** Signs alice in, asks for a ticket for the site's name, and opens it. */
const visitAs =
  (host: string) =>
  async (site: Site, domain: SambaDomain): Promise<number> =>
    negotiateStatus(site.url(host), await domain.signIn('alice', [`HTTP/${host}`]));

const sambaTool = (domain: SambaDomain, ...words: readonly string[]): Promise<string> =>
  domain.namespace.runChecked('samba-tool', [...words], { env: domain.env });

/** Sets an attribute of a user, by Samba's own modules: samba-tool has no command for it. */
async function setAttribute(domain: SambaDomain, user: string, attribute: string, value: number): Promise<void> {
  const script = [
    'import sys',
    'from samba.auth import system_session',
    'from samba.param import LoadParm',
    'from samba.samdb import SamDB',
    'parameters = LoadParm()',
    'parameters.load("/etc/samba/smb.conf")',
    'directory = SamDB(session_info=system_session(), lp=parameters)',
    'user, attribute, value = sys.argv[1:]',
    'dn = "CN=%s,CN=Users,%s" % (user, directory.domain_dn())',
    'directory.modify_ldif("dn: %s\\nchangetype: modify\\nreplace: %s\\n%s: %s\\n" % (dn, attribute, attribute, value))',
  ].join('\n');
  await domain.namespace.runChecked('/usr/bin/python3', ['-c', script, user, attribute, String(value)]);
}

/** The site, and what is put back afterwards. */
function undone(site: Site, undo: () => Promise<unknown>): Site {
  const part = {
    [Symbol.asyncDispose]: async () => {
      await undo();
    },
  };
  return siteOf(site.port, site.log, [site, part]);
}

const limits = { handshakeMilliseconds: 200 };
const cannotSignIn = {
  ...refused,
  kind: 'account',
  cause: /none came.*host=localhost/,
  cure: /klist|kinit/,
} as const;

/** kinit says no, and curl is left without a ticket. */
const visitWithoutTicket =
  (user: 'bob' | 'dave') =>
  async (site: Site, domain: SambaDomain): Promise<number> => {
    const signedIn = await domain.signIn(user).then(
      () => true,
      () => false,
    );
    if (signedIn) throw new Error(`${user} has a ticket`);
    return negotiateStatus(site.url(), domain.env);
  };

/** The table. Rows that change the account of the service for good are last. */
export const directoryPlants: readonly Plant<SambaDomain>[] = [
  {
    ...refused,
    planted: 'the site is opened by the name of the machine, which HOST/ of the computer account covers',
    kind: 'name',
    plant: serveDomain,
    visit: visitAs(controller),
    cause: /SEC_E_WRONG_PRINCIPAL.*no key for HTTP\/dc1\.corp\.example\.test/,
    cure: /[Ee]xport|correct the name under which clients call|[Rr]egister|setspn/,
  },
  {
    ...cannotSignIn,
    planted: 'the account of the user is disabled',
    plant: (domain) => serve({ keytab: domain.keytab, limits }),
    visit: visitWithoutTicket('dave'),
  },
  {
    ...cannotSignIn,
    planted: 'the password of the user has expired',
    async plant(domain) {
      await setAttribute(domain, 'bob', 'pwdLastSet', 0);
      return serve({ keytab: domain.keytab, limits });
    },
    visit: visitWithoutTicket('bob'),
  },
  {
    ...refused,
    answer: 403,
    planted: 'a group by its name, where tickets have SIDs alone',
    kind: 'group',
    plant: (domain) => serve({ keytab: domain.keytab, authorize: inGroup('CORP\\Engineering') }),
    visit: visitAs('localhost'),
    cause: /not-authorized.*CORP\\Engineering/,
    cure: /SID/,
  },
  {
    ...refused,
    planted: 'the account of the service has no AES (msDS-SupportedEncryptionTypes)',
    kind: 'key',
    async plant(domain) {
      const types = (value: number): Promise<void> =>
        setAttribute(domain, 'svc-web', 'msDS-SupportedEncryptionTypes', value);
      await types(4);
      return undone(await serveDomain(domain), () => types(28));
    },
    visit: visitAs('localhost'),
    cause: /SEC_E_ALGORITHM_MISMATCH.*arcfour-hmac/,
    cure: /msDS-SupportedEncryptionTypes.*export/,
  },
  {
    ...refused,
    planted: 'the name of the service was moved to another account',
    kind: 'key',
    async plant(domain) {
      for (const at of [1, 2, 3])
        await sambaTool(domain, 'user', 'setpassword', 'bob', `--newpassword=B0b-Passw0rd-${at}`);
      await sambaTool(domain, 'spn', 'delete', `HTTP/${web}`, 'svc-web');
      await sambaTool(domain, 'spn', 'add', `HTTP/${web}`, 'bob');
      await setAttribute(domain, 'bob', 'msDS-SupportedEncryptionTypes', 28);
      return named(await serveDomain(domain), web);
    },
    visit: visitAs(web),
    cause: /kvno.*another account|another account.*kvno/,
    cure: /setspn -Q HTTP\/web\.corp\.example\.test/,
  },
  {
    ...refused,
    planted: 'the password of the account of the service was changed, and its keytab not exported again',
    kind: 'key',
    async plant(domain) {
      await sambaTool(domain, 'user', 'setpassword', 'svc-web', '--newpassword=Svc-Passw0rd!2');
      return serveDomain(domain);
    },
    visit: visitAs('localhost'),
    cause: /SEC_E_NO_KERB_KEY.*kvno/,
    cure: /[Ee]xport/,
  },
];
