/** Encrypted messages of Debian's pywinrm. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { root } from '../../lab/documents.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { runProcess, startProcess } from '../../lab/process.ts';
import { programWords } from '../../lab/program.ts';
import type { RunningProcess } from '../../lab/process.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';
import { memoryAccounts } from '../../../src/index.ts';
import { echoOf, servers } from '../../winrm/servers.ts';
import type { ServerOptions } from '../../winrm/servers.ts';

const program = fileURLToPath(new URL('../../lab/winrm-client.py', import.meta.url));
const legacyOpenssl = fileURLToPath(new URL('../../lab/clients/programs/openssl-legacy.cnf', import.meta.url));

/** What the client was answered, message by message. */
async function pywinrm(
  [method, url, user, password]: readonly [string, string, string, string],
  messages: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<unknown[]> {
  // The legacy provider of OpenSSL has MD4, which NTLM needs.
  const environment = { OPENSSL_CONF: legacyOpenssl, NO_PROXY: '*', ...env };
  const words = [program, method, url, user, password, ...messages];
  const { stdout, stderr } = await runProcess('/usr/bin/python3', words, { env: environment });
  const lines = stdout.split('\n').filter((line) => line !== '');
  assert.ok(lines.length > 0, stderr);
  return lines.map((line) => JSON.parse(line) as unknown);
}

const ready = await tier('winrm');

describe('pywinrm, message_encryption="always"', ready, () => {
  let kdc: Kdc;
  before(async () => {
    kdc = await startKdc();
  });
  after(async () => {
    await kdc.stop();
  });

  for (const [name, start] of Object.entries(servers)) {
    it(`with NTLM: ${name}`, async () => {
      const accounts = memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]);
      for (const schemes of [['NTLM'], ['Negotiate']] as const) {
        await using server = await start({ accounts, schemes, provider: 'portable' });
        const url = `http://localhost:${server.port}/wsman`;
        const answers = await pywinrm(['ntlm', url, 'alice', 'Wonderland-7'], ['<one/>', 'ab*100000', '<three/>']);
        assert.deepEqual(answers, [echoOf('<one/>'), echoOf('ab'.repeat(100_000)), echoOf('<three/>')]);
        assert.equal(server.handled.length, 4, 'with the empty message that signs in');
        assert.deepEqual(await pywinrm(['ntlm', url, 'alice', 'wrong'], ['<x/>']), [
          { error: 'InvalidCredentialsError' },
        ]);
        assert.equal(server.handled.length, 4);
      }
    });

    for (const provider of ['gssapi', 'portable'] as const) {
      it(`with Kerberos of provider ${provider}: ${name}`, async () => {
        await using folder = await scratchFolder('winrm-replay');
        const replayCache = provider === 'portable' ? { replayCache: folder.file('replay') } : {};
        const options: ServerOptions = { keytab: kdc.keytab, schemes: ['Negotiate'], provider, ...replayCache };
        await using server = await start(options);
        const url = `http://localhost:${server.port}/wsman`;
        const messages = ['<one/>', 'ab*100000', '<three/>'];
        const answers = await pywinrm(['kerberos', url, '', ''], messages, await kdc.signIn('alice'));
        assert.deepEqual(answers, [echoOf('<one/>'), echoOf('ab'.repeat(100_000)), echoOf('<three/>')]);
        assert.deepEqual(server.handled[1]?.user, `alice@${kdc.realm}`);
        assert.equal(server.handled[1]?.sspi?.package, 'Kerberos');
        assert.equal(server.handled[1].sspi.provider, provider);
      });
    }
  }
});

describe('examples/winrm.ts', ready, () => {
  it('answers pywinrm, encrypted', async () => {
    await using example: RunningProcess = await startProcess(
      process.execPath,
      programWords(join(root, 'examples/winrm.ts')),
      { cwd: root, env: { PORT: '0' } },
    );
    const [, port = ''] = await example.waitForLine(/port: (\d+)/, 60_000);
    const url = `http://localhost:${port}/wsman`;
    const [answer] = await pywinrm(['ntlm', url, 'alice', 'Wonderland-7'], ['<hello/>']);
    assert.match(String(answer), /<user>[^<]+\\alice<\/user>.*<s:Body><hello\/><\/s:Body>/);
  });
});
