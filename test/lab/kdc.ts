/** An MIT Kerberos KDC of the test's own: own folder, own port, own realm; it runs as a child of the test. */
import { writeFile } from 'node:fs/promises';
import { freePort } from './ports.ts';
import { krb5Configuration } from './krb5-conf.ts';
import { runChecked, startProcess } from './process.ts';
import type { RunningProcess } from './process.ts';
import { scratchFolder } from './scratch.ts';

/** Options of startKdc. */
export interface KdcOptions {
  /** Default `TEST.LOCAL`. */
  readonly realm?: string;
  /** Passwords by user. Default alice and bob, with `alice-password` and `bob-password`. */
  readonly users?: Readonly<Record<string, string>>;
  /** Principals that the keytab holds. Default `HTTP/localhost` and `HTTP/web.test.local`. */
  readonly services?: readonly string[];
  /** Encryption types of the realm, as kdc.conf takes them. Default AES with 256 and 128 bits. */
  readonly encryptionTypes?: string;
  /** More lines of `[libdefaults]`, for clients, acceptor and KDC. */
  readonly defaults?: readonly string[];
  /** Which realms may lie between a client's (the key) and this one, as `[capaths]` of the KDC has them. */
  readonly between?: Readonly<Record<string, string>>;
  /** Lines of the realm in kdc.conf. */
  readonly settings?: readonly string[];
}

/** A running KDC. */
export interface Kdc extends AsyncDisposable {
  readonly realm: string;
  readonly port: number;
  readonly users: Readonly<Record<string, string>>;
  /** Path of the keytab with the services' keys. */
  readonly keytab: string;
  /** KRB5_CONFIG, KRB5_KTNAME and the like: for the server and for clients without a ticket. */
  readonly env: Readonly<Record<string, string>>;
  /** A path in the KDC's folder, for files of the test that go with it. */
  file(name: string): string;
  /**
   * Gets a ticket-granting ticket with the user's password, in a new cache.
   *
   * @param options words for kinit, such as `['-f']` for a forwardable ticket or `['-l', '1m']`
   * @returns the environment of a client that uses this ticket
   */
  signIn(user: string, options?: readonly string[]): Promise<Readonly<Record<string, string>>>;
  /** Runs commands of kadmin.local, one a line. */
  administer(commands: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;

/**
 * Makes a realm and starts its KDC. It is ready when this returns.
 *
 * @throws Error with the programs' output where that fails
 */
export async function startKdc(options: KdcOptions = {}): Promise<Kdc> {
  const realm = options.realm ?? 'TEST.LOCAL';
  const users = options.users ?? { alice: 'alice-password', bob: 'bob-password' };
  const services = options.services ?? ['HTTP/localhost', 'HTTP/web.test.local'];
  const encryptionTypes = options.encryptionTypes ?? 'aes256-cts:normal aes128-cts:normal';
  const folder = await scratchFolder('kdc');
  const keytab = folder.file('http.keytab');
  const env = {
    PATH: path,
    KRB5_CONFIG: folder.file('krb5.conf'),
    KRB5_KDC_PROFILE: folder.file('kdc.conf'),
    KRB5_KTNAME: `FILE:${keytab}`,
    KRB5CCNAME: `FILE:${folder.file('no-ticket')}`,
    KRB5RCACHEDIR: folder.path,
    // A mechanism installed beside Kerberos must not answer in its stead.
    GSS_MECH_CONFIG: folder.file('mech'),
  };
  const administer = (commands: readonly string[]): Promise<string> =>
    runChecked('kadmin.local', ['-r', realm], { env, input: `${commands.join('\n')}\n` });

  let started: { kdc: RunningProcess; port: number };
  try {
    await writeFile(env.GSS_MECH_CONFIG, '');
    const configure = (port: number): Promise<void> =>
      writeConfiguration(folder.path, { ...options, realm, encryptionTypes }, port);
    await configure(await freePort());
    await runChecked('kdb5_util', ['create', '-s', '-r', realm, '-P', 'master'], { env });
    await administer([
      ...Object.entries(users).map(([user, password]) => `addprinc -pw "${password}" ${user}`),
      ...services.flatMap((service) => [`addprinc -randkey ${service}`, `ktadd -k ${keytab} ${service}`]),
    ]);
    started = await startListening(realm, configure, env);
  } catch (error) {
    await folder.remove();
    throw error;
  }

  const { kdc, port } = started;
  let tickets = 0;
  const signIn = async (user: string, words: readonly string[] = []): Promise<Readonly<Record<string, string>>> => {
    const own = { ...env, KRB5CCNAME: `FILE:${folder.file(`tickets-${++tickets}`)}` };
    await runChecked('kinit', [...words, `${user}@${realm}`], { env: own, input: `${users[user] ?? ''}\n` });
    return own;
  };
  const stop = async (): Promise<void> => {
    await kdc.stop();
    await folder.remove();
  };
  return {
    realm,
    port,
    users,
    keytab,
    env,
    file: (name) => folder.file(name),
    signIn,
    administer,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Starts krb5kdc; another port is tried where somebody took the first one. */
async function startListening(
  realm: string,
  configure: (port: number) => Promise<void>,
  env: Readonly<Record<string, string>>,
): Promise<{ kdc: RunningProcess; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    await configure(port);
    const kdc = await startProcess('krb5kdc', ['-n', '-r', realm], { env });
    try {
      await kdc.waitForLine(/commencing operation/);
      return { kdc, port };
    } catch (error) {
      await kdc.stop();
      if (attempt === 3) throw error;
    }
  }
}

async function writeConfiguration(
  folder: string,
  { realm, encryptionTypes, defaults, between = {}, settings = [] }: KdcOptions & { readonly realm: string },
  port: number,
): Promise<void> {
  const hosts = ['localhost', `.${realm.toLowerCase()}`];
  const paths = Object.entries(between).map(([from, through]) => ` ${from} = {\n  ${realm} = ${through}\n }\n`);
  const configuration = krb5Configuration(realm, [`kdc = 127.0.0.1:${port}`], hosts, defaults);
  await writeFile(`${folder}/krb5.conf`, `${configuration}[capaths]\n${paths.join('')}`);
  await writeFile(
    `${folder}/kdc.conf`,
    `[kdcdefaults]
 kdc_listen = 127.0.0.1:${port}
 kdc_tcp_listen = 127.0.0.1:${port}
[realms]
 ${realm} = {
  database_name = ${folder}/principal
  key_stash_file = ${folder}/stash
  acl_file = ${folder}/kadm5.acl
  supported_enctypes = ${encryptionTypes ?? ''}
${settings.map((line) => `  ${line}\n`).join('')}  master_key_type = aes256-cts
  max_life = 10h
  max_renewable_life = 10h
 }
[logging]
 kdc = STDERR
[dbmodules]
 ${realm} = {
  db_library = db2
  database_name = ${folder}/principal
  disable_last_success = true
 }
`,
  );
}
