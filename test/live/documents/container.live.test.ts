/**
 * The container of docs/containers.md, without a container runtime: the program as one file in a root file system that is
 * read-only, with the user, the variables and the mounts that the manifest for Kubernetes gives it.
 */
import assert from 'node:assert/strict';
import { chmod, chown, cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { build } from 'esbuild';
import { parse } from 'yaml';
import { onAnyPort, portLine } from '../../lab/any-port.ts';
import { curl } from '../../lab/curl.ts';
import { blocksOf } from '../../lab/document-blocks.ts';
import { codeBlocks, readDocument, root } from '../../lab/documents.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { runProcess, startProcess } from '../../lab/process.ts';
import type { RunningProcess } from '../../lab/process.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('documents');

interface PodSpec {
  readonly securityContext: { readonly runAsUser: number; readonly runAsGroup: number; readonly fsGroup: number };
  readonly containers: readonly [
    {
      readonly env: readonly { readonly name: string; readonly value: string }[];
      readonly securityContext: { readonly readOnlyRootFilesystem: boolean };
      readonly volumeMounts: readonly {
        readonly name: string;
        readonly mountPath: string;
        readonly readOnly?: boolean;
      }[];
    },
  ];
  readonly volumes: readonly { readonly name: string; readonly secret?: { readonly defaultMode: number } }[];
}

function podSpec(): PodSpec {
  const [{ code } = { code: '' }] = blocksOf('yaml');
  const [first = ''] = code.split('\n---\n');
  return (parse(first, { version: '1.1' }) as { spec: { template: { spec: PodSpec } } }).spec.template.spec;
}

/** Where the container has what this machine has no folder for. */
const elsewhere: Readonly<Record<string, string>> = { '/keytab': '/mnt' };
const here = (path: string): string => elsewhere[path] ?? path;

describe('the container of docs/containers.md', ready, () => {
  const spec = podSpec();
  const [container] = spec.containers;
  const { runAsUser, runAsGroup, fsGroup } = spec.securityContext;
  const block = codeBlocks(readDocument('docs/containers.md')).find(({ code }) => code.includes('.listen('));
  let kdc: Kdc;
  let alice: Readonly<Record<string, string>>;
  let folder: ScratchFolder;

  before(async () => {
    kdc = await startKdc();
    alice = await kdc.signIn('alice');
    folder = await scratchFolder('container');
    // The image: Node, koffi, and all the rest in one file.
    const image = folder.file('image');
    await mkdir(join(image, 'node_modules'), { recursive: true });
    for (const name of ['koffi', '@koromix']) {
      await cp(join(root, 'node_modules', name), join(image, 'node_modules', name), { recursive: true });
    }
    await writeFile(join(image, 'node'), '');
    const source = folder.file('source');
    await mkdir(source);
    await symlink(join(root, 'node_modules'), join(source, 'node_modules'));
    await writeFile(join(source, 'app.mjs'), block?.code ?? '');
    await build({
      ...{ entryPoints: [join(source, 'app.mjs')], outfile: join(image, 'app.mjs'), logLevel: 'error' },
      ...{ bundle: true, platform: 'node', format: 'esm', external: ['koffi', 'selfsigned'] },
      alias: { 'sspi-auth': join(root, 'src/index.ts'), 'sspi-auth/express': join(root, 'adapters/express.ts') },
      banner: {
        js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
      },
    });
    for (const { name, secret } of spec.volumes) {
      const volume = folder.file(name);
      await mkdir(volume);
      await chown(volume, 0, fsGroup);
      await chmod(volume, 0o770);
      if (secret === undefined) continue;
      const keytab = join(volume, 'http.keytab');
      await cp(kdc.keytab, keytab);
      await chown(keytab, 0, fsGroup);
      await chmod(keytab, secret.defaultMode);
    }
  });
  after(async () => {
    await folder.remove();
    await kdc.stop();
  });

  /** A command within the container. @param without the name of a volume that is left out */
  function within(command: readonly string[], without?: string): readonly string[] {
    const mounts = container.volumeMounts
      .filter(({ name }) => name !== without)
      // /tmp last: the folder of this test lies in it.
      .sort((one, other) => Number(one.mountPath === '/tmp') - Number(other.mountPath === '/tmp'));
    const script = [
      'set -e',
      `mount --bind ${folder.file('image')} /srv`,
      `mount --bind ${process.execPath} /srv/node`,
      ...mounts.map(({ name, mountPath }) => `mount --bind ${folder.file(name)} ${here(mountPath)}`),
      ...mounts.flatMap(({ mountPath, readOnly }) =>
        readOnly === true ? [`mount -o remount,bind,ro ${here(mountPath)}`] : [],
      ),
      'mount -o remount,bind,ro /srv',
      ...(container.securityContext.readOnlyRootFilesystem ? ['mount -o remount,bind,ro /'] : []),
      'cd /srv',
      'exec "$@"',
    ].join('\n');
    const user = ['setpriv', `--reuid=${runAsUser}`, `--regid=${runAsGroup}`, `--groups=${fsGroup}`];
    const nothing = ['--bounding-set=-all', '--inh-caps=-all', '--no-new-privs', '--'];
    const shell = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh'];
    return [...shell, ...user, ...nothing, ...command];
  }

  const variables = Object.fromEntries(
    container.env.map(({ name, value }) => [name, value.replace('/keytab', '/mnt')]),
  );
  const none = { KRB5_CONFIG: undefined, KRB5RCACHEDIR: undefined, KRB5RCACHENAME: undefined, TMPDIR: undefined };
  const env = { ...none, ...variables };

  async function start(without?: string): Promise<RunningProcess> {
    const [command = '', ...words] = within(['/srv/node', ...onAnyPort, 'app.mjs'], without);
    return startProcess(command, words, { env });
  }

  it('starts, signs in, and refuses the stranger', async () => {
    await using app = await start();
    const [, port = ''] = await app.waitForLine(portLine);
    const url = `http://localhost:${port}/`;
    assert.equal((await curl([url])).status, 401);
    assert.equal((await curl(['--negotiate', '-u', ':', url], { env: alice })).body, 'Hello alice@TEST.LOCAL');
    // What the replay cache holds outlives the process, since its volume does.
    assert.deepEqual(await readdir(folder.file('replay')), [`krb5_${runAsUser}.rcache2`]);
    assert.equal((await curl([`${url}health`])).body, 'ok');
    // The health check of the image, as its last argument has it.
    const [{ code } = { code: '' }] = blocksOf('dockerfile');
    const check = JSON.parse(/^HEALTHCHECK .*CMD (\[.*\])$/m.exec(code)?.[1] ?? '[]') as string[];
    const script = (check.at(-1) ?? '').replace('8080', port);
    assert.equal((await runProcess(process.execPath, ['-e', script])).code, 0);
    // The signal with which a container is ended.
    const { code: exitCode, signal } = await app.stop();
    assert.deepEqual([exitCode, signal], [0, null]);
    assert.equal((await runProcess(process.execPath, ['-e', script])).code, 1);
  });

  it('has nothing to write to but its volumes', async () => {
    const write =
      "for (const f of ['/a', '/srv/a', '/mnt/a', '/var/tmp/a', '/tmp/a']) try { require('fs').writeFileSync(f, ''); console.log(f) } catch {}";
    const [command = '', ...words] = within(['/srv/node', '-e', write]);
    assert.equal((await runProcess(command, words, { env })).stdout, '/var/tmp/a\n/tmp/a\n');
  });

  it('without the volume of the replay cache does not start, and says which folder it needs', async () => {
    await using app = await start('replay');
    const { code, stderr } = await app.ended;
    assert.equal(code, 1);
    assert.match(stderr, /\/var\/tmp\/krb5_1000\.rcache2/);
  });
});
