/**
 * A Heimdal KDC of the test's own. Debian's heimdal-kdc and heimdal-clients cannot be installed beside those of MIT krb5,
 * so they are unpacked into the test's folder and run from there.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { unpackPackages } from './debian.ts';
import { freePort } from './ports.ts';
import { krb5Configuration } from './krb5-conf.ts';
import { runChecked, startProcess } from './process.ts';
import { scratchFolder } from './scratch.ts';
import type { ScratchFolder } from './scratch.ts';

/** Libraries of the programs, which are in nobody's way: for the tier. */
export const heimdalKdcPackages: readonly string[] = [
  'libhdb9-heimdal',
  'libkadm5clnt7-heimdal',
  'libkadm5srv8-heimdal',
  'libkafs0-heimdal',
  'libkdc2-heimdal',
  'libotp0-heimdal',
  'libsl0-heimdal',
];

/** A running KDC with the user alice and the service HTTP/localhost. */
export interface HeimdalKdc extends AsyncDisposable {
  readonly realm: string;
  readonly keytab: string;
  /** For servers and for clients without a ticket. */
  readonly env: Readonly<Record<string, string>>;
  /** Gets alice a ticket-granting ticket with Heimdal's kinit. @returns the environment of a client that uses it */
  signIn(options?: readonly string[]): Promise<Readonly<Record<string, string>>>;
}

const realm = 'HEIMDAL.TEST';
const password = 'alice-password';

/** Unpacks the programs; use it as the probe of the tier. */
export async function unpackHeimdalKdc(): Promise<ScratchFolder> {
  const programs = await scratchFolder('heimdal');
  try {
    await unpackPackages(['heimdal-kdc', 'heimdal-clients'], programs.path);
  } catch (error) {
    await programs.remove();
    throw error;
  }
  return programs;
}

/**
 * Makes a realm and starts its KDC. It is ready when this returns.
 *
 * @param programs of unpackHeimdalKdc
 */
export async function startHeimdalKdc(programs: ScratchFolder): Promise<HeimdalKdc> {
  const folder = await scratchFolder('heimdal-kdc');
  const port = await freePort();
  const config = folder.file('krb5.conf');
  const keytab = folder.file('http.keytab');
  const env = {
    KRB5_CONFIG: config,
    KRB5_KTNAME: `FILE:${keytab}`,
    KRB5CCNAME: `FILE:${folder.file('no-ticket')}`,
    KRB5RCACHEDIR: folder.path,
  };
  const administer = (...words: string[]): Promise<string> =>
    runChecked(programs.file('usr/bin/kadmin.heimdal'), ['--local', ...words], { env });
  try {
    await mkdir(folder.file('database'));
    await writeFile(config, configuration(folder, port));
    await administer('init', '--realm-max-ticket-life=unlimited', '--realm-max-renewable-life=unlimited', realm);
    await administer('add', `--password=${password}`, '--use-defaults', 'alice');
    await administer('add', '--random-key', '--use-defaults', 'HTTP/localhost');
    await administer('ext_keytab', `--keytab=${keytab}`, 'HTTP/localhost');
    const words = [`--config-file=${config}`, `--ports=${port}`, '--addresses=127.0.0.1'];
    const kdc = await startProcess(programs.file('usr/lib/heimdal-servers/kdc'), words, { env });
    await kdc.waitForLine(/KDC worker process started/);
    let tickets = 0;
    return {
      realm,
      keytab,
      env,
      async signIn(options = []) {
        const own = { ...env, KRB5CCNAME: `FILE:${folder.file(`tickets-${++tickets}`)}` };
        const kinit = programs.file('usr/bin/kinit.heimdal');
        const input = `${password}\n`;
        await runChecked(kinit, ['--password-file=STDIN', ...options, `alice@${realm}`], { env: own, input });
        return own;
      },
      async [Symbol.asyncDispose]() {
        await kdc.stop();
        await folder.remove();
      },
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

function configuration(folder: ScratchFolder, port: number): string {
  return `${krb5Configuration(realm, [`kdc = 127.0.0.1:${port}`], ['localhost'])}[kdc]
 database = {
  dbname = ${folder.file('database', 'heimdal')}
  realm = ${realm}
  mkey_file = ${folder.file('database', 'key')}
  acl_file = ${folder.file('database', 'acl')}
  log_file = ${folder.file('database', 'log')}
 }
[logging]
 default = STDERR
 kdc = STDERR
`;
}
