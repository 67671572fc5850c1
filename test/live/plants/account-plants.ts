/** Mistakes of account sources, and of who may come in. */
import { rename, writeFile } from 'node:fs/promises';
import { inGroup, memoryAccounts, smbpasswdFile } from '../../../src/index.ts';
import type { AccountSource } from '../../../src/index.ts';
import { curl } from '../../lab/curl.ts';
import { plantAccounts as accounts } from '../../lab/plants/accounts.ts';
import type { Plant } from '../../lab/plants/plant.ts';
import { negotiateStatus, newFile } from '../../lab/plants/realm.ts';
import type { Realm } from '../../lab/plants/realm.ts';
import { serve } from '../../lab/plants/site.ts';
import type { Site } from '../../lab/plants/site.ts';
import { runProcess } from '../../lab/process.ts';

type Visit = (site: Site) => Promise<number>;
const limits = { handshakeMilliseconds: 300 };

/** curl with a user and a password. */
const by =
  (scheme: 'ntlm' | 'digest', user: string, password = 'Wonderland-7'): Visit =>
  async (site) =>
    (await curl([`--${scheme}`, '-u', `${user}:${password}`, site.url()])).status;
const ntlm = by('ntlm', 'CORP\\alice');
const curlNtlm = { client: 'curl --ntlm', answer: 401 } as const;

/** wget, which speaks NTLMv1; it does not tell the status but in its messages. */
const wget: Visit = async (site) => {
  const words = [
    '--no-config',
    '--no-proxy',
    '-O',
    '/dev/null',
    '--tries=1',
    '--user=alice',
    '--password=Wonderland-7',
  ];
  const { stderr } = await runProcess('wget', [...words, site.url()], { env: { LC_ALL: 'C' } });
  return Number(/awaiting response\.\.\. (\d+)(?![^]*awaiting response)/.exec(stderr)?.[1] ?? 0);
};

/** The NT hash of `password`. */
const hash = '8846F7EAEE8FB117AD06BDD830B7586C';
const smbpasswdLine = (name: string, uid = '1000'): string =>
  `${name}:${uid}:${'X'.repeat(32)}:${hash}:[U          ]:LCT-00000000:\n`;

/** A server of an smbpasswd file, which is then changed. */
async function changedFile(realm: Realm, change: (path: string) => Promise<unknown>): Promise<Site> {
  const path = newFile(realm, 'smbpasswd');
  await writeFile(path, smbpasswdLine('alice') + smbpasswdLine('bob'), { mode: 0o600 });
  const site = await serve({ accounts: smbpasswdFile(path), domain: 'CORP', schemes: ['NTLM'] });
  const status = await by('ntlm', 'CORP\\alice', 'password')(site);
  if (status !== 200) throw new Error(`before the change: ${status}`);
  await change(path);
  return site;
}

const own = (verifyNtlm: NonNullable<AccountSource['verifyNtlm']>): AccountSource => ({
  description: 'the directory',
  verifyNtlm,
});

