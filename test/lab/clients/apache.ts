/** Apache httpd with Digest and with Kerberos: another server, which tells faults of clients from ours. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../ports.ts';
import { startProcess } from '../process.ts';
import { scratchFolder } from '../scratch.ts';
import type { Kdc } from '../kdc.ts';
import { account } from './offers.ts';
import type { Offer } from './offers.ts';

/** A request that Apache answered. */
export interface Logged {
  /** `-` where it was nobody. */
  readonly user: string;
  readonly target: string;
  readonly status: number;
  /** Bytes that came, the head included. */
  readonly received: number;
}

/** A running Apache httpd. */
export interface Apache extends AsyncDisposable {
  /** Port with what an offer has; undefined where Apache has none such. */
  port(offer: Offer): number | undefined;
  /** The body of every page. */
  readonly page: string;
  /**
   * What it answered below a folder, without the folder.
   *
   * @param admitted how many requests were let in, if all went well: a line may come after the client has its answer
   */
  log(folder: string, admitted: number): Promise<Logged[]>;
}

const modules = '/usr/lib/apache2/modules';
const page = 'this-page-is-for-those-who-have-signed-in';

/** One server of the configuration: a page at every target, and a redirect for who has signed in. */
const virtualHost = (port: number, folder: string, authentication: string): string => `
<VirtualHost 127.0.0.1:${port}>
 AliasMatch "^/" "${folder}/page.txt"
 <Location "/">
  RedirectMatch 302 "^(/[^/]+)/redirect$" "$1/"
  ${authentication}
  Require valid-user
 </Location>
</VirtualHost>`;

/**
 * Starts it.
 *
 * @param kdc whose keytab and environment it has
 */
export async function startApache(kdc: Pick<Kdc, 'keytab' | 'env'>): Promise<Apache> {
  const folder = await scratchFolder('apache');
  const { domain: realm, userName, password } = account;
  const hash = createHash('md5').update(`${userName}:${realm}:${password}`).digest('hex');
  await writeFile(folder.file('digest'), `${userName}:${realm}:${hash}\n`);
  await writeFile(folder.file('page.txt'), `${page}\n`);
  await mkdir(folder.file('run'));
  for (let attempt = 1; ; attempt++) {
    const ports = { digest: await freePort(), kerberos: await freePort() };
    const loaded = [
      ...['mpm_event', 'authn_core', 'authn_file', 'authz_core', 'authz_user', 'auth_digest', 'auth_gssapi'],
      ...['alias', 'mime'],
    ].map((name) => `LoadModule ${name}_module ${join(modules, `mod_${name}.so`)}`);
    await writeFile(
      folder.file('httpd.conf'),
      `ServerRoot ${folder.path}
ServerName localhost
PidFile run/pid
DefaultRuntimeDir run
ErrorLog "|$/bin/cat >&2"
LogLevel notice
TypesConfig /dev/null
Listen 127.0.0.1:${ports.digest}
Listen 127.0.0.1:${ports.kerberos}
${loaded.join('\n')}
LogFormat "%u %>s %I %U%q" seen
CustomLog access seen
DocumentRoot ${folder.path}
${virtualHost(ports.digest, folder.path, `AuthType Digest\n  AuthName ${realm}\n  AuthUserFile ${folder.file('digest')}`)}
${virtualHost(ports.kerberos, folder.path, `AuthType GSSAPI\n  AuthName ${realm}\n  GssapiCredStore keytab:${kdc.keytab}`)}
`,
    );
    const httpd = await startProcess('apache2', ['-f', folder.file('httpd.conf'), '-DFOREGROUND'], { env: kdc.env });
    try {
      await httpd.waitForLine(/resuming normal operations/);
    } catch (error) {
      await httpd.stop();
      if (attempt < 3) continue;
      await folder.remove();
      throw error;
    }
    return {
      page,
      port: (offer) => (offer === 'kerberos' ? ports.kerberos : offer === 'digest-md5' ? ports.digest : undefined),
      async log(below, admitted) {
        const read = async (): Promise<Logged[]> => {
          const lines = (await readFile(folder.file('access'), 'utf8')).split('\n');
          return lines.flatMap((line) => {
            const [user = '', status, received, target = ''] = line.split(' ');
            if (!target.startsWith(`/${below}/`)) return [];
            return [
              { user, target: target.slice(below.length + 1), status: Number(status), received: Number(received) },
            ];
          });
        };
        const deadline = Date.now() + 2000;
        for (;;) {
          const logged = await read();
          const enough = logged.filter(({ user, status }) => user !== '-' && status === 200).length >= admitted;
          if (enough || Date.now() > deadline) return logged;
          await delay(20);
        }
      },
      async [Symbol.asyncDispose]() {
        await httpd.stop();
        await folder.remove();
      },
    };
  }
}
