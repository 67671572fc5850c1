/** Mistakes of names, keys and krb5.conf, with the KDC of MIT. */
import { chmod, rm, writeFile } from 'node:fs/promises';
import { kerberosKeys } from '../../../src/index.ts';
import type { Plant } from '../../lab/plants/plant.ts';
import {
  changedConfiguration,
  exported,
  negotiateStatus,
  newFile,
  newService,
  serveService,
  typed,
} from '../../lab/plants/realm.ts';
import type { Realm, Service } from '../../lab/plants/realm.ts';
import { named, serve, serveApart } from '../../lab/plants/site.ts';
import type { Site } from '../../lab/plants/site.ts';
import { runChecked } from '../../lab/process.ts';

const another = 65534;
type Visit = (site: Site, realm: Realm) => Promise<number>;

/** With the tickets that alice has. */
const visit: Visit = (site, realm) => negotiateStatus(site.url(), realm.alice);
/** alice signs in first: her tickets are of the keys that the KDC has now. */
const visitAnew: Visit = async (site, realm) => negotiateStatus(site.url(), await realm.kdc.signIn('alice'));

const curl401 = { client: 'curl', answer: 401 } as const;
const serveAs = async ({ kdc }: Realm, host: string): Promise<Site> => named(await serve({ keytab: kdc.keytab }), host);

/** A server of one service, where alice has been; then something happens. */
async function changed(realm: Realm, change: (service: Service) => Promise<unknown>): Promise<Site> {
  const service = await newService(realm);
  let passed = 0;
  const clock = { now: () => Date.now(), elapsed: () => performance.now() + passed };
  const site = await serveService(service, { clock });
  const status = await visit(site, realm);
  if (status !== 200) throw new Error(`before the change: ${status}`);
  await change(service);
  // The file is looked at again after a while.
  passed = 60_000;
  return site;
}

/** The password of a service's account is changed, so that tickets are of a higher kvno. */
const newPassword = async ({ kdc }: Realm, { principal }: Service, times = 1): Promise<void> => {
  await kdc.administer(Array.from({ length: times }, () => `cpw -randkey ${principal}`));
};

const wrongName = {
  ...curl401,
  kind: 'name',
  cause: /SEC_E_WRONG_PRINCIPAL.*no key for HTTP\//,
  cure: /[Ee]xport|correct the name under which clients call|[Rr]egister/,
  visit,
} as const;

