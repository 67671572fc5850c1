/** Clients that are asked for a ticket and send none: the mistakes that leave a user with a prompt, by real clients. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { after, before, beforeEach, describe, it } from 'node:test';
import { sspiAuth } from '../../../adapters/node.ts';
import type { Protect } from '../../../adapters/node.ts';
import type { Logger } from '../../../src/index.ts';
import { launchChromium } from '../../lab/chromium.ts';
import { curl } from '../../lab/curl.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { startNginx } from '../../lab/nginx.ts';
import type { Nginx } from '../../lab/nginx.ts';
import { listen } from '../../lab/ports.ts';
import { runChecked } from '../../lab/process.ts';
import { tier } from '../../lab/tier.ts';
import { useRealm } from './acceptor.ts';

const ready = await tier('kdc', ['nginx-light', 'python3-requests-kerberos']);
const chromiumReady = await tier('browsers');

interface Line {
  readonly level: string;
  readonly record: Readonly<Record<string, unknown>>;
  readonly message: string;
}

describe('a client that sends no ticket', ready, () => {
  let kdc: Kdc;
  let protect: Protect;
  let server: Server;
  let nginx: Nginx;
  let port: number;
  let alice: Readonly<Record<string, string>>;
  const lines: Line[] = [];
  /** Milliseconds that have passed beside those of the machine. */
  let passed = 0;
  const negotiate = ['--negotiate', '-u', ':'];

  before(async () => {
    kdc = await startKdc();
    useRealm(kdc);
    alice = await kdc.signIn('alice');
    const write =
      (level: string) =>
      (record: object, message: string): void =>
        void lines.push({ level, record: { ...record }, message });
    const logger: Logger = { info: write('info'), warn: write('warn'), error: write('error'), debug: write('debug') };
    const clock = { now: () => Date.now(), elapsed: () => performance.now() + passed };
    protect = sspiAuth({ keytab: kdc.keytab, logger, clock });
    server = createServer(protect((request, response) => response.end(request.user?.name)));
    ({ port } = await listen(server));
    nginx = await startNginx(
      ['WWW-Authenticate', 'Authorization']
        .map((name, index) => {
          const takeAway = index === 0 ? `proxy_hide_header ${name};` : `proxy_set_header ${name} "";`;
          return `location /${name}/ { proxy_set_header Host localhost; proxy_set_header X-Forwarded-For $remote_addr; ${takeAway} proxy_pass http://127.0.0.1:${port}; }`;
        })
        .join('\n    '),
    );
  });
  beforeEach(() => {
    // What the log has told already is told again.
    passed += 2 * 60 * 60 * 1000;
    lines.splice(0);
  });
  after(async () => {
    await nginx[Symbol.asyncDispose]();
    protect.close();
    server.closeAllConnections();
    server.close();
    await kdc.stop();
  });

  const unanswered = (): Line[] =>
    lines.filter(({ record }) => 'causes' in record && record['userAgent'] !== 'tell-tale');

  /** Lets the time of a handshake pass. Another request shows that it has, without waiting for a timer. */
  async function afterwards(): Promise<Line[]> {
    passed += 31_000;
    await curl(['-A', 'tell-tale', `http://127.0.0.1:${port}/`]);
    return unanswered();
  }

  /** The info line, which there is once, and the debug line before it. */
  async function told(causes: readonly string[], host = 'localhost'): Promise<Line['record']> {
    const both = await afterwards();
    assert.deepEqual(
      both.map(({ level, message }) => [level, message]),
      [
        ['debug', 'sspi-auth: asked for credentials, and none came'],
        ['info', 'sspi-auth: asked for credentials, and none came'],
      ],
    );
    const record = both[1]?.record ?? {};
    assert.deepEqual([record['causes'], record['host'], record['offered']], [causes, host, ['Negotiate']]);
    return record;
  }

  it('curl without a ticket', async () => {
    const { status } = await curl([...negotiate, `http://localhost:${port}/`], { env: kdc.env });
    assert.equal(status, 401);
    const record = await told(['no-ticket', 'curl-without-option']);
    assert.match(String(record['diagnosis']), /^see by `klist` at the client that its user has a ticket/);
    assert.match(String(record['userAgent']), /^curl\//);
  });

  it('curl with a ticket, by the address of the site', async () => {
    const { status } = await curl([...negotiate, `http://127.0.0.1:${port}/`], { env: alice });
    assert.equal(status, 401);
    const { diagnosis } = await told(['host-is-address'], '127.0.0.1');
    assert.match(String(diagnosis), /^open the site by its name: there are no tickets for an address such as 127/);
  });

  it('curl with a ticket, by a name that is registered nowhere', async () => {
    const args = ['--resolve', `alias.test.local:${port}:127.0.0.1`, ...negotiate];
    const { status } = await curl([...args, `http://alias.test.local:${port}/`], { env: alice });
    assert.equal(status, 401);
    const causes = ['host-not-in-keytab', 'no-ticket', 'curl-without-option'];
    const { diagnosis } = await told(causes, 'alias.test.local');
    assert.match(
      String(diagnosis),
      /^open the site by a name of the keytab \(localhost, web\.test\.local\): HTTP\/alias\.test\.local may/,
    );
  });

  for (const name of ['WWW-Authenticate', 'Authorization']) {
    it(`a proxy that takes ${name} away`, async () => {
      const script = [
        'import requests, sys',
        'from requests_kerberos import HTTPKerberosAuth, OPTIONAL',
        'r = requests.get(sys.argv[1], auth=HTTPKerberosAuth(mutual_authentication=OPTIONAL))',
        'print(r.status_code)',
      ].join('\n');
      const url = `http://localhost:${nginx.port}/${name}/`;
      assert.match(await runChecked('/usr/bin/python3', ['-c', script, url], { env: alice }), /401/);
      const { diagnosis } = await told(['through-proxy', 'no-ticket']);
      assert.match(String(diagnosis), /^see that the proxy passes on WWW-Authenticate and Authorization/);
    });
  }

  it('Chromium that is not told to trust the site', chromiumReady, async () => {
    await using browser = await launchChromium({ env: alice });
    assert.equal((await browser.visit(`http://localhost:${port}/`)).status, 401);
    const { diagnosis } = await told(['chromium-not-told', 'no-ticket']);
    assert.match(String(diagnosis), /^put localhost into AuthServerAllowlist/);
  });

  it('a preflight of Chromium for another site, whose origin is told', chromiumReady, async () => {
    const script = `fetch('http://localhost:${port}/x', { method: 'PUT' }).catch(() => fetch('/refused'))`;
    const page = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end(`<script>${script}</script>`);
    });
    const refused = new Promise<void>((resolve) => {
      page.on('request', ({ url }) => {
        if (url === '/refused') resolve();
      });
    });
    await using site = await listen(page);
    await using browser = await launchChromium({ singleSignOnHosts: 'localhost', env: alice });
    await Promise.all([browser.visit(`${site.origin}/`), refused]);
    const [debug, ...more] = unanswered();
    assert.deepEqual([debug?.level, debug?.record['causes'], more], ['debug', ['preflight'], []]);
    const advice = lines.filter(({ record }) => record['advice'] === 'preflight');
    assert.deepEqual(
      advice.map(({ level, message }) => [level, message]),
      [
        [
          'warn',
          'sspi-auth: answer preflights before sspiAuth and give it skip: isPreflight: a CORS preflight from ' +
            `${site.origin} got 401, and browsers send no credentials with one`,
        ],
      ],
    );
  });

  it('who signs in when asked is no such client: Chromium, and requests-kerberos over two connections', async (t) => {
    const script = [
      'import requests, sys',
      'from requests_kerberos import HTTPKerberosAuth, REQUIRED',
      'auth = HTTPKerberosAuth(mutual_authentication=REQUIRED)',
      'r = requests.get(sys.argv[1], auth=auth, headers={"Connection": "close"})',
      'print(r.status_code)',
    ].join('\n');
    const url = `http://localhost:${port}/`;
    assert.match(await runChecked('/usr/bin/python3', ['-c', script, url], { env: alice }), /200/);
    if (chromiumReady.skip === false) {
      await using browser = await launchChromium({ singleSignOnHosts: 'localhost', env: alice });
      assert.equal((await browser.visit(url)).status, 200);
    } else {
      t.diagnostic('without Chromium');
    }
    assert.deepEqual(await afterwards(), []);
  });

  it('a scheme that is not offered is named, beside what is', async () => {
    const { status } = await curl(['--basic', '-u', 'alice:secret-7', `http://localhost:${port}/`]);
    assert.equal(status, 401);
    const refusal = lines.find(({ record: { reason } }) => reason === 'scheme-not-offered');
    assert.equal(refusal?.record['diagnosis'], 'have the client use what is offered (Negotiate): it used Basic');
    assert.ok(!JSON.stringify(lines).includes(Buffer.from('alice:secret-7').toString('base64')));
  });
});
