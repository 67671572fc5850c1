/** Clients that nobody here wrote, against acceptSecurityContext behind a plain node:http server. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { after, before, beforeEach, describe, it } from 'node:test';
import { NonceIssuer } from '../../../src/packages/digest/nonce-issuer.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { listen } from '../../lab/ports.ts';
import { runProcess } from '../../lab/process.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';
import { DigestServer, REALM, asHeader, texts } from '../../packages/digest/digest-server.ts';

const ready = await tier('curl', ['wget', 'w3m']);

/** One request as the server saw it. */
interface Seen {
  readonly method: string;
  readonly target: string;
  /** Parameters of the credentials, as written; undefined where there were none. */
  readonly credentials: string | undefined;
  readonly status: string;
  readonly port: number | undefined;
}

describe('Digest with real clients', ready, () => {
  let digest: DigestServer;
  let server: Server;
  let origin: string;
  const seen: Seen[] = [];
  /** Runs before a request is verified. */
  let beforeVerifying: (request: IncomingMessage) => void = () => undefined;

  before(async () => {
    server = createServer((request, response) => {
      request.resume();
      beforeVerifying(request);
      const { method = '', url: target = '', headers } = request;
      const credentials = headers.authorization?.replace(/^Digest /i, '');
      let result = digest.verify(credentials ?? '', { method, target });
      seen.push({
        method,
        target,
        credentials,
        status: Sspi.statusName(result.status),
        port: request.socket.remotePort,
      });
      if (result.context !== undefined) Sspi.deleteSecurityContext(result.context);
      if (result.status === Sspi.SEC_E_OK) {
        // A chain of redirects makes one curl transfer, and so one nonce, of many requests.
        const step = /^\/step\/(\d+)$/.exec(target)?.[1];
        if (step === undefined || step === '0') return void response.end(`welcome to ${target}\n`);
        response.writeHead(302, { location: `/step/${Number(step) - 1}` }).end();
        return;
      }
      if (result.status !== Sspi.SEC_I_CONTINUE_NEEDED) {
        result = digest.verify('', { method, target });
        if (result.context !== undefined) Sspi.deleteSecurityContext(result.context);
      }
      const challenges = texts(result.output).map((text) => `Digest ${asHeader(text)}`);
      response.writeHead(401, { 'www-authenticate': challenges }).end('who are you?\n');
    });
    ({ origin } = await listen(server));
  });

  beforeEach(() => {
    digest = new DigestServer();
    seen.length = 0;
    beforeVerifying = () => undefined;
  });

  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const curl = async (...args: string[]): Promise<{ code: string; body: string }> => {
    const { stdout } = await runProcess('curl', ['-sS', '--noproxy', '*', '-w', '\n%{http_code}', '--digest', ...args]);
    const lines = stdout.split('\n');
    return { code: lines.pop() ?? '', body: lines.join('\n') };
  };
  const statuses = (): string[] => seen.map(({ status }) => status);
  const parameter = (index: number, name: string): string | undefined =>
    new RegExp(`(?:^|[ ,])${name}="?([^",]*)`).exec(seen[index]?.credentials ?? '')?.[1];

  it('curl signs in with SHA-256', async () => {
    const { code, body } = await curl('-u', 'alice:Circle of Life', `${origin}/dir/index.html?a=b&c=%2Fd`);
    assert.equal(code, '200');
    assert.equal(body, 'welcome to /dir/index.html?a=b&c=%2Fd\n');
    assert.deepEqual(statuses(), ['SEC_I_CONTINUE_NEEDED', 'SEC_E_OK']);
    assert.equal(parameter(1, 'algorithm'), 'SHA-256');
  });

  it('curl signs in with MD5 where that is offered alone', async () => {
    digest = new DigestServer({ algorithms: ['MD5'] });
    assert.equal((await curl('-u', 'alice:Circle of Life', `${origin}/`)).code, '200');
    assert.equal(parameter(1, 'algorithm'), 'MD5');
  });

  it('curl with a wrong password, or as nobody, is refused', async () => {
    for (const user of ['alice:wrong', 'alice:', 'nobody:Circle of Life', 'mallory:Circle of Life']) {
      seen.length = 0;
      assert.equal((await curl('-u', user, `${origin}/`)).code, '401', user);
      assert.deepEqual(statuses(), ['SEC_I_CONTINUE_NEEDED', 'SEC_E_LOGON_DENIED'], user);
    }
  });

  it(String.raw`curl signs in as DOMAIN\user, with UTF-8, and with quotes in realm and name`, async () => {
    assert.equal((await curl('-u', 'OTHER\\bob:Builder', `${origin}/`)).code, '200');
    assert.equal((await curl('-u', 'Jäsøn Doe:Secret, or not?', `${origin}/`)).code, '200');
    digest = new DigestServer({ realm: String.raw`Zürich "\1", a=b` });
    assert.equal((await curl('-u', 'alice:Circle of Life', `${origin}/`)).code, '200');
  });

  it('E08: curl signs in for other methods, with a body', async () => {
    for (const method of ['PUT', 'DELETE', 'PROPFIND']) {
      assert.equal((await curl('-X', method, '-d', 'body', '-u', 'alice:Circle of Life', `${origin}/`)).code, '200');
    }
  });

  it('E01: counts grow over many requests on one connection with one nonce', async () => {
    const args = ['-L', '--max-redirs', '100', '-u', 'alice:Circle of Life'];
    assert.equal((await curl(...args, `${origin}/step/80`)).code, '200');
    const verified = seen.filter(({ credentials }) => credentials !== undefined);
    assert.equal(verified.length, 81);
    assert.ok(verified.every(({ status }) => status === 'SEC_E_OK'));
    assert.equal(new Set(seen.map(({ port }) => port)).size, 1);
    assert.equal(new Set(seen.flatMap((_, index) => parameter(index, 'nonce') ?? [])).size, 1);
    assert.equal(parameter(seen.length - 1, 'nc'), '00000051');
  });

  it('E03: curl takes a stale nonce for what it is and signs in with the next', async () => {
    beforeVerifying = () => {
      // The nonce of the first challenge has become too old when its answer comes.
      if (seen.length === 1) digest.clock.advance(300_000);
    };
    assert.equal((await curl('-u', 'alice:Circle of Life', `${origin}/`)).code, '200');
    assert.deepEqual(statuses(), ['SEC_I_CONTINUE_NEEDED', 'SEC_I_CONTINUE_NEEDED', 'SEC_E_OK']);
    assert.notEqual(parameter(1, 'nonce'), parameter(2, 'nonce'));
  });

  it('E03: a server that started anew is no reason for curl to give up', async () => {
    const secret = new Uint8Array(32).fill(3);
    digest = new DigestServer({ secret, random: Sspi.systemRandom });
    beforeVerifying = () => {
      if (seen.length === 1) digest = new DigestServer({ secret, random: Sspi.systemRandom });
    };
    assert.equal((await curl('-u', 'alice:Circle of Life', `${origin}/`)).code, '200');
    assert.deepEqual(statuses(), ['SEC_I_CONTINUE_NEEDED', 'SEC_I_CONTINUE_NEEDED', 'SEC_E_OK']);
  });

  it('E01: what curl sent is worth nothing to who recorded it', async () => {
    await curl('-u', 'alice:Circle of Life', `${origin}/`);
    const recorded = seen[1]?.credentials ?? assert.fail('no credentials');
    const replay = async (...args: string[]): Promise<string> => {
      const { stdout } = await runProcess('curl', [
        ...[
          '-sS',
          '--noproxy',
          '*',
          '-o',
          '/dev/null',
          '-w',
          '%{http_code}',
          '-H',
          `Authorization: Digest ${recorded}`,
        ],
        ...args,
      ]);
      return stdout;
    };
    assert.equal(await replay(`${origin}/`), '401');
    assert.equal(await replay(`${origin}/other`), '401');
    assert.equal(await replay('-X', 'DELETE', `${origin}/`), '401');
    assert.equal(seen.filter(({ status }) => status === 'SEC_E_OK').length, 1);
  });

  it('E03: nonces look alike to who has no key', async () => {
    await curl('-u', 'alice:Circle of Life', `${origin}/`);
    const nonce = parameter(1, 'nonce') ?? '';
    const stranger = new NonceIssuer(new Uint8Array(32), digest.clock, Sspi.systemRandom);
    assert.equal(stranger.examine(nonce, REALM), undefined);
  });

  it('wget signs in with MD5, and not with a wrong password', async () => {
    const wget = async (password: string): Promise<number | null> => {
      const args = [
        '-q',
        '--no-proxy',
        '-O-',
        '--tries=1',
        '--user=alice',
        `--password=${password}`,
        `${origin}/w?x=1`,
      ];
      return (await runProcess('wget', args)).code;
    };
    assert.equal(await wget('Circle of Life'), 0);
    assert.deepEqual(statuses(), ['SEC_I_CONTINUE_NEEDED', 'SEC_E_OK']);
    assert.match(parameter(1, 'algorithm') ?? '', /^MD5$/);
    assert.notEqual(await wget('wrong'), 0);
    assert.equal(statuses().at(-1), 'SEC_E_LOGON_DENIED');
  });

  it('E09: w3m signs in where MD5 is offered alone, writing DOMAIN\\user with one backslash', async () => {
    digest = new DigestServer({ algorithms: ['MD5'] });
    await using home = await scratchFolder('w3m');
    await mkdir(home.file('.w3m'));
    const { hostname, port } = new URL(origin);
    const w3m = async (password: string): Promise<string> => {
      const account = `host ${hostname}\nport ${port}\nrealm ${REALM}\nlogin OTHER\\bob\npassword ${password}\n\n`;
      // w3m believes the file only where nobody else may read it.
      await writeFile(home.file('.w3m', 'passwd'), account, { mode: 0o600 });
      const args = ['-no-proxy', '-dump', `${origin}/w3m`];
      return (await runProcess('w3m', args, { env: { HOME: home.path } })).stdout;
    };
    assert.match(await w3m('Builder'), /welcome/);
    assert.deepEqual(statuses(), ['SEC_I_CONTINUE_NEEDED', 'SEC_E_OK']);
    assert.match(seen[1]?.credentials ?? '', /username="OTHER\\bob"/);
    assert.doesNotMatch(await w3m('wrong'), /welcome/);
    assert.ok(!statuses().slice(2).includes('SEC_E_OK'));
    assert.ok(statuses().slice(2).includes('SEC_E_LOGON_DENIED'));
  });
});
