/** Apache with mod_auth_gssapi, of Debian's packages, with a configuration and a folder of the benchmark's own. */
import { chown, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Kdc } from '../test/lab/kdc.ts';
import { freePort } from '../test/lab/ports.ts';
import { runChecked, startProcess } from '../test/lab/process.ts';
import { scratchFolder } from '../test/lab/scratch.ts';
import type { MeasuredServer } from './measured-server.ts';

/** What it needs of Debian. */
export const apachePackages = ['apache2-bin', 'libapache2-mod-auth-gssapi'];

const modules = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'auth_gssapi'];
const command = '/usr/sbin/apache2';

/** Worker processes: one, with threads for every connection of the load, as it has one core. */
const threads = 32;

function configuration(folder: string, port: number, user: string, allowed: string): string {
  const loaded = modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`);
  return `${loaded.join('\n')}
ServerName localhost
ServerRoot ${folder}
Listen 127.0.0.1:${port}
PidFile ${folder}/pid
Mutex file:${folder} default
ErrorLog ${folder}/error.log
LogLevel warn
User ${user}
Group ${user}
StartServers 1
ServerLimit 1
ThreadsPerChild ${threads}
MaxRequestWorkers ${threads}
MinSpareThreads 1
MaxSpareThreads ${threads}
MaxConnectionsPerChild 0
KeepAlive On
MaxKeepAliveRequests 0
DocumentRoot ${folder}/site
<Directory ${folder}/site>
  AuthType GSSAPI
  AuthName bench
  GssapiAllowedMech krb5
  GssapiCredStore keytab:FILE:${folder}/http.keytab
  GssapiCredStore rcache:file2:${folder}/replay/cache
  Require user ${allowed}
</Directory>
`;
}

/** Ticks of processor time that a process and its children have used. */
async function ticks(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  // The name in parentheses may hold spaces; utime and stime are the 14th and 15th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  let used = Number(fields[11]) + Number(fields[12]);
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1')).trim();
  for (const child of children === '' ? [] : children.split(' ')) used += await ticks(Number(child));
  return used;
}

/** Whether something listens there. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (yes: boolean) => (): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', settle(true)).once('error', settle(false));
  });
}

/**
 * Starts it: one process of mpm_event on one core, `/hello` for one user alone, the keytab of the KDC and a replay cache.
 *
 * @param core number of the processor it may use
 * @param allowed principal, such as `alice@TEST.LOCAL`
 * @throws Error with its log where it does not start
 */
export async function startApache(kdc: Kdc, core: number, allowed: string): Promise<MeasuredServer> {
  const folder = await scratchFolder('apache');
  const remove = folder.remove.bind(folder);
  try {
    // As root it leaves its rights to a user, who must be able to read what the benchmark's own user made.
    const root = process.getuid?.() === 0;
    const user = root ? 'www-data' : (await runChecked('id', ['-un'])).trim();
    await mkdir(folder.file('site'));
    await mkdir(folder.file('replay'));
    await writeFile(folder.file('site', 'hello'), 'hello');
    await copyFile(kdc.keytab, folder.file('http.keytab'));
    await copyFile(kdc.env['KRB5_CONFIG'] ?? '', folder.file('krb5.conf'));
    await writeFile(folder.file('mech'), '');
    if (root) {
      const [uid, gid] = [Number(await runChecked('id', ['-u', user])), Number(await runChecked('id', ['-g', user]))];
      for (const path of [folder.path, folder.file('http.keytab'), folder.file('replay')]) await chown(path, uid, gid);
    }
    const env = {
      KRB5_CONFIG: folder.file('krb5.conf'),
      KRB5_KTNAME: undefined,
      KRB5RCACHENAME: undefined,
      GSS_MECH_CONFIG: folder.file('mech'),
    };
    const port = await freePort();
    await writeFile(folder.file('apache.conf'), configuration(folder.path, port, user, allowed));
    const words = ['-c', String(core), command, '-DFOREGROUND', '-f', folder.file('apache.conf')];
    const apache = await startProcess('taskset', words, { env });
    const log = async (): Promise<string> => readFile(folder.file('error.log'), 'utf8').catch(() => '');
    let over = false;
    apache.ended.then(
      () => (over = true),
      () => (over = true),
    );
    const deadline = Date.now() + 20_000;
    while (!(await listens(port))) {
      if (over || Date.now() > deadline) {
        await apache.stop();
        throw new Error(`Apache does not listen: ${apache.output.stderr}${await log()}`);
      }
      await delay(50);
    }
    const ticksPerSecond = Number(await runChecked('getconf', ['CLK_TCK']));
    return {
      name: 'Apache',
      port,
      processorTime: async () => ((await ticks(apache.pid)) * 1e6) / ticksPerSecond,
      async [Symbol.asyncDispose]() {
        await apache.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
