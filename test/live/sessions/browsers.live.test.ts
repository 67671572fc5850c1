/**
 * Sessions in real browsers whose user has a ticket of Kerberos, so that they would sign in again by themselves at any
 * time: two processes behind nginx, sign-out, another user, a button beside a form, and pages of other origins.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { launchChromiumTabs } from '../../lab/chromium.ts';
import type { TabbedBrowser } from '../../lab/browser-tabs.ts';
import { launchFirefox } from '../../lab/firefox.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { full } from '../../lab/matrix.ts';
import { listen } from '../../lab/ports.ts';
import { startProgram } from '../../lab/program.ts';
import type { RunningProgram } from '../../lab/program.ts';
import { startNginx } from '../../lab/reverse-proxy.ts';
import type { ReverseProxy } from '../../lab/reverse-proxy.ts';
import { tier } from '../../lab/tier.ts';
import type { JournalEntry } from './browser-site.ts';

const chromiumReady = await tier('browsers');
const fleetReady = await tier('fleets');
const kdcReady = await tier('kdc', full() ? ['firefox-esr'] : []);
const ready = [chromiumReady, fleetReady, kdcReady].find(({ skip }) => skip !== false) ?? { skip: false };

const program = new URL('browser-site.ts', import.meta.url);

/** A process of the site: its ports with sessions, without, and with a button. */
interface Site {
  readonly running: RunningProgram;
  readonly sessions: number;
  readonly plain: number;
  readonly button: number;
}

async function startSite(kdc: Kdc, secret: string): Promise<Site> {
  const env = { SITE_KEYTAB: kdc.keytab, SITE_SECRET: secret, SITE_REPLAYS: kdc.file('replays') };
  const running = await startProgram(program, [], /^ports: ([\d ]+)$/, { env });
  const [, ports = ''] = running.said;
  const [sessions = 0, plain = 0, button = 0] = ports.split(' ').map(Number);
  return { running, sessions, plain, button };
}

/** What a port was asked since the last time. */
async function journal(port: number): Promise<readonly JournalEntry[]> {
  return (await (await fetch(`http://127.0.0.1:${port}/journal`)).json()) as JournalEntry[];
}

const signsIn = (entries: readonly JournalEntry[]): number => entries.filter(({ credentials }) => credentials).length;

let kdc: Kdc;
let sites: readonly [Site, Site];
let nginx: ReverseProxy;
before(async () => {
  if (ready.skip !== false) return;
  kdc = await startKdc();
  const secret = randomBytes(32).toString('base64');
  sites = await Promise.all([startSite(kdc, secret), startSite(kdc, secret)]);
  nginx = await startNginx({ ports: sites.map(({ sessions }) => sessions), shared: 0 });
});
after(async () => {
  if (ready.skip !== false) return;
  await nginx[Symbol.asyncDispose]();
  for (const site of sites) await site.running[Symbol.asyncDispose]();
  await kdc.stop();
});

