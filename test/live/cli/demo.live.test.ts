/** The demo as its user has it: a process of its own, with curl and Chromium as clients. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import { chromium } from 'playwright-core';
import { launchChromium } from '../../lab/chromium.ts';
import { curl } from '../../lab/curl.ts';
import { listen } from '../../lab/ports.ts';
import { runProcess, startProcess } from '../../lab/process.ts';
import { programWords } from '../../lab/program.ts';
import type { RunningProcess } from '../../lab/process.ts';
import { tier } from '../../lab/tier.ts';

const program = programWords(new URL('../../../src/cli/sspi-auth.ts', import.meta.url));

interface RunningDemo extends AsyncDisposable {
  readonly process: RunningProcess;
  readonly origin: string;
}

async function startDemo(...args: readonly string[]): Promise<RunningDemo> {
  const process = await startProcess('node', [...program, 'demo', ...args]);
  const [, origin = ''] = await process.waitForLine(/^ {2}(http:\/\/\S+)\/$/, 60_000);
  await process.waitForLine(/^Ctrl-C ends it/);
  return { process, origin, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}

/** A response in a terminal must not hold what a client proved itself with. */
function assertNothingSecret(text: string, password: string): void {
  assert.ok(!text.includes(password), 'the password is shown');
  assert.doesNotMatch(text, /\b[0-9a-f]{32,}\b/i, 'a response or a key is shown');
}

/** What a page measures of itself. */
interface Layout {
  /** Pixels by which it is wider than its window. */
  readonly overflow: number;
  readonly ground: string;
  readonly scripts: number;
  readonly headings: number;
  readonly landmarks: number;
  readonly current: string | null;
}
/** Runs in the browser, so it is text: this project has no types of the DOM. */
const layout = `({
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  ground: getComputedStyle(document.body).backgroundColor,
  scripts: document.scripts.length,
  headings: document.querySelectorAll('h1').length,
  landmarks: document.querySelectorAll('body > header, body > main, body > footer, nav').length,
  current: document.querySelector('[aria-current=page]')?.textContent ?? null,
})`;

describe('the command', () => {
  it('exits with 2 and a hint for a command line it does not know', async () => {
    const { code, stdout, stderr } = await runProcess('node', [...program, 'demo', '--frobnicate']);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.equal(stderr, "sspi-auth: Unknown option '--frobnicate'\nTry sspi-auth --help\n");
  });

  it('prints its version and its help', async () => {
    assert.match((await runProcess('node', [...program, '--version'])).stdout, /^\d+\.\d+\.\d+\S*\n$/);
    const { code, stdout } = await runProcess('node', [...program, '--help']);
    assert.equal(code, 0);
    assert.match(stdout, /sspi-auth demo .*--port/);
    assert.doesNotMatch(stdout, /.{81}/, 'fits 80 columns');
  });

  it('decodes standard input, and exits with 1 where it cannot', async () => {
    const token = 'TlRMTVNTUAABAAAAB4IIAAAAAAAgAAAAAAAAACAAAAA=';
    const { code, stdout } = await runProcess('node', [...program, 'decode'], { input: `${token}\n` });
    assert.equal(code, 0);
    assert.match(stdout, /^NTLM NEGOTIATE_MESSAGE, 32 bytes/);
    const bad = await runProcess('node', [...program, 'decode', token.slice(0, 20)]);
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /^sspi-auth: cannot decode this: \w+ at offset \d+: /);
  });

  it('says who has the port, and exits with 2', async () => {
    await using server = await listen(createServer());
    const { port } = server;
    const { code, stderr } = await runProcess('node', [...program, 'demo', '--port', String(port)]);
    assert.equal(code, 2);
    assert.match(stderr, new RegExp(`cannot listen on 127.0.0.1, port ${port}: another program has it`));
  });
});

