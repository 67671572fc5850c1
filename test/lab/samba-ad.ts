/**
 * An Active Directory domain of the test's own: a Samba domain controller in a private network with private folders, at
 * the ports and paths that every tool expects. Needs root.
 *
 * The domain CORP (corp.example.test) is provisioned once per machine (about 12 s) and kept as a tar file in a folder of
 * this user; each test starts from a copy (about 2 s).
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { withLock } from './lock.ts';
import { privateNamespace } from './namespace.ts';
import type { Namespace } from './namespace.ts';
import { krb5Configuration } from './krb5-conf.ts';
import { runChecked } from './process.ts';
import { scratchFolder } from './scratch.ts';
import type { ScratchFolder } from './scratch.ts';

const realm = 'CORP.EXAMPLE.TEST';
const controller = 'dc1.corp.example.test';
const administratorPassword = 'Adm1n-Passw0rd!';
/** alice is a member of Engineering, dave's account is disabled, svc-web runs the web service. */
const passwords = {
  alice: 'Al1ce-Passw0rd',
  bob: 'B0b-Passw0rd!',
  dave: 'D4ve-Passw0rd!',
  'svc-web': 'Svc-Passw0rd!1',
} as const;

const seed = fileURLToPath(new URL('samba-ad-seed.py', import.meta.url));
/** Where Samba keeps everything; each is a folder of the test inside the namespace. */
const sambaFolders = {
  '/etc/samba': 'etc',
  '/var/lib/samba': 'lib',
  '/var/cache/samba': 'cache',
  '/run/samba': 'run',
  '/var/log/samba': 'log',
} as const;

const controllerConfiguration = `[global]
 server role = active directory domain controller
 workgroup = CORP
 realm = ${realm}
 netbios name = DC1
 interfaces = lo
 bind interfaces only = yes
 server services = s3fs, rpc, ldap, cldap, kdc, winbindd
 disable spoolss = yes
 load printers = no
 ntlm auth = ntlmv2-only
[sysvol]
 path = /var/lib/samba/sysvol
 read only = no
[netlogon]
 path = /var/lib/samba/sysvol/corp.example.test/scripts
 read only = no
`;

const memberConfiguration = `[global]
 server role = member server
 security = ads
 workgroup = CORP
 realm = ${realm}
 netbios name = MEM1
 interfaces = lo
 bind interfaces only = yes
 password server = ${controller}
 name resolve order = host
 kerberos method = secrets only
 idmap config * : backend = tdb
 idmap config * : range = 100000-199999
 winbind use default domain = no
 create krb5 conf = no
`;

const kerberosConfiguration = krb5Configuration(
  realm,
  ['kdc = 127.0.0.1:88', 'kpasswd_server = 127.0.0.1:464'],
  ['.corp.example.test', 'localhost'],
);

const hosts = `127.0.0.1 localhost web.corp.example.test web ${controller} dc1\n::1 localhost\n`;

/** A machine of the domain: run programs there with `namespace`. */
export interface DomainMachine extends AsyncDisposable {
  /** NetBIOS name. */
  readonly name: string;
  readonly namespace: Namespace;
  stop(): Promise<void>;
}

/** The domain and its controller, where wbinfo, ntlm_auth, smbclient and samba-tool work as on any such machine. */
export interface SambaDomain extends DomainMachine {
  readonly realm: string;
  /** NetBIOS name of the domain. */
  readonly domain: string;
  readonly passwords: typeof passwords;
  readonly administratorPassword: string;
  /** Path of the keytab with HTTP/localhost, HTTP/web.corp.example.test and svc-web; readable outside too. */
  readonly keytab: string;
  /** KRB5_CONFIG and KRB5_KTNAME, for the web service. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Gets a ticket-granting ticket, and tickets for services so that a client outside the network needs no KDC.
   *
   * @param services principals such as `HTTP/localhost`
   * @param options words for kinit, such as `['-f']`
   * @returns the environment of a client that uses these tickets
   */
  signIn(
    user: keyof typeof passwords,
    services?: readonly string[],
    options?: readonly string[],
  ): Promise<Readonly<Record<string, string>>>;
  /** Joins a member server to the domain, in the same network: winbindd with folders of its own. */
  joinMember(): Promise<DomainMachine>;
}

/** For the third parameter of `tier`: what the packages alone do not give. */
export function canMakeNamespaces(): void {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) throw new Error('needs root on Linux for namespaces');
}

