/**
 * Keys count for the credential that was given them. libkrb5 keeps MEMORY keytabs for the whole process, whoever made
 * them: another thread, or another copy of this package.
 */
import assert from 'node:assert/strict';
import { cp, symlink, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { loadGssapi } from '../../../src/native/gssapi/call/library.ts';
import { Frame } from '../../../src/native/gssapi/call/frame.ts';
import { releaseCredential } from '../../../src/native/gssapi/call/release.ts';
import { extensionsOf } from '../../../src/native/gssapi/implementations.ts';
import { kerberosSettings, readKerberosOptions } from '../../../src/native/gssapi/kerberos-auth-data.ts';
import { OpenKeytab } from '../../../src/native/gssapi/keytab/keytab-entries.ts';
import { copyKeytab } from '../../../src/native/gssapi/keytab/memory-keytab.ts';
import { gssClientPackages, startGssClient } from '../../lab/gss-client.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { programOf } from '../../lab/program.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';
import { acceptor, heimdal, mit, useRealm } from './acceptor.ts';
import type * as AcceptorModule from './acceptor.ts';

const gssapis = [
  { ...mit, ready: await tier('kdc', gssClientPackages) },
  { ...heimdal, ready: await tier('heimdal', gssClientPackages) },
];
const ONE = 'HTTP/localhost';
const OTHER = 'HTTP/web.test.local';

/** A thread with an acceptor of its own, which verifies the tokens it is given. */
interface AcceptorThread extends AsyncDisposable {
  verify(token: Uint8Array): Promise<string>;
  /** Ends the thread as it stands: nothing is freed. */
  terminate(): Promise<void>;
}

async function startThread(options: object): Promise<AcceptorThread> {
  const source = `
    import('tsx/esm/api').then(async ({ register }) => {
      register();
      const { parentPort, workerData } = await import('node:worker_threads');
      const { acceptor } = await import(${JSON.stringify(programOf(new URL('acceptor.ts', import.meta.url)).url)});
      const server = await acceptor(workerData);
      parentPort.on('message', async (token) => parentPort.postMessage((await server.verify(token)).status));
      parentPort.postMessage('ready');
    });`;
  const thread = new Worker(source, { eval: true, workerData: options, execArgv: [] });
  const terminate = async (): Promise<void> => {
    await thread.terminate();
  };
  const said = async (): Promise<string> => String((await once(thread, 'message'))[0]);
  assert.equal(await said(), 'ready');
  return {
    verify(token) {
      thread.postMessage(Uint8Array.from(token));
      return said();
    },
    terminate,
    [Symbol.asyncDispose]: terminate,
  };
}

for (const { name, library, ready } of gssapis)
  describe(`credentials with keys of their own in one process, ${name}`, ready, () => {
    let kdc: Kdc;
    let env: Readonly<Record<string, string>>;
    /** Keytabs with one key each. */
    const keytabs: Record<string, string> = {};
    before(async () => {
      kdc = await startKdc({ services: [ONE, OTHER] });
      useRealm(kdc);
      for (const service of [ONE, OTHER]) {
        keytabs[service] = kdc.file(`${service.slice(5)}.keytab`);
        await kdc.administer([`ktadd -norandkey -k ${keytabs[service]} ${service}`]);
      }
      env = await kdc.signIn('alice');
    });
    after(() => kdc.stop());
    const optionsFor = (service: string): { keytab: string; library: string | undefined } => ({
      keytab: keytabs[service] ?? '',
      library,
    });
    // Of a client of its own: MIT krb5 dates the second of one second a microsecond after the first, whatever the time.
    const tokenFor = async (service: string): Promise<Buffer> => {
      await using client = await startGssClient(env);
      return await client.initiate({ target: service.replace('/', '@') });
    };

    it('a thread takes no ticket under the key of another thread', async () => {
      await using first = await startThread(optionsFor(ONE));
      await using second = await startThread(optionsFor(OTHER));
      for (const [thread, own, foreign] of [
        [first, ONE, OTHER],
        [second, OTHER, ONE],
      ] as const) {
        assert.equal(await thread.verify(await tokenFor(own)), 'SEC_E_OK', own);
        assert.notEqual(await thread.verify(await tokenFor(foreign)), 'SEC_E_OK', `${foreign} in the thread of ${own}`);
      }
    });

    it('a key that has left the keytab does not come back with a new thread', async () => {
      await using both = await startThread({ keytab: kdc.keytab, library });
      assert.equal(await both.verify(await tokenFor(OTHER)), 'SEC_E_OK');
      await both.terminate();
      await using later = await startThread(optionsFor(ONE));
      assert.notEqual(await later.verify(await tokenFor(OTHER)), 'SEC_E_OK');
      assert.equal(await later.verify(await tokenFor(ONE)), 'SEC_E_OK');
    });

    it('a second copy of the package takes no ticket under a key of the first', async () => {
      await using folder = await scratchFolder('copy');
      const root = fileURLToPath(new URL('../../..', import.meta.url));
      for (const part of ['src', 'test/live/kerberos/acceptor.ts']) {
        await cp(`${root}${part}`, folder.file(part), { recursive: true });
      }
      await symlink(`${root}node_modules`, folder.file('node_modules'));
      await writeFile(folder.file('package.json'), '{"type":"module"}');
      const copied = pathToFileURL(folder.file('test/live/kerberos/acceptor.ts')).href;
      const copy = (await import(copied)) as typeof AcceptorModule;
      using first = await acceptor(optionsFor(ONE));
      using second = await copy.acceptor(optionsFor(OTHER));
      for (const [server, own, foreign] of [
        [first, ONE, OTHER],
        [second, OTHER, ONE],
      ] as const) {
        assert.equal((await server.verify(await tokenFor(own))).status, 'SEC_E_OK', own);
        assert.notEqual((await server.verify(await tokenFor(foreign))).status, 'SEC_E_OK', foreign);
      }
    });

    it('the keys in memory go with the credential', () => {
      const gssapi = loadGssapi(library);
      const extensions = extensionsOf(gssapi);
      const settings = kerberosSettings(readKerberosOptions(optionsFor(ONE)), undefined, () => '');
      const frame = new Frame(gssapi);
      const copy = copyKeytab(gssapi, extensions, settings.keytab, settings.acceptsService);
      const handle = extensions.acquireAcceptor(frame, copy.name, settings);
      copy.close();
      const keys = (): number => {
        let count = 0;
        const opened = new OpenKeytab(gssapi, copy.name);
        try {
          opened.forEach(() => (count++, false));
        } finally {
          opened.close();
        }
        return count;
      };
      assert.ok(keys() > 0, 'held by the credential');
      releaseCredential(frame, handle);
      // MIT krb5 has an empty keytab of that name again, Heimdal too.
      assert.equal(keys(), 0);
    });
  });
