/**
 * Apache with mod_auth_gssapi, of Debian's packages, in a folder of the benchmark's own: as Debian configures it, and
 * with as little as will do.
 */
import { access, chown, copyFile, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Kdc } from '../test/lab/kdc.ts';
import { freePort } from '../test/lab/ports.ts';
import { runChecked, startProcess } from '../test/lab/process.ts';
import { scratchFolder } from '../test/lab/scratch.ts';
import type { MeasuredServer } from './measured-server.ts';

/** What it needs of Debian. */
export const apachePackages = ['apache2', 'libapache2-mod-auth-gssapi'];

/**
 * `Debian`: a copy of the package's /etc/apache2 (MPM event, its modules, its access log) with auth_gssapi enabled; the
 * address, the document root and the protected location are all that is changed.
 * `lean`: one worker process with five modules and no access log.
 */
export type ApacheKind = 'Debian' | 'lean';

const modules = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'auth_gssapi'];
const command = '/usr/sbin/apache2';

/** Worker processes: one, with threads for every connection of the load, as it has one core. */
const threads = 32;

/** What protects `/hello`: the directives that mod_auth_gssapi needs, and nothing of the client but its name. */
function protection(folder: string, allowed: string): string {
  return `<Location /hello>
  AuthType GSSAPI
  AuthName bench
  GssapiAllowedMech krb5
  GssapiCredStore keytab:FILE:${folder}/http.keytab
  GssapiCredStore rcache:file2:${folder}/replay/cache
  Require user ${allowed}
</Location>
`;
}

/** @returns words for apache2 */
async function configureLean(folder: string, port: number, user: string, allowed: string): Promise<string[]> {
  const loaded = modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`);
  const text = `${loaded.join('\n')}
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
${protection(folder, allowed)}`;
  await writeFile(`${folder}/apache.conf`, text);
  return ['-f', `${folder}/apache.conf`];
}

/** @returns words for apache2 */
async function configureAsDebian(folder: string, port: number, allowed: string): Promise<string[]> {
  const root = `${folder}/etc`;
  await cp('/etc/apache2', root, { recursive: true, verbatimSymlinks: true });
  // What a2enmod does.
  const load = 'auth_gssapi.load';
  const enabled = `${root}/mods-enabled/${load}`;
  await access(enabled).catch(() => symlink(`../mods-available/${load}`, enabled));
  const edit = async (path: string, ...changes: readonly (readonly [RegExp, string])[]): Promise<void> => {
    let text = await readFile(path, 'utf8');
    for (const [pattern, replacement] of changes) {
      if (!pattern.test(text)) throw new Error(`${path} of the package apache2 has no ${String(pattern)}`);
      text = text.replace(pattern, replacement);
    }
    await writeFile(path, text);
  };
  await edit(`${root}/ports.conf`, [/^Listen 80$/m, `Listen 127.0.0.1:${port}`]);
  await edit(
    `${root}/sites-available/000-default.conf`,
    [/<VirtualHost \*:80>/, `<VirtualHost *:${port}>`],
    [/DocumentRoot \S+/, `DocumentRoot ${folder}/site`],
  );
  await writeFile(`${root}/conf-enabled/protection.conf`, protection(folder, allowed));
  return ['-d', root, '-f', `${root}/apache2.conf`];
}

/** Ticks of processor time that a process and its children have used, those that ended included. */
async function ticks(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  // The name in parentheses may hold spaces; utime, stime, cutime and cstime are the 14th to 17th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  let used = 0;
  for (const field of fields.slice(11, 15)) used += Number(field);
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
 * Starts it on one core: `/hello` for one user alone, the keytab of the KDC and a replay cache in a file (file2).
 *
 * @param core number of the processor it may use
 * @param allowed principal, such as `alice@TEST.LOCAL`
 * @throws Error with its log where it does not start
 */
export async function startApache(kind: ApacheKind, kdc: Kdc, core: number, allowed: string): Promise<MeasuredServer> {
  const folder = await scratchFolder('apache');
  const remove = folder.remove.bind(folder);
  try {
    // As root it leaves its rights to a user, who must be able to read what the benchmark's own user made.
    const root = process.getuid?.() === 0;
    const user = root ? 'www-data' : (await runChecked('id', ['-un'])).trim();
    await mkdir(folder.file('site'));
    await mkdir(folder.file('replay'));
    await mkdir(folder.file('run'));
    await writeFile(folder.file('site', 'hello'), 'hello');
    await copyFile(kdc.keytab, folder.file('http.keytab'));
    await copyFile(kdc.env['KRB5_CONFIG'] ?? '', folder.file('krb5.conf'));
    await writeFile(folder.file('mech'), '');
    if (root) {
      const [uid, gid] = [Number(await runChecked('id', ['-u', user])), Number(await runChecked('id', ['-g', user]))];
      const owned = [folder.path, folder.file('http.keytab'), folder.file('replay'), folder.file('run')];
      for (const path of owned) await chown(path, uid, gid);
    }
    const env = {
      KRB5_CONFIG: folder.file('krb5.conf'),
      KRB5_KTNAME: undefined,
      KRB5RCACHENAME: undefined,
      GSS_MECH_CONFIG: folder.file('mech'),
      // What Debian's own configuration takes from its envvars.
      APACHE_RUN_USER: user,
      APACHE_RUN_GROUP: user,
      APACHE_PID_FILE: folder.file('pid'),
      APACHE_RUN_DIR: folder.file('run'),
      APACHE_LOCK_DIR: folder.file('run'),
      APACHE_LOG_DIR: folder.path,
    };
    const port = await freePort();
    const configured =
      kind === 'lean'
        ? await configureLean(folder.path, port, user, allowed)
        : await configureAsDebian(folder.path, port, allowed);
    const words = ['-c', String(core), command, '-DFOREGROUND', ...configured];
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
      name: kind === 'lean' ? 'lean Apache' : 'Apache as Debian configures it',
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
