/** Mistakes that keep the server from starting. */
import { chmod, cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { memoryAccounts, smbpasswdFile } from '../../../src/index.ts';
import { root } from '../../lab/documents.ts';
import type { Plant } from '../../lab/plants/plant.ts';
import { exported, newFile, typed } from '../../lab/plants/realm.ts';
import type { Realm } from '../../lab/plants/realm.ts';
import { serve, serveApart } from '../../lab/plants/site.ts';
import type { Site } from '../../lab/plants/site.ts';
import { runChecked } from '../../lab/process.ts';
import { scratchFolder } from '../../lab/scratch.ts';

const accounts = memoryAccounts([{ userName: 'alice', password: 'secret' }]);
const another = 65534;
const start = { client: 'none', answer: 'no start' } as const;

/** A copy of the sources whose packages lack some, and a start there. */
async function withoutPackages(realm: Realm, missing: readonly string[]): Promise<Site> {
  const folder = await scratchFolder('plants-packages');
  for (const name of ['src', 'adapters', 'package.json', 'tsconfig.json']) {
    await cp(join(root, name), folder.file(name), { recursive: true });
  }
  await cp(join(root, 'test/lab/plants'), folder.file('test/lab/plants'), { recursive: true });
  await mkdir(folder.file('node_modules'));
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name === 'koffi' || name === '@koromix') {
      // A link would be followed, and what is missing here found there.
      if (!missing.includes(name)) {
        await cp(join(root, 'node_modules', name), folder.file('node_modules', name), {
          recursive: true,
          dereference: true,
        });
      }
    } else await symlink(join(root, 'node_modules', name), folder.file('node_modules', name));
  }
  const program = folder.file('test/lab/plants/plant-server.ts');
  const options = { keytab: realm.kdc.keytab, provider: 'gssapi' };
  return serveApart({ program, options, env: realm.kdc.env, parts: [folder] });
}

/** A database of Samba's, as its tools make it. */
async function passdb(realm: Realm): Promise<string> {
  const folder = newFile(realm, 'samba');
  await mkdir(folder);
  const lines = ['private dir', 'state directory', 'cache directory', 'lock directory', 'pid directory'];
  const settings = lines.map((name) => `${name} = ${folder}`).join('\n');
  const configuration = join(folder, 'smb.conf');
  await writeFile(
    configuration,
    `[global]\npassdb backend = tdbsam:${folder}/passdb.tdb\n${settings}\nlog file = ${folder}/log\n`,
  );
  await runChecked('pdbedit', ['-s', configuration, '-t', '-a', '-u', 'root'], { input: 'secret-1\nsecret-1\n' });
  return join(folder, 'passdb.tdb');
}

const file = async (realm: Realm, name: string, text: string, mode = 0o600): Promise<string> => {
  const path = newFile(realm, name);
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
};