/** The table. */
export const accountPlants: readonly Plant<Realm>[] = [
  {
    ...curlNtlm,
    planted: 'the password is wrong',
    kind: 'password',
    plant: () => serve({ accounts, schemes: ['NTLM'] }),
    visit: by('ntlm', 'CORP\\alice', 'wrong'),
    cause: /SEC_E_LOGON_DENIED.*wrong (password|response)|wrong (password|response).*SEC_E_LOGON_DENIED/,
    cure: /alice/,
    misleads: /no such account|unknown/,
  },
  {
    ...curlNtlm,
    planted: 'the name of the account is misspelt',
    kind: 'password',
    plant: () => serve({ accounts, schemes: ['NTLM'] }),
    visit: by('ntlm', 'CORP\\alcie'),
    cause: /SEC_E_LOGON_DENIED.*(no such account|unknown account|no account)/,
    cure: /alcie/,
    misleads: /wrong password/,
  },
  {
    client: 'curl --digest',
    answer: 401,
    planted: 'the password is wrong, in Digest',
    kind: 'password',
    plant: () => serve({ accounts, schemes: ['Digest'] }),
    visit: by('digest', 'alice', 'wrong'),
    cause: /SEC_E_LOGON_DENIED.*wrong (password|response)/,
    cure: /alice/,
  },
  {
    client: 'wget',
    answer: 401,
    planted: 'a client that speaks NTLMv1 alone',
    kind: 'NTLMv1',
    plant: () => serve({ accounts, schemes: ['NTLM'] }),
    visit: wget,
    cause: /no NTLMv2 response/,
    cure: /(must not use|NTLMv1|LmCompatibilityLevel)/,
  },
  {
    ...curlNtlm,
    answer: 503,
    planted: 'the smbpasswd file is taken away while the server runs',
    kind: 'file of a running server',
    plant: (realm) => changedFile(realm, (path) => rename(path, `${path}.away`)),
    visit: by('ntlm', 'CORP\\alice', 'password'),
    cause: /smbpasswd.*ENOENT/,
    cure: /SEC_E_NO_AUTHENTICATING_AUTHORITY|pdbedit|path/,
  },
  {
    ...curlNtlm,
    planted: 'the smbpasswd file is emptied while the server runs',
    kind: 'file of a running server',
    plant: (realm) => changedFile(realm, (path) => writeFile(path, '')),
    visit: by('ntlm', 'CORP\\alice', 'password'),
    cause: /smbpasswd.*(no account)/,
    cure: /pdbedit|smbpasswd/,
  },
  {
    ...curlNtlm,
    planted: 'a line of the smbpasswd file is spoilt while the server runs',
    kind: 'file of a running server',
    plant: (realm) => changedFile(realm, (path) => writeFile(path, smbpasswdLine('bob') + smbpasswdLine('alice', 'x'))),
    visit: by('ntlm', 'CORP\\alice', 'password'),
    cause: /smbpasswd.*line 2: the uid is not a number/,
    cure: /smbpasswd/,
  },
  {
    client: 'curl --digest',
    answer: 401,
    planted: 'accounts with NT hashes alone, and clients that have Digest',
    kind: 'not offered',
    plant: () =>
      serve({
        accounts: memoryAccounts([{ userName: 'alice', ntHash: hash, domain: 'CORP' }]),
        domain: 'CORP',
        limits,
      }),
    visit: by('digest', 'alice'),
    cause: /^info.*[Nn]ot offered: Digest:.*cannot verify Digest/,
    cure: /Digest needs the passwords, and NT hashes alone do not do/,
  },
  {
    client: 'curl --negotiate',
    answer: 401,
    planted: 'accounts are given, and with them the keytab of the machine is no longer looked at',
    kind: 'not offered',
    plant: () => serve({ accounts, domain: 'CORP', schemes: ['NTLM'], limits }),
    visit: (site) => negotiateStatus(site.url(), process.env as Record<string, string>),
    cause: /scheme-not-offered.*used Negotiate/,
    cure: /offered(:| \()? ?NTLM/,
  },
  {
    client: 'curl --negotiate',
    answer: 401,
    planted: 'accounts are given, Kerberos is expected, and no keytab is named',
    kind: 'not offered',
    plant: () => serve({ accounts, domain: 'CORP', limits }),
    visit: (site) => negotiateStatus(site.url(), process.env as Record<string, string>),
    cause: /^info.*[Nn]ot offered.*(Kerberos|Negotiate).*keytab/,
    cure: /give it as option "keytab"|keytab:/,
  },
  {
    ...curlNtlm,
    planted: 'an account source of one’s own throws, since its directory is down',
    kind: 'own source',
    plant: () =>
      serve({
        schemes: ['NTLM'],
        accounts: own(() => {
          throw Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:389'), { code: 'ECONNREFUSED' });
        }),
      }),
    visit: ntlm,
    cause: /SEC_E_INTERNAL_ERROR.*ECONNREFUSED 10\.0\.0\.1:389|account source.*ECONNREFUSED 10\.0\.0\.1:389/,
    cure: /account source/,
  },
  {
    ...curlNtlm,
    answer: 503,
    planted: 'an account source of one’s own says that it cannot verify now',
    kind: 'own source',
    plant: () =>
      serve({ schemes: ['NTLM'], accounts: own(() => ({ result: 'unavailable', reason: 'no LDAP server answers' })) }),
    visit: ntlm,
    cause: /SEC_E_NO_AUTHENTICATING_AUTHORITY.*no LDAP server answers/,
    cure: /no LDAP server answers/,
  },
  {
    ...curlNtlm,
    planted: 'an account source of one’s own never answers',
    kind: 'own source, silent',
    plant: () =>
      serve({ schemes: ['NTLM'], limits: { handshakeMilliseconds: 1000 }, accounts: own(() => new Promise(() => {})) }),
    visit: ntlm,
    cause: /account source.*(has not answered|did not answer|no answer).*1000/,
    cure: /the directory/,
    misleads: /the handshake took longer/,
  },
  {
    ...curlNtlm,
    answer: 403,
    planted: 'the name of the group is misspelt',
    kind: 'group',
    plant: () => serve({ accounts, schemes: ['NTLM'], authorize: inGroup('CORP\\Enginering') }),
    visit: ntlm,
    cause: /not-authorized.*CORP\\Enginering/,
    cure: /CORP\\Engineering|none of|SID|groups/,
  },
  {
    ...curlNtlm,
    answer: 500,
    planted: 'authorize throws',
    kind: 'own function',
    plant: () =>
      serve({
        accounts,
        schemes: ['NTLM'],
        authorize: () => {
          throw new Error('no table of roles');
        },
      }),
    visit: ntlm,
    cause: /^error.*authorize.*no table of roles/,
    cure: /authorize/,
  },
  {
    ...curlNtlm,
    answer: 500,
    planted: 'skip is asynchronous',
    kind: 'own function',
    plant: () => serve({ accounts, schemes: ['NTLM'], skip: (() => Promise.resolve(false)) as never }),
    visit: ntlm,
    cause: /^error.*skip.*promise/i,
    cure: /synchronous|at once|not async|true or false|boolean/,
  },
];