/** Starts the domain. @throws Error with the programs' output where that fails */
export async function startSambaAd(): Promise<SambaDomain> {
  const archive = await provisionedArchive();
  const folder = await scratchFolder('ad');
  try {
    await runChecked('tar', ['-C', folder.path, '-xpf', archive, '--xattrs', '--xattrs-include=*', '--acls']);
    await writeFile(folder.file('krb5.conf'), kerberosConfiguration);
    const namespace = await machineNamespace(folder);
    try {
      await namespace.start('samba', ['--foreground', '--no-process-group', '--model=single']);
      await waitUntilReady(namespace);
    } catch (error) {
      await namespace.close();
      throw error;
    }
    return domainOf(folder, namespace);
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

function domainOf(folder: ScratchFolder, namespace: Namespace): SambaDomain {
  const keytab = folder.file('lib', 'http.keytab');
  const env = {
    KRB5_CONFIG: folder.file('krb5.conf'),
    KRB5_KTNAME: `FILE:${keytab}`,
    KRB5CCNAME: `FILE:${folder.file('no-ticket')}`,
    KRB5RCACHEDIR: folder.path,
    GSS_MECH_CONFIG: '/dev/null',
  };
  let tickets = 0;
  const stop = async (): Promise<void> => {
    await namespace.close();
    await folder.remove();
  };
  return {
    name: 'DC1',
    domain: 'CORP',
    realm,
    passwords,
    administratorPassword,
    keytab,
    env,
    namespace,
    async signIn(user, services = [], options = []) {
      const own = { ...env, KRB5CCNAME: `FILE:${folder.file(`tickets-${++tickets}`)}` };
      const input = `${passwords[user]}\n`;
      await namespace.runChecked('kinit', [...options, `${user}@${realm}`], { env: own, input });
      if (services.length > 0) await namespace.runChecked('kvno', services, { env: own });
      return own;
    },
    joinMember: () => joinMember(namespace, env),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function joinMember(network: Namespace, env: Readonly<Record<string, string>>): Promise<DomainMachine> {
  const folder = await scratchFolder('member');
  try {
    const namespace = await machineNamespace(folder, network);
    try {
      await writeFile(folder.file('etc', 'smb.conf'), memberConfiguration);
      await mkdir(folder.file('lib', 'private'), { mode: 0o700 });
      const administrator = `Administrator%${administratorPassword}`;
      const join = ['ads', 'join', '-U', administrator, '-S', controller, '--no-dns-updates'];
      await namespace.runChecked('net', join, { env });
      await namespace.start('winbindd', ['--foreground', '--no-process-group'], { env });
      await waitForTrust(namespace);
    } catch (error) {
      await namespace.close();
      throw error;
    }
    const stop = async (): Promise<void> => {
      await namespace.close();
      await folder.remove();
    };
    return { name: 'MEM1', namespace, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

async function machineNamespace(folder: ScratchFolder, network?: Namespace): Promise<Namespace> {
  for (const name of Object.values(sambaFolders)) await mkdir(folder.file(name), { recursive: true });
  await writeFile(folder.file('hosts'), hosts);
  // Samba's packages bring these folders, but /run is empty after a restart.
  for (const path of Object.keys(sambaFolders)) await mkdir(path, { recursive: true });
  const mounts = Object.entries(sambaFolders).map(([inside, name]) => [inside, folder.file(name)] as const);
  return privateNamespace({
    mounts: { ...Object.fromEntries(mounts), '/etc/hosts': folder.file('hosts') },
    ...(network === undefined ? undefined : { network }),
  });
}

async function waitForTrust(namespace: Namespace): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const { code, stderr, stdout } = await namespace.run('wbinfo', ['-t']);
    if (code === 0) return;
    if (Date.now() > deadline) throw new Error(`winbindd is not ready: ${stdout}${stderr}`);
    await delay(100);
  }
}

/** The KDC, LDAP and winbindd each listen when they are ready, in no fixed order. */
async function waitUntilReady(namespace: Namespace): Promise<void> {
  await waitForTrust(namespace);
  const deadline = Date.now() + 30_000;
  const probe = 'for port in 88 389 445; do (echo > /dev/tcp/127.0.0.1/$port) 2>/dev/null || exit 1; done';
  while ((await namespace.run('bash', ['-c', probe])).code !== 0) {
    if (Date.now() > deadline) throw new Error('the domain controller does not listen on ports 88, 389 and 445');
    await delay(100);
  }
}

/** Path of the tar file of the seeded domain, made by the first process that asks. */
async function provisionedArchive(): Promise<string> {
  const cache = join(tmpdir(), `sspi-auth-cache-${process.getuid?.() ?? 0}`);
  await mkdir(cache, { recursive: true, mode: 0o700 });
  const { uid, mode } = await lstat(cache);
  // What is unpacked from here runs as root: nobody else may have put it there.
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0) throw new Error(`${cache} belongs to somebody else`);
  const hash = createHash('sha256');
  for (const file of [fileURLToPath(import.meta.url), seed]) hash.update(await readFile(file));
  hash.update(await runChecked('dpkg-query', ['-W', '-f=${Version}', 'samba']));
  const archive = join(cache, `samba-ad-${hash.digest('hex').slice(0, 16)}.tar`);
  await withLock('samba-ad', async () => {
    if (!existsSync(archive)) await provision(archive);
  });
  return archive;
}

async function provision(archive: string): Promise<void> {
  await using folder = await scratchFolder('provision');
  await using namespace = await machineNamespace(folder);
  await writeFile(folder.file('etc', 'smb.conf'), controllerConfiguration);
  await mkdir(folder.file('lib', 'private'), { mode: 0o700 });
  const identity = [`--realm=${realm}`, '--domain=CORP', '--host-name=dc1', '--host-ip=127.0.0.1'];
  const kind = ['--server-role=dc', '--dns-backend=SAMBA_INTERNAL', `--adminpass=${administratorPassword}`];
  const configuration = ['-s', '/etc/samba/smb.conf'];
  const timeout = 180_000;
  await namespace.runChecked('samba-tool', ['domain', 'provision', ...configuration, ...identity, ...kind], {
    timeout,
  });
  // Debian's python3-samba belongs to Debian's own interpreter.
  await namespace.runChecked('/usr/bin/python3', [seed, '/var/lib/samba/http.keytab'], {
    input: JSON.stringify(passwords),
    timeout,
  });
  await makeServerKey(folder.file('lib', 'private', 'tls'));
  await runChecked('tar', ['-C', folder.path, '-cpf', `${archive}.part`, '--xattrs', '--acls', 'etc', 'lib', 'cache']);
  await rename(`${archive}.part`, archive);
}

/** Samba would make an RSA key of 4096 bits at its first start, which takes seconds. */
async function makeServerKey(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', `/CN=${controller}`, '-addext', `subjectAltName=DNS:${controller},DNS:localhost`];
  const form = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '3650', '-keyout', key, '-out', certificate];
  await runChecked('openssl', [...form, ...subject]);
  await runChecked('cp', [certificate, join(folder, 'ca.pem')]);
}