/** The table. */
export const startPlants: readonly Plant<Realm>[] = [
  {
    ...start,
    planted: 'the keytab has the key of the machine, and none of the service HTTP',
    kind: 'keytab',
    plant: async (realm) => serve({ keytab: await exported(realm, ['host/localhost']) }),
    cause: /option "keytab".* has no key for HTTP\/.*host\/localhost@TEST\.LOCAL/,
    cure: /ktadd -k \S+ HTTP\/.*(samba-tool|ktpass)/,
  },
  {
    ...start,
    planted: 'the keytab is another kind of file',
    kind: 'keytab',
    plant: async (realm) => serve({ keytab: await file(realm, 'text.keytab', 'hello\n') }),
    cause: /option "keytab".*(0x6865|is not a keytab)/,
    cure: /that (it|the file) is a keytab|[Ee]xport/,
  },
  {
    ...start,
    planted: 'there is no keytab at that path',
    kind: 'keytab',
    plant: (realm) => serve({ keytab: newFile(realm, 'no-such.keytab') }),
    cause: /option "keytab".*no-such\.keytab.*ENOENT/,
    cure: /path|export/,
  },
  {
    ...start,
    planted: 'the keytab belongs to root, and the server runs as somebody else',
    kind: 'another user',
    plant: async (realm) => {
      const keytab = await file(realm, 'root.keytab', 'x');
      await runChecked('cp', [realm.kdc.keytab, keytab]);
      await chmod(realm.kdc.file('.'), 0o755);
      return serveApart({ options: { keytab }, env: realm.kdc.env, uid: another });
    },
    cause: /option "keytab".*EACCES.*(uid 65534.*(root|uid 0|0600)|(root|uid 0|0600).*uid 65534)/,
    cure: /chown|chgrp|chmod|owner/,
  },
  {
    ...start,
    planted: 'no option at all, and the keytab of the environment belongs to root',
    kind: 'another user',
    plant: async (realm) => {
      await chmod(realm.kdc.file('.'), 0o755);
      return serveApart({ options: {}, env: realm.kdc.env, uid: another });
    },
    cause: /KRB5_KTNAME.*EACCES/,
    cure: /keytab:|chown|chmod/,
  },
  {
    ...start,
    planted: 'the keytab has keys of RC4 alone',
    kind: 'keytab',
    plant: async (realm) =>
      serve({
        keytab: await typed(realm, [
          { principal: 'HTTP/localhost', kvno: 2, password: 'secret', type: 'arcfour-hmac' },
        ]),
      }),
    cause: /option "keytab".*arcfour-hmac/,
    cure: /AES keys and export the keytab again/,
  },
  {
    ...start,
    planted: 'no library of Kerberos is installed',
    kind: 'library',
    plant: (realm) => serve({ library: '/nonexistent', keytab: realm.kdc.keytab }),
    cause: /no GSSAPI library.*\/nonexistent/,
    cure: /Install MIT krb5|libgssapi-krb5-2/,
  },
  {
    ...start,
    planted: 'koffi was not installed',
    kind: 'library',
    plant: (realm) => withoutPackages(realm, ['koffi']),
    cause: /koffi.*cannot be loaded.*Cannot find (module|package) 'koffi'/,
    cure: /[Ii]nstall/,
  },
  {
    ...start,
    planted: 'koffi was installed without its optional package (--omit=optional)',
    kind: 'library',
    plant: (realm) => withoutPackages(realm, ['@koromix']),
    cause: /koffi.*cannot be loaded/,
    cure: /optional packages.*@koromix\/koffi-/,
  },
  {
    ...start,
    planted: 'servicePrincipalNames has a typing error',
    kind: 'names',
    plant: (realm) => serve({ keytab: realm.kdc.keytab, servicePrincipalNames: ['HTTP/webb.test.local'] }),
    cause: /no key for HTTP\/webb\.test\.local.*HTTP\/web\.test\.local/,
    cure: /servicePrincipalNames|[Ee]xport the key/,
  },
  {
    ...start,
    planted: 'servicePrincipalNames has the port',
    kind: 'names',
    plant: (realm) => serve({ keytab: realm.kdc.keytab, servicePrincipalNames: ['HTTP/localhost:8080'] }),
    cause: /option "servicePrincipalNames.*HTTP\/localhost:8080/,
    cure: /port/,
    misleads: /[Ee]xport the key/,
  },
  {
    ...start,
    planted: 'replayCache names a folder that is not there',
    kind: 'replay cache',
    plant: (realm) => serve({ keytab: realm.kdc.keytab, replayCache: 'file2:/run/no-such-folder/replay' }),
    cause: /option "replayCache".*ENOENT/,
    cure: /folder that exists and that this process may write to/,
  },
  {
    ...start,
    planted: 'the folder of the replay cache cannot be written to, as in a read-only container',
    kind: 'replay cache',
    plant: async (realm) => {
      const folder = newFile(realm, 'read-only');
      await mkdir(folder, { mode: 0o555 });
      const keytab = newFile(realm, 'own.keytab');
      await runChecked('install', ['-o', String(another), '-m', '600', realm.kdc.keytab, keytab]);
      await chmod(realm.kdc.file('.'), 0o755);
      await chmod(realm.kdc.file('krb5.conf'), 0o644);
      return serveApart({ options: { keytab }, env: { ...realm.kdc.env, KRB5RCACHEDIR: folder }, uid: another });
    },
    cause: /option "replayCache".*read-only.*(EACCES|EROFS|Permission)/,
    cure: /(KRB5RCACHEDIR|folder that exists and that this process may write to).*provider: 'portable'/,
  },
  {
    ...start,
    planted: 'the smbpasswd file is missing',
    kind: 'accounts',
    plant: (realm) => serve({ accounts: smbpasswdFile(newFile(realm, 'smbpasswd')) }),
    cause: /smbpasswd.*cannot be read \(ENOENT/,
    cure: /pdbedit -e smbpasswd:/,
  },
  {
    ...start,
    planted: 'the smbpasswd file is empty',
    kind: 'accounts',
    plant: async (realm) => serve({ accounts: smbpasswdFile(await file(realm, 'smbpasswd', '')) }),
    cause: /smbpasswd has no account/,
    cure: /pdbedit/,
  },
  {
    ...start,
    planted: "Samba's own database (passdb.tdb) given as the smbpasswd file",
    kind: 'accounts',
    plant: async (realm) => serve({ accounts: smbpasswdFile(await passdb(realm)) }),
    cause: /passdb\.tdb.*(database|TDB)/,
    cure: /pdbedit .*-e smbpasswd:/,
    // That command writes into the database.
    misleads: /smbpasswd:\S*passdb\.tdb(?!\.)/,
  },
  {
    ...start,
    planted: 'Digest wanted of an smbpasswd file, which has no passwords',
    kind: 'options',
    plant: async (realm) => {
      const hash = '8846F7EAEE8FB117AD06BDD830B7586C';
      const line = `alice:1000:${'X'.repeat(32)}:${hash}:[U          ]:LCT-00000000:\n`;
      return serve({ accounts: smbpasswdFile(await file(realm, 'smbpasswd', line)), schemes: ['Digest'] });
    },
    cause: /option "schemes".*Digest/,
    cure: /account source that can/,
  },
  {
    ...start,
    planted: 'Kerberos alone wanted, with accounts and without a keytab',
    kind: 'options',
    plant: (realm) =>
      serveApart({
        options: { packages: ['Kerberos'], accounts: [{ userName: 'alice', password: 'secret' }] },
        env: { ...realm.kdc.env, KRB5_KTNAME: newFile(realm, 'none.keytab') },
      }),
    cause: /option "packages".*Kerberos/,
    cure: /keytab/,
  },
  {
    ...start,
    planted: 'krb5.conf is broken',
    kind: 'krb5.conf',
    plant: async (realm) => {
      const KRB5_CONFIG = await file(realm, 'broken.conf', '[libdefaults\n', 0o644);
      return serveApart({ options: { keytab: realm.kdc.keytab }, env: { ...realm.kdc.env, KRB5_CONFIG } });
    },
    cause: /broken\.conf, line 1/,
    cure: /([Cc]orrect|[Mm]end) that file.*provider: 'portable'/,
    misleads: /Heimdal/,
  },
  {
    ...start,
    planted: 'krb5.conf cannot be read by the user of the server',
    kind: 'krb5.conf',
    plant: async (realm) => {
      const KRB5_CONFIG = await file(realm, 'secret.conf', '[libdefaults]\n', 0o600);
      const keytab = newFile(realm, 'own.keytab');
      await runChecked('install', ['-o', String(another), '-m', '600', realm.kdc.keytab, keytab]);
      await chmod(realm.kdc.file('.'), 0o755);
      return serveApart({ options: { keytab }, env: { ...realm.kdc.env, KRB5_CONFIG }, uid: another });
    },
    cause: /secret\.conf.*(EACCES|[Pp]ermission)/,
    cure: /[Mm]end|[Cc]orrect|readable|[Ll]et the user|chmod/,
    misleads: /Install (MIT|Heimdal)/,
  },
  {
    ...start,
    planted: 'provider secur32 on a system that is not Windows',
    kind: 'options',
    plant: () => serve({ provider: 'secur32', accounts }),
    cause: /only Windows has (an )?SSPI/,
    cure: /library|provider|auto/,
  },
];
