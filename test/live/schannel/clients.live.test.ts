/** The Schannel package with the TLS clients of openssl, curl and GnuTLS. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as Sspi from '../../../src/sspi/index.ts';
import { runProcess, startProcess } from '../../lab/process.ts';
import { programWords } from '../../lab/program.ts';
import type { ProcessResult } from '../../lab/process.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';
import { certificates } from '../../vectors/certificates.ts';
import { tlsServer } from './tls-server.ts';
import type { RecordedTlsServer, TlsVisit } from './tls-server.ts';

const names = ['ca', 'otherCa', 'server', 'alice', 'stranger', 'expired'] as const;

describe('Schannel with real clients', await tier('tls'), () => {
  let folder: ScratchFolder;
  let plain: RecordedTlsServer;
  let mutual: RecordedTlsServer;
  const file = (name: (typeof names)[number], kind: 'crt' | 'key'): string => folder.file(`${name}.${kind}`);
  const last = async ({ visits }: RecordedTlsServer): Promise<TlsVisit> => {
    const visit = visits.at(-1)!;
    await visit.ended;
    return visit;
  };

  before(async () => {
    folder = await scratchFolder('tls');
    for (const name of names) {
      await writeFile(file(name, 'crt'), certificates[name].cert);
      await writeFile(file(name, 'key'), certificates[name].key);
    }
    const authData = { ...certificates.server, ca: certificates.ca.cert, alpn: ['http/1.1', 'h2'] };
    plain = await tlsServer(authData);
    mutual = await tlsServer(authData, Sspi.ASC_REQ_MUTUAL_AUTH);
  });
  after(async () => {
    for (const each of [plain, mutual, folder]) await each[Symbol.asyncDispose]();
  });

  const curl = (server: RecordedTlsServer, ...words: readonly string[]): Promise<ProcessResult> =>
    runProcess('curl', ['-sS', '--noproxy', '*', '-m', '20', ...words, `https://localhost:${server.port}/`]);
  const trust = (): readonly string[] => ['--cacert', file('ca', 'crt')];
  const credential = (name: 'alice' | 'stranger' | 'expired'): readonly string[] => [
    ...['--cert', file(name, 'crt')],
    ...['--key', file(name, 'key')],
  ];

  for (const version of ['1.2', '1.3']) {
    const only = [`--tlsv${version}`, '--tls-max', version];

    it(`curl over TLS ${version}: a request, a response, and the end`, async () => {
      const { stdout, stderr } = await curl(plain, ...trust(), ...only);
      assert.equal(stdout, 'hello\n', stderr);
      assert.deepEqual((await last(plain)).statuses.slice(-2), ['SEC_E_OK', 'SEC_E_OK']);
    });

    it(`curl over TLS ${version} with a certificate, without, and with one of nobody’s`, async () => {
      const right = await curl(mutual, ...trust(), ...only, ...credential('alice'));
      assert.equal(right.stdout, 'hello\n', right.stderr);
      for (const words of [[], credential('stranger'), credential('expired')]) {
        const { code, stdout } = await curl(mutual, ...trust(), ...only, ...words);
        assert.notEqual(code, 0);
        assert.equal(stdout, '');
        assert.equal((await last(mutual)).statuses.at(-1), 'SEC_E_LOGON_DENIED');
      }
    });

    it(`curl over TLS ${version} that does not trust the server`, async () => {
      const { code, stderr } = await curl(plain, '--cacert', file('otherCa', 'crt'), ...only);
      assert.equal(code, 60, stderr);
      assert.equal((await last(plain)).statuses.at(-1), 'SEC_E_UNTRUSTED_ROOT');
    });
  }

  it('curl with versions of TLS that are over', async () => {
    // OpenSSL refuses TLS 1.1 itself at the security level of Debian.
    const { code } = await curl(plain, ...trust(), '--tlsv1.1', '--tls-max', '1.1', '--ciphers', 'DEFAULT@SECLEVEL=0');
    assert.equal(code, 35);
    const { statuses } = await last(plain);
    assert.equal(statuses.at(-1), 'SEC_E_UNSUPPORTED_FUNCTION');
  });

  const openssl = (server: RecordedTlsServer, ...words: readonly string[]): readonly string[] => [
    ...['s_client', '-connect', `localhost:${server.port}`, '-CAfile', file('ca', 'crt'), '-verify_return_error'],
    ...words,
  ];

  for (const version of ['-tls1_2', '-tls1_3']) {
    it(`openssl s_client ${version}: lines both ways, ALPN`, async () => {
      await using client = await startProcess('openssl', openssl(plain, version, '-alpn', 'h2', '-crlf'));
      await client.waitForLine(/Verify return code: 0|Verification: OK/);
      client.write('hello\n');
      await client.waitForLine(/^echo hello/);
      client.write('Q\n');
      await client.ended;
      assert.match(client.output.stdout, /ALPN protocol: h2/);
      const visit = await last(plain);
      assert.equal(visit.text, 'hello\r\n');
      assert.equal(visit.statuses.at(-1), 'SEC_I_CONTEXT_EXPIRED');
    });
  }

  it('F06: openssl s_client R: a second handshake is refused (SEC_I_RENEGOTIATE), by an alert of the server', async () => {
    await using client = await startProcess('openssl', openssl(plain, '-tls1_2'));
    await client.waitForLine(/Verify return code: 0|Verification: OK/);
    client.write('hello\n');
    await client.waitForLine(/^echo hello/);
    client.write('R\n');
    const { stdout, stderr } = await client.ended;
    assert.match(`${stdout}${stderr}`, /no renegotiation/i);
    assert.ok((await last(plain)).statuses.includes('SEC_I_RENEGOTIATE'));
  });

  it('openssl s_client K: new keys, and messages go on', async () => {
    await using client = await startProcess('openssl', openssl(plain, '-tls1_3'));
    await client.waitForLine(/Verify return code: 0|Verification: OK/);
    client.write('K\n');
    await client.waitForLine(/KEYUPDATE/);
    client.write('after the update\n');
    await client.waitForLine(/^echo after the update/);
    client.write('Q\n');
    await client.ended;
    const visit = await last(plain);
    assert.equal(visit.text, 'after the update\n');
    assert.equal(visit.statuses.at(-1), 'SEC_I_CONTEXT_EXPIRED');
  });

  it('examples/tls-stream.ts serves curl', async () => {
    await using example = await startProcess(
      process.execPath,
      programWords(new URL('../../../examples/tls-stream.ts', import.meta.url)),
      {
        cwd: fileURLToPath(new URL('../../..', import.meta.url)),
        env: { PORT: '0', CERT: file('server', 'crt'), KEY: file('server', 'key') },
      },
    );
    const [, port = ''] = await example.waitForLine(/^port: (\d+)$/);
    for (const version of ['1.2', '1.3']) {
      const words = ['-sS', '--noproxy', '*', '-m', '20', ...trust(), '--tlsv1.2', '--tls-max', version];
      const { stdout, stderr } = await runProcess('curl', [...words, `https://localhost:${port}/`]);
      assert.match(stdout, /^Hello over TLS_\w+\n$/, stderr);
    }
    const wrong = await runProcess('curl', ['-sS', '--noproxy', '*', '-m', '20', `http://localhost:${port}/`]);
    assert.notEqual(wrong.code, 0);
    await example.waitForLine(/^SEC_E_INVALID_TOKEN not TLS/);
  });

  for (const [name, at, words] of [
    ['without a certificate', () => plain, () => []],
    ['with one', () => mutual, () => ['--x509certfile', file('alice', 'crt'), '--x509keyfile', file('alice', 'key')]],
  ] as const) {
    for (const version of ['1.2', '1.3']) {
      it(`gnutls-cli over TLS ${version} ${name}`, async () => {
        const server = at();
        const priority = `NORMAL:-VERS-ALL:+VERS-TLS${version}`;
        await using client = await startProcess('gnutls-cli', [
          ...['--x509cafile', file('ca', 'crt'), '--priority', priority, '--port', String(server.port)],
          ...[...words(), 'localhost'],
        ]);
        await client.waitForLine(/Simple Client Mode/);
        client.write('hello\n');
        await client.waitForLine(/^echo hello/);
        await client.stop();
        assert.equal((await last(server)).text, 'hello\n');
      });
    }
  }
});
