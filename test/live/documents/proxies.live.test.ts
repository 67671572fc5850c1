/** The proxies that the documents configure: their own check takes the configuration, and curl signs in through them. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { sspiAuth } from '../../../adapters/node.ts';
import { memoryAccounts, recommendedServerOptions } from '../../../src/index.ts';
import { responsesUntilEnd, smuggling } from '../../adapters/smuggling.ts';
import { selfSigned } from '../../lab/certificates.ts';
import { replaced } from '../../lab/configured.ts';
import { curl } from '../../lab/curl.ts';
import { blocksOf } from '../../lab/document-blocks.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { documentProgram } from '../../lab/document-program.ts';
import { freePort, listen } from '../../lab/ports.ts';
import type { ListeningServer } from '../../lab/ports.ts';
import { runChecked, startProcess } from '../../lab/process.ts';
import type { RunningProcess } from '../../lab/process.ts';
import { RawConnection } from '../../lab/raw-connection.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';
import { useRealm } from '../kerberos/acceptor.ts';

const ready = await tier('documents');
const env = { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
const ntlm = (user: string): string[] => ['--ntlm', '-u', `${user}:${user}-secret`];
const negotiate = ['--negotiate', '-u', ':'];

/** Waits for a program that says nothing when it listens. */
async function listening(port: number, program: RunningProcess): Promise<void> {
  let over = false;
  program.ended.then(
    () => (over = true),
    () => (over = true),
  );
  for (;;) {
    const connected = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (connected) return;
    if (over) throw new Error(`ended: ${JSON.stringify(program.output)}`);
    await turn();
  }
}

