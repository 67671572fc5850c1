import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { adapters } from '../../adapters/servers.ts';
import type { Answer, RunningServer } from '../../adapters/servers.ts';
import { launchChromium } from '../../lab/chromium.ts';
import { runProcess } from '../../lab/process.ts';
import { canMakeNamespaces, startSambaAd } from '../../lab/samba-ad.ts';
import type { SambaDomain } from '../../lab/samba-ad.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';
import { mit, portable, useRealm } from './acceptor.ts';

const domainReady = await tier('samba-ad', [], canMakeNamespaces);
const chromiumReady = await tier('browsers');
const firefoxReady = await tier('samba-ad', ['firefox-esr'], canMakeNamespaces);

/** Each adapter with the library of Kerberos, and one without it. */
const sites = [
  ...['Express 5', 'Fastify 5', 'Koa 3', 'Hono 4'].map((adapter) => ({ adapter, kerberos: mit })),
  { adapter: 'Express 5', kerberos: portable },
].map((site) => ({ ...site, name: `${site.adapter}, ${site.kerberos.name}` }));

describe('browsers sign in by Kerberos with no prompt', domainReady, () => {
  let domain: SambaDomain;
  let alice: Readonly<Record<string, string>>;
  const servers = new Map<string, RunningServer>();
  const urlOf = (site: string): string => `http://localhost:${servers.get(site)?.port ?? 0}/`;
  const signedIn: string[] = [];
  before(async () => {
    domain = await startSambaAd();
    useRealm(domain);
    alice = await domain.signIn('alice', ['HTTP/localhost']);
    for (const { adapter, kerberos, name } of sites) {
      const server = await adapters[adapter]?.({
        ...kerberos.options,
        keytab: domain.keytab,
        authorize: (user) => {
          signedIn.push(`${user.name} ${user.package} ${user.groups.length > 1 ? 'with groups' : ''}`);
          return true;
        },
      });
      assert.ok(server !== undefined, name);
      servers.set(name, server);
    }
  });
  after(async () => {
    for (const server of servers.values()) await server[Symbol.asyncDispose]();
    await domain.stop();
  });

  for (const { name } of sites) {
    it(`Chromium, ${name}`, chromiumReady, async () => {
      await using browser = await launchChromium({ singleSignOnHosts: 'localhost', env: alice });
      const { status, body } = await browser.visit(urlOf(name));
      assert.equal(status, 200);
      const { user, package: ran, scheme } = JSON.parse(body) as Answer;
      assert.equal(user?.name, 'CORP\\alice');
      assert.equal(ran, 'Kerberos');
      assert.equal(scheme, 'Negotiate');
      assert.ok(
        user.groups.some((group) => group.name === 'CORP\\Domain Users'),
        body,
      );
    });

    it(`Firefox, ${name}`, firefoxReady, async () => {
      await using profile = await scratchFolder('firefox');
      await mkdir(profile.path, { recursive: true });
      const preferences = {
        'network.negotiate-auth.trusted-uris': 'localhost',
        'network.negotiate-auth.allow-non-fqdn': true,
        'datareporting.policy.dataSubmissionEnabled': false,
        'app.normandy.enabled': false,
      };
      const lines = Object.entries(preferences).map(
        ([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`,
      );
      await writeFile(profile.file('user.js'), `${lines.join('\n')}\n`);
      signedIn.length = 0;
      const args = [
        '--headless',
        '--no-remote',
        '--profile',
        profile.path,
        '--screenshot',
        profile.file('page.png'),
        urlOf(name),
      ];
      const { stderr } = await runProcess('firefox-esr', args, { env: { ...alice, HOME: profile.path } });
      assert.ok(signedIn.length > 0, stderr);
      assert.deepEqual([...new Set(signedIn)], ['CORP\\alice Kerberos with groups']);
    });
  }

  it('Chromium without a policy for this host stays outside', chromiumReady, async () => {
    await using browser = await launchChromium({ env: alice });
    for (const { name } of sites) assert.equal((await browser.visit(urlOf(name))).status, 401, name);
  });
});