/** The table. */
export const mitKdcPlants: readonly Plant<Realm>[] = [
  {
    ...curl401,
    planted: 'the password of the account in kerberosKeys has a typing error',
    kind: 'password',
    plant: (realm) =>
      serve({
        keytab: kerberosKeys({
          realm: realm.kdc.realm,
          servicePrincipalNames: ['HTTP/localhost'],
          account: 'HTTP/localhost',
          password: 'not the passwrod',
        }),
      }),
    cause: /cannot be decrypted with the keys made from the password of HTTP\/localhost/,
    cure: /correct the password in kerberosKeys, or its account, realm or salt/,
    // There is no file, and no kvno.
    misleads: /diagnosis=.*(keytab|kvno)/,
    visit,
  },
  {
    ...wrongName,
    planted: 'the site is opened by an alias that the KDC knows and the keytab does not',
    async plant(realm) {
      await exported(realm, ['HTTP/alias.test.local']);
      return serveAs(realm, 'alias.test.local');
    },
  },
  {
    ...wrongName,
    planted: 'the site is opened by its short name, and the keytab has the long one',
    async plant(realm) {
      await exported(realm, ['HTTP/web']);
      return serveAs(realm, 'web');
    },
    cause: /SEC_E_WRONG_PRINCIPAL.*no key for HTTP\/web@TEST\.LOCAL/,
  },
  {
    ...wrongName,
    planted: 'the keytab is that of another site',
    plant: async (realm) => named(await serveService(await newService(realm)), 'localhost'),
    cause: /SEC_E_WRONG_PRINCIPAL.*no key for HTTP\/localhost@TEST\.LOCAL/,
  },
  {
    ...wrongName,
    planted: 'an alias, with a keytab of forty other names',
    async plant(realm) {
      await exported(realm, ['HTTP/forty-first.test.local']);
      const names = Array.from({ length: 40 }, (_, at) => `HTTP/host-number-${at}.department.test.local`);
      const keytab = await typed(
        realm,
        names.map((principal) => ({ principal, kvno: 2, password: 'secret' })),
      );
      return named(await serve({ keytab }), 'forty-first.test.local');
    },
    cause: /SEC_E_WRONG_PRINCIPAL.*no key for HTTP\/forty-first\.test\.local/,
    // A line that was cut has no end.
    cure: /([Ee]xport|correct the name under which clients call).*and \d+ more|and \d+ more.*([Ee]xport|correct the name under which clients call)/,
  },
  {
    ...wrongName,
    planted: 'servicePrincipalNames leaves out the service that clients ask for',
    plant: ({ kdc }) => serve({ keytab: kdc.keytab, servicePrincipalNames: ['HTTP/web.test.local'] }),
    cause: /SEC_E_WRONG_PRINCIPAL.*HTTP\/localhost@TEST\.LOCAL.*HTTP\/web\.test\.local/,
    cure: /servicePrincipalNames|this server takes/,
  },
  {
    ...curl401,
    planted: 'a keytab typed into ktutil with a wrong password, at the right kvno',
    kind: 'key',
    async plant(realm) {
      const { principal, host } = await newService(realm);
      return named(await serve({ keytab: await typed(realm, [{ principal, kvno: 1, password: 'wrong' }]) }), host);
    },
    visit,
    cause: /SEC_E_\w+.*cannot be decrypted with the key in.*password/,
    cure: /[Ee]xport/,
  },
  {
    ...curl401,
    planted: 'the service name is on another account, whose kvno is higher',
    kind: 'kvno',
    async plant(realm) {
      const service = await newService(realm);
      await newPassword(realm, service, 5);
      const keytab = await typed(realm, [{ principal: service.principal, kvno: 2, password: 'secret' }]);
      return named(await serve({ keytab }), service.host);
    },
    visit,
    cause: /SEC_E_NO_KERB_KEY.*kvno\)? 6.*kvno 2.*another account|another account.*kvno\)? 6.*kvno 2/,
    cure: /(?=.*[Ee]xport)(?=.*setspn -Q)/,
  },
  {
    ...curl401,
    planted: 'the password of the account was changed, and the keytab was not exported again',
    kind: 'kvno',
    plant: (realm) => changed(realm, (service) => newPassword(realm, service)),
    visit: visitAnew,
    cause: /SEC_E_NO_KERB_KEY.*kvno\)? 2.*kvno 1|SEC_E_NO_KERB_KEY.*kvno 1.*kvno\)? 2/,
    cure: /[Ee]xport the keytab again|ktadd|[Ee]xport/,
  },
  {
    ...curl401,
    planted: 'the keytab is new, and the client has a ticket from before',
    kind: 'kvno',
    async plant(realm) {
      const service = await newService(realm);
      const before = await serveService(service);
      await visit(before, realm);
      await before[Symbol.asyncDispose]();
      await rm(service.keytab);
      await realm.kdc.administer([`ktadd -k ${service.keytab} ${service.principal}`]);
      return serveService(service);
    },
    visit,
    cause: /SEC_E_NO_KERB_KEY.*(kvno\)? 1.*kvno 2|kvno 2.*kvno\)? 1)/,
    cure: /klist purge|kdestroy/,
    misleads: /exported? (the keytab )?again/,
  },
  {
    client: 'curl',
    answer: 200,
    planted: 'the keytab is deleted while the server runs',
    kind: 'keytab of a running server',
    plant: (realm) => changed(realm, ({ keytab }) => rm(keytab)),
    visit,
    cause: /^warn.*\.keytab.*(ENOENT|deleted|does not exist any more)/,
    cure: /restart|back|export/,
  },
  {
    client: 'curl',
    answer: 200,
    planted: 'the keytab is overwritten with something else while the server runs',
    kind: 'keytab of a running server',
    plant: (realm) => changed(realm, ({ keytab }) => writeFile(keytab, 'junk\n')),
    visit,
    cause: /^warn.*\.keytab.*(format version|not a keytab|0x6a75)/,
    cure: /restart|back|[Ee]xport/,
  },
  {
    ...curl401,
    planted: 'the keytab is replaced by one that only root can read, while the server runs as somebody else',
    kind: 'keytab of a running server',
    async plant(realm) {
      const service = await newService(realm);
      await chmod(realm.kdc.file('.'), 0o777);
      await chmod(realm.kdc.file('krb5.conf'), 0o644);
      await runChecked('chown', [String(another), service.keytab]);
      const KRB5RCACHENAME = `file2:${newFile(realm, 'replay')}`;
      const env = { ...realm.kdc.env, KRB5RCACHENAME };
      const site = named(await serveApart({ options: { keytab: service.keytab }, env, uid: another }), service.host);
      await visit(site, realm);
      await realm.kdc.administer([`ktadd -k ${newFile(realm, 'new.keytab')} ${service.principal}`]);
      const fresh = newFile(realm, 'fresh.keytab');
      await realm.kdc.administer([`ktadd -k ${fresh} ${service.principal}`]);
      await chmod(fresh, 0o600);
      await runChecked('mv', [fresh, service.keytab]);
      return site;
    },
    visit: visitAnew,
    cause: /EACCES/,
    cure: /chown|chmod|owner|mode/,
  },
  {
    ...curl401,
    planted: 'the name in the keytab is in upper case, as ktpass writes what it is given',
    kind: 'case',
    async plant(realm) {
      const { host } = await newService(realm);
      const principal = `HTTP/${host.toUpperCase()}`;
      return named(await serve({ keytab: await typed(realm, [{ principal, kvno: 1, password: 'secret' }]) }), host);
    },
    visit,
    cause:
      /SEC_E_WRONG_PRINCIPAL.*HTTP\/SITE\d+\.TEST\.LOCAL.*case|SEC_E_WRONG_PRINCIPAL.*case.*HTTP\/SITE\d+\.TEST\.LOCAL/,
    cure: /[Ee]xport.*HTTP\/site\d+\.test\.local/,
  },
  {
    ...curl401,
    planted: 'the realm in the keytab is in lower case, and the kvno is another',
    kind: 'case',
    async plant(realm) {
      const { host, principal } = await newService(realm);
      const lower = `${principal}@test.local`;
      return named(
        await serve({ keytab: await typed(realm, [{ principal: lower, kvno: 7, password: 'secret' }]) }),
        host,
      );
    },
    visit,
    cause: /@test\.local.*case|case.*@test\.local/,
    cure: /TEST\.LOCAL/,
    misleads: /kvno 7; export/,
  },
  {
    ...curl401,
    planted: 'krb5.conf of the server does not permit the type of the key (permitted_enctypes)',
    kind: 'environment',
    async plant(realm) {
      const KRB5_CONFIG = await changedConfiguration(realm, (text) =>
        text.replace('[libdefaults]', '[libdefaults]\n permitted_enctypes = aes256-cts-hmac-sha384-192'),
      );
      return serveApart({ options: { keytab: realm.kdc.keytab }, env: { ...realm.kdc.env, KRB5_CONFIG } });
    },
    visit,
    cause: /permitted_enctypes.*aes256-cts-hmac-sha1-96|aes256-cts-hmac-sha1-96.*permitted_enctypes/,
    cure: /krb5\.conf/,
    misleads: /password was changed/,
  },
  {
    ...curl401,
    planted: 'requirePac with a KDC that writes none',
    kind: 'PAC',
    plant: ({ kdc }) => serve({ keytab: kdc.keytab, requirePac: true }),
    visit,
    cause: /ticket of alice@TEST\.LOCAL has no PAC/,
    cure: /requirePac|is required/,
  },
  {
    ...curl401,
    planted: 'the folder of the replay cache is cleaned away while the server runs',
    kind: 'environment',
    async plant(realm) {
      const folder = newFile(realm, 'replay');
      await runChecked('mkdir', [folder]);
      const env = { ...realm.kdc.env, KRB5RCACHEDIR: folder };
      const site = await serveApart({ options: { keytab: realm.kdc.keytab }, env });
      await rm(folder, { recursive: true });
      return site;
    },
    visit,
    cause: /SEC_E_INTERNAL_ERROR.*replay cache.*No such file/,
    cure: /KRB5RCACHEDIR|replayCache/,
    misleads: /SEC_E_LOGON_DENIED/,
  },
];