describe('the proxies of the documents', ready, () => {
  let kdc: Kdc;
  let alice: Readonly<Record<string, string>>;
  let plain: ListeningServer;
  let tls: ListeningServer;
  let close: () => void;
  before(async () => {
    kdc = await startKdc();
    useRealm(kdc);
    alice = await kdc.signIn('alice');
    const names = ['alice', 'bob'];
    const accounts = memoryAccounts(names.map((userName) => ({ userName, password: `${userName}-secret` })));
    const protect = sspiAuth({ keytab: kdc.keytab, accounts, domain: 'LAB' });
    const listener = protect((request, response) => response.end(`${request.user?.name ?? ''};`));
    plain = await listen(createServer(recommendedServerOptions, listener));
    const { key, cert } = await selfSigned();
    tls = await listen(createTlsServer({ ...recommendedServerOptions, key, cert }, listener));
    close = () => protect.close();
  });
  after(async () => {
    await plain.close();
    await tls.close();
    close();
    await kdc.stop();
  });

  /** Runs nginx with a configuration of the documents; gives what curl opens. */
  async function nginx(code: string, use: (origin: string) => Promise<void>): Promise<void> {
    await using folder = await scratchFolder('nginx');
    const port = await freePort();
    const stream = code.startsWith('stream');
    const own = stream
      ? replaced(code, { 'listen 443': `listen 127.0.0.1:${port}`, '127.0.0.1:8443': tls.authority })
      : `http { access_log off; ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
          .map((name) => `${name}_temp_path ${folder.file(name)};`)
          .join(' ')}\n${replaced(code, {
          'server {': `server { listen 127.0.0.1:${port};`,
          '127.0.0.1:8080': plain.authority,
        })}}`;
    const general = `daemon off; master_process off; pid ${folder.file('pid')}; error_log stderr warn; events {}`;
    const modules = stream ? 'load_module /usr/lib/nginx/modules/ngx_stream_module.so;' : '';
    const configuration = folder.file('nginx.conf');
    await writeFile(configuration, `${modules}\n${general}\n${own}\n`);
    await runChecked('nginx', ['-t', '-q', '-p', folder.path, '-c', configuration], { env });
    await using running = await startProcess('nginx', ['-p', folder.path, '-c', configuration], { env });
    await listening(port, running);
    await use(`${stream ? 'https' : 'http'}://localhost:${port}/`);
  }

  /** Whoever comes without credentials gets nothing, whoever came before. */
  async function strangerIsRefused(origin: string): Promise<void> {
    for (let count = 0; count < 4; count++) assert.equal((await curl(['-k', origin])).status, 401);
  }

  for (const { code, place } of blocksOf('nginx')) {
    it(`nginx, ${place}: a user signs in, the stranger after him does not`, async () => {
      await nginx(code, async (origin) => {
        await strangerIsRefused(origin);
        const answer = await curl(['-k', ...negotiate, origin, origin], { env: alice });
        assert.equal(answer.body, 'alice@TEST.LOCAL;alice@TEST.LOCAL;', answer.stderr);
        await strangerIsRefused(origin);
        if (!code.startsWith('stream')) return;
        // TCP is passed through: NTLM lasts as long as the connection of its client.
        const { body, responses } = await curl(['-k', ...ntlm('bob'), origin, origin]);
        assert.equal(body, 'LAB\\bob;LAB\\bob;');
        assert.deepEqual(
          responses.map(({ status }) => status),
          [401, 200, 200],
        );
        await strangerIsRefused(origin);
      });
    });
  }

  it('nginx without the field of a proxy lets the stranger in as the user before him: the documents warn of it', async () => {
    const [{ code } = { code: '' }] = blocksOf('nginx').filter((block) => block.code.includes('X-Forwarded-For'));
    await nginx(code.replace(/^.*X-Forwarded-For.*\n/m, ''), async (origin) => {
      const user = await curl([...negotiate, origin], { env: alice });
      assert.equal(user.body, 'alice@TEST.LOCAL;');
      assert.equal((await curl([origin])).body, 'alice@TEST.LOCAL;');
    });
  });

  for (const [name, part, path] of [
    ['http-proxy-middleware', 'http-proxy-middleware', '/api'],
    ['a server with fetch', 'await fetch(', '/'],
  ] as const) {
    it(`A10: ${name}: with the field of a proxy the stranger is refused, without it he is the user before him`, async () => {
      const field = /, xfwd: true|'X-Forwarded-For': request\.socket\.remoteAddress \?\? 'unknown'/;
      const behind = async (named: boolean, check: (origin: string) => Promise<void>): Promise<void> => {
        const change = (code: string): string => {
          assert.match(code, field);
          const own = replaced(code, { '127.0.0.1:8080': plain.authority });
          return named ? own : own.replace(field, '');
        };
        await using proxy = await documentProgram('docs/proxies.md', part, { change });
        const origin = `http://localhost:${proxy.port}${path}`;
        await strangerIsRefused(origin);
        assert.equal((await curl([...negotiate, origin], { env: alice })).body, 'alice@TEST.LOCAL;');
        await check(origin);
      };
      await Promise.all([
        behind(true, async (origin) => {
          await strangerIsRefused(origin);
          // A10: nor does a stranger get anything by hiding a request behind another one.
          await Promise.all(
            Object.entries(smuggling).map(async ([what, bytes]) => {
              await using connection = await RawConnection.open(Number(new URL(origin).port));
              connection.socket.write(Buffer.from(bytes.replaceAll(' / ', ` ${path} `), 'latin1'));
              const texts = (await responsesUntilEnd(connection)).map(({ text }) => text);
              assert.ok(!texts.join('').includes('alice'), what);
            }),
          );
        }),
        behind(false, async (origin) => assert.equal((await curl([origin])).body, 'alice@TEST.LOCAL;')),
      ]);
    });
  }

  for (const { code, place } of blocksOf('haproxy')) {
    it(`HAProxy, ${place}: users sign in, each over connections of his own`, async () => {
      await using folder = await scratchFolder('haproxy');
      const port = await freePort();
      const configuration = folder.file('haproxy.cfg');
      const [, backend = ''] = /^backend (\S+)$/m.exec(code) ?? [];
      const general = 'global\n  tune.bufsize 98304\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 30s';
      const front = `frontend front\n  bind 127.0.0.1:${port}\n  default_backend ${backend}`;
      const own = replaced(code, { '127.0.0.1:8080': plain.authority });
      await writeFile(configuration, `${general}\n  timeout server 30s\n${front}\n${own}\n`);
      await runChecked('haproxy', ['-c', '-q', '-f', configuration], { env });
      await using running = await startProcess('haproxy', ['-db', '-f', configuration], { env });
      await listening(port, running);
      const origin = `http://localhost:${port}/`;
      for (const user of ['alice', 'bob']) {
        const { body, responses } = await curl([...ntlm(user), origin, origin]);
        assert.equal(body, `LAB\\${user};LAB\\${user};`);
        assert.deepEqual(
          responses.map(({ status }) => status),
          [401, 200, 200],
        );
        await strangerIsRefused(origin);
      }
      assert.equal((await curl([...negotiate, origin], { env: alice })).body, 'alice@TEST.LOCAL;');
      await strangerIsRefused(origin);
    });
  }
});
