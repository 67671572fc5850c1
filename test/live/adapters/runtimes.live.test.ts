/**
 * The scenarios of every adapter with Bun and Deno as the server: curl and raw connections here, the server there.
 * test/package/runtimes.test.ts has the core with the packed tarball, for `npm test`.
 */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { allScenarios } from '../../adapters/all-scenarios.ts';
import type { RunningServer } from '../../adapters/servers.ts';
import { curl } from '../../lab/curl.ts';
import { root } from '../../lab/documents.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { full } from '../../lab/matrix.ts';
import { startProcess } from '../../lab/process.ts';
import type { RunningProcess } from '../../lab/process.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('curl');
const withKdc = await tier('kdc');

const runtimes: Readonly<Record<string, readonly string[]>> = {
  Bun: ['bun'],
  Deno: ['deno', 'run', '-A', '--node-modules-dir=manual'],
};
const frameworks = ['node:http', 'Express 5', 'Fastify 5', 'Koa 3', 'Hono 4'];

/** Scenarios that look into the process of the server. */
const inProcess: readonly RegExp[] = [
  /^closing the authenticator/,
  /^close with drain/,
  /^A15: a body over the limit/,
  /^H05: a connection that signed in is signed out/,
  /^H01: the line in the log/,
];

/** What a runtime does not do; docs/runtimes.md says it. */
const differs: Readonly<Record<string, readonly RegExp[]>> = {
  // It answers 100 to the first request of a server before anybody can hear of the server.
  Bun: [/^A16: .* the first request of a server too/],
  // It ends a connection whose request is answered before its body has come, and one with a field that is too large.
  Deno: [/^A16: .* on a connection that is signed in/, /^A05:/],
};

let kdc: Kdc;
let alice: Readonly<Record<string, string>>;
before(async () => {
  if (!full() || withKdc.skip !== false) return;
  kdc = await startKdc();
  alice = await kdc.signIn('alice');
});
after(async () => {
  if (full() && withKdc.skip === false) await kdc.stop();
});

for (const [runtime, [program = '', ...words]] of full() ? Object.entries(runtimes) : []) {
  for (const framework of frameworks) {
    describe(`${framework} on ${runtime}`, ready, () => {
      let folder: ScratchFolder;
      let app: RunningProcess;
      before(async () => {
        folder = await scratchFolder('runtime');
        await writeFile(folder.file('counts'), '');
        const script = join(root, 'test/adapters/scenario-process.ts');
        const binary = join(root, 'node_modules/.bin', program);
        app = await startProcess(binary, [...words, script, framework, folder.file('counts')], { cwd: root });
      });
      after(async () => {
        await app.stop();
        await folder.remove();
      });

      /** Has the other process start a server. */
      async function started(line: string): Promise<number> {
        app.write(`${line}\n`);
        const [, port = ''] = await app.waitForLine(new RegExp(`^scenario ${line} port: (\\d+)$`));
        return Number(port);
      }

      it('Kerberos, by the own provider of this library', withKdc, async () => {
        const url = `http://localhost:${await started(kdc.keytab)}/`;
        const negotiate = ['--negotiate', '-u', ':'];
        const { responses, body, exitCode } = await curl([...negotiate, url, url], { env: alice });
        assert.equal(exitCode, 0, 'the server has proved itself, too');
        assert.deepEqual(
          responses.map(({ status }) => status),
          [200, 200],
        );
        assert.equal(body.match(/"name":"alice@TEST.LOCAL","user":/g)?.length, 2);
        assert.equal((await curl([url])).status, 401);
        assert.equal((await curl([...negotiate, url], { env: kdc.env })).status, 401, 'without a ticket');
        const token = ['-H', `Authorization: Negotiate ${Buffer.alloc(300, 96).toString('base64')}`];
        assert.equal((await curl([...token, url])).status, 401);
      });

      for (const [index, { name, run }] of allScenarios.entries()) {
        if ([...inProcess, ...(differs[runtime] ?? [])].some((pattern) => pattern.test(name))) continue;
        it(name, async () => {
          const port = await started(String(index));
          const counted = (): number => statSync(folder.file('counts')).size;
          const earlier = counted();
          const server = { port, handled: () => counted() - earlier };
          // The rest of it is in the other process; scenarios that need it are left out above.
          await run(server as RunningServer, `http://127.0.0.1:${port}`);
        });
      }
    });
  }
}