for (const [name, launch] of [
  ['Chromium', launchChromiumTabs],
  ...(full() ? ([['Firefox', launchFirefox]] as const) : []),
] as const) {
  describe(`sessions in ${name}`, ready, () => {
    let browser: TabbedBrowser;
    /** The tickets that the browser finds: whose they are, is the user of its machine. */
    let tickets: Readonly<Record<string, string>>;
    before(async () => {
      tickets = await kdc.signIn('alice');
      for (const { sessions } of sites) await journal(sessions);
      browser = await launch({ env: tickets, singleSignOnHosts: 'localhost' });
    });
    after(() => browser[Symbol.asyncDispose]());

    const become = async (user: string): Promise<void> => {
      const { KRB5CCNAME = '' } = await kdc.signIn(user);
      await copyFile(KRB5CCNAME.replace(/^FILE:/, ''), (tickets['KRB5CCNAME'] ?? '').replace(/^FILE:/, ''));
    };

    it('H05: signs in once, for other connections, processes and tabs; signs out; signs in as somebody else', async () => {
      const [one, other] = sites;
      const direct = `http://localhost:${one.sessions}/`;
      const behind = `http://localhost:${nginx.port}/`;
      const tab = await browser.open();
      assert.match(await tab.go(direct), /^Hello alice /);
      assert.equal(signsIn(await journal(one.sessions)), 1);

      await fetch(`http://127.0.0.1:${one.sessions}/close`).catch(() => undefined);
      assert.match(await tab.reload(), /^Hello alice /);
      const pids = new Set<string>();
      for (let time = 0; time < 4; time++) {
        const [, pid] = /^Hello alice of process (\d+)\./.exec(await tab.go(behind)) ?? assert.fail('another page');
        pids.add(String(pid));
      }
      assert.deepEqual(pids, new Set(sites.map(({ running }) => String(running.process.pid))));
      const second = await browser.open();
      assert.match(await tab.go(`${behind}private`), /^Hello alice /);
      const remembered = await tab.go(`${behind}before`);
      assert.match(remembered, /^Hello alice /);
      assert.match(await second.go(behind), /^Hello alice /);
      const asked = [...(await journal(one.sessions)), ...(await journal(other.sessions))];
      assert.deepEqual([asked.length, asked.every(({ status }) => status === 200), signsIn(asked)], [8, true, 0]);

      // The ticket is still there, and would do; no browser answers this 401.
      assert.match(await tab.click('#out'), /^Refused with 401\. your own form Sign in/);
      assert.match(await second.reload(), /^Refused with 401\. your own form Sign in/);
      assert.equal(signsIn([...(await journal(one.sessions)), ...(await journal(other.sessions))]), 0);
      // Chromium has the page in memory and asks nobody; what is `no-store` is not there.
      const before = await tab.back();
      assert.match(before, name === 'Chromium' ? /^Hello alice / : /^Refused with 401\. /);
      if (name === 'Chromium') assert.equal(before, remembered);
      assert.match(await tab.back(), /^Refused with 401\. /);
      const afterwards = [...(await journal(one.sessions)), ...(await journal(other.sessions))];
      assert.deepEqual([afterwards.length, signsIn(afterwards)], [name === 'Chromium' ? 1 : 2, 0]);

      await become('bob');
      assert.match(await second.click('#in'), /^Hello bob /);
      assert.match(await tab.go(behind), /^Hello bob /);
      assert.equal(signsIn([...(await journal(one.sessions)), ...(await journal(other.sessions))]), 1);
      await become('alice');
      assert.match(await tab.reload(), /^Hello bob /);
    });

    it('one button beside a form: only that page signs in', async () => {
      const { button } = sites[0];
      const tab = await browser.open();
      assert.match(await tab.go(`http://localhost:${button}/`), /^Not signed in\. your own form Sign in/);
      assert.equal(signsIn(await journal(button)), 0);
      assert.match(await tab.click('#in'), /^Hello alice /);
      assert.match(await tab.reload(), /^Hello alice /);
      assert.equal(signsIn(await journal(button)), 1);
      assert.match(await tab.click('#out'), /^Not signed in\. /);
      assert.match(await tab.reload(), /^Not signed in\. /);
      assert.equal(signsIn(await journal(button)), 0);
      assert.match(await tab.click('#in'), /^Hello alice /);
      assert.equal(signsIn(await journal(button)), 1);
    });

    /** From pages of another port and of another host: a form is sent, and `fetch` asks, with all that the browser has. */
    async function attack(port: number): Promise<void> {
      const target = `http://localhost:${port}/change`;
      const page = `<form method="post" action="${target}"><button id="send">Send</button></form>`;
      await using foreign = await listen(
        createServer((_request, response) => response.setHeader('Content-Type', 'text/html').end(page)),
      );
      await journal(port);
      for (const host of ['localhost', '127.0.0.1']) {
        const tab = await browser.open();
        await tab.go(`http://${host}:${foreign.port}/`);
        assert.deepEqual(await tab.fetch(target, 'POST'), { status: 0, body: '' });
        assert.match(await tab.click('#send'), /^Refused with 403\. /, host);
      }
      const asked = await journal(port);
      assert.deepEqual(
        [asked.length, asked.every(({ status, method }) => status === 403 && method === 'POST')],
        [4, true],
      );
      // Nor did the browser sign in for them.
      assert.equal(signsIn(asked), 0);
    }

    it('H01: without a session: before the browser has signed in, and on the connection that has', async () => {
      const { plain } = sites[0];
      await attack(plain);
      const tab = await browser.open();
      assert.match(await tab.go(`http://localhost:${plain}/`), /^Hello alice /);
      assert.equal(signsIn(await journal(plain)), 1);
      await attack(plain);
      assert.deepEqual(await tab.fetch('/change', 'POST'), { status: 200, body: 'changed' });
    });

    it('H01: with a session: neither its cookie nor its connection counts', async () => {
      const { sessions } = sites[0];
      const tab = await browser.open();
      assert.match(await tab.go(`http://localhost:${sessions}/`), /^Hello bob /);
      await attack(sessions);
      assert.deepEqual(await tab.fetch('/change', 'POST'), { status: 200, body: 'changed' });
    });
  });
}