describe('the demo and curl', await tier('curl'), () => {
  it('signs in and refuses by each scheme, says so, and ends on Ctrl-C', async () => {
    await using demo = await startDemo('--port', '0');
    const { origin, process } = demo;
    const [, password = ''] = await process.waitForLine(/^ {2}alice {2}(\S{12})$/);
    await process.waitForLine(/^ {2}bob {4}\S{12}$/);
    const expected = {
      '--ntlm': ['/ntlm', 'NTLM', /NTLM NEGOTIATE_MESSAGE[^]*NTLM CHALLENGE_MESSAGE[^]*NTLM AUTHENTICATE_MESSAGE/],
      '--digest': ['/digest', 'Digest', /Digest challenge[^]*Digest credentials[^]*not shown/],
    } as const;
    for (const [option, [path, scheme, legs]] of Object.entries(expected)) {
      const right = await curl([option, '-u', `alice:${password}`, origin + path]);
      assert.equal(right.status, 200);
      assert.match(right.headers.get('content-type')?.[0] ?? '', /^text\/plain/);
      assert.match(right.body, /^You are DEMO\\alice\n/);
      assert.match(right.body, legs);
      assertNothingSecret(right.body, password);
      await process.waitForLine(new RegExp(`signed in +DEMO\\\\alice +${scheme} `));

      const wrong = await curl([option, '-u', `alice:${password}x`, origin + path]);
      assert.equal(wrong.status, 401);
      assert.equal(wrong.body, '401 Unauthorized\n');
      await process.waitForLine(new RegExp(`refused .* ${scheme} .*SEC_E_LOGON_DENIED`));
    }
    const { body } = await curl(['--anyauth', '-u', `alice:${password}`, `${origin}/json`]);
    const data = JSON.parse(body) as { user: { name: string }; handshake: { legs: { from: string }[] } };
    assert.equal(data.user.name, 'DEMO\\alice');
    assert.equal(data.handshake.legs.at(-1)?.from, 'server');
    assertNothingSecret(body, password);

    assert.equal((await curl([`${origin}/`])).status, 401);
    assert.equal((await curl([`${origin}/signed-out`])).status, 200);
    assert.equal((await curl([`${origin}/nothing`])).status, 404);
    const printed = process.output.stdout.split('Ctrl-C ends it')[1] ?? '';
    assertNothingSecret(printed, password);

    globalThis.process.kill(process.pid, 'SIGINT');
    const { code, stdout, stderr } = await process.ended;
    assert.equal(code, 0);
    assert.match(stdout, /\nEnded\.\n$/);
    assert.equal(stderr, '');
  });

  it('shows one handshake for several requests on one connection', async () => {
    await using demo = await startDemo('--port', '0', '--password', 'a b');
    const url = `${demo.origin}/ntlm`;
    const { body, status } = await curl(['--ntlm', '-u', 'bob:a b', url, url, url]);
    assert.equal(status, 200);
    assert.equal(body.match(/You are DEMO\\bob/g)?.length, 3);
    assert.match(body, /Since then 2 requests on this connection needed no handshake\.\n$/);
    assert.equal(body.match(/NTLM AUTHENTICATE_MESSAGE/g)?.length, 3);
    // What is printed for the shell is a command that works.
    assert.match(demo.process.output.stdout, /curl --ntlm -u 'alice:a b' http/);
  });

  it('warns when other machines can reach it', async () => {
    await using demo = await startDemo('--port', '0', '--host', '0.0.0.0');
    assert.match(demo.process.output.stderr, /^Warning: 0\.0\.0\.0 can be reached from other machines/);
    assert.match(demo.origin, /^http:\/\/127\.0\.0\.1:/);
  });
});

describe('the demo and Chromium', await tier('browsers'), () => {
  it('shows every leg of NTLM and Digest, and refuses a wrong password', async () => {
    await using demo = await startDemo('--port', '0', '--password', 'correct horse');
    await using browser = await launchChromium();
    const credentials = { username: 'alice', password: 'correct horse' };
    const ntlm = await browser.visit(`${demo.origin}/ntlm`, { credentials });
    assert.equal(ntlm.status, 200);
    for (const part of ['NEGOTIATE_MESSAGE', 'CHALLENGE_MESSAGE', 'AUTHENTICATE_MESSAGE', '>MIC<', 'MsvAvTargetName']) {
      assert.ok(ntlm.body.includes(part), part);
    }
    const digest = await browser.visit(`${demo.origin}/digest`, { credentials });
    assert.equal(digest.status, 200);
    assert.match(digest.body, /Digest challenge[^]*Digest credentials/);
    for (const { body } of [ntlm, digest]) assertNothingSecret(body, credentials.password);
    for (const path of ['/', '/ntlm', '/digest']) {
      const { status } = await browser.visit(demo.origin + path, {
        credentials: { ...credentials, password: 'wrong' },
      });
      assert.equal(status, 401);
    }
  });

  it('lays its pages out light and dark, wide and at 360 px, without JavaScript', async () => {
    await using demo = await startDemo('--port', '0', '--password', 'pw');
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'],
    });
    try {
      const grounds = new Set<string>();
      for (const colorScheme of ['light', 'dark'] as const) {
        for (const width of [360, 1280]) {
          const context = await browser.newContext({
            colorScheme,
            viewport: { width, height: 800 },
            httpCredentials: { username: 'alice', password: 'pw' },
          });
          const page = await context.newPage();
          const complaints: string[] = [];
          page.on('console', (message) => {
            // A 401 that is answered is no complaint.
            if (!message.text().includes('401')) complaints.push(message.text());
          });
          for (const path of ['/', '/ntlm', '/digest', '/signed-out']) {
            assert.equal((await page.goto(demo.origin + path))?.status(), 200);
            const seen = await page.evaluate<Layout>(layout);
            assert.equal(seen.overflow, 0, `${path} at ${width} px is wider than its window`);
            assert.equal(seen.scripts, 0);
            assert.equal(seen.headings, 1);
            assert.equal(seen.landmarks, 4);
            assert.ok(seen.current);
            grounds.add(seen.ground);
          }
          assert.deepEqual(complaints, []);
          assert.ok((await page.screenshot()).byteLength > 5000);
          await context.close();
        }
      }
      assert.equal(grounds.size, 2, 'light and dark differ');
    } finally {
      await browser.close();
    }
  });
});
