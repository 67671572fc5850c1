/** Debian's Firefox, driven by Marionette. */
import { writeFile } from 'node:fs/promises';
import { fetchInPage, textOfPage } from './browser-tabs.ts';
import type { BrowserTab, TabbedBrowser } from './browser-tabs.ts';
import { Marionette } from './marionette.ts';
import { startProcess } from './process.ts';
import { scratchFolder } from './scratch.ts';

/** Options of launchFirefox. */
export interface FirefoxOptions {
  /** Added to the environment, such as KRB5_CONFIG and KRB5CCNAME. */
  readonly env?: Readonly<Record<string, string>>;
  /** Hosts that it answers with the user's Kerberos ticket. */
  readonly singleSignOnHosts: string;
}

const quietPreferences = {
  'marionette.port': 0,
  'network.negotiate-auth.allow-non-fqdn': true,
  'datareporting.policy.dataSubmissionEnabled': false,
  'app.normandy.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  // Connections and requests that no page asked for would be counted with those of the page.
  'network.http.speculative-parallel-limit': 0,
  'browser.chrome.site_icons': false,
};

/**
 * Starts Firefox without a window, with tabs that stay open.
 *
 * @throws Error where it cannot be started
 */
export async function launchFirefox({ env = {}, singleSignOnHosts }: FirefoxOptions): Promise<TabbedBrowser> {
  const profile = await scratchFolder('firefox');
  const preferences = { ...quietPreferences, 'network.negotiate-auth.trusted-uris': singleSignOnHosts };
  const lines = Object.entries(preferences).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});\n`);
  await writeFile(profile.file('user.js'), lines.join(''));
  const words = ['--headless', '--no-remote', '--marionette', '--profile', profile.path, 'about:blank'];
  const firefox = await startProcess('firefox-esr', words, { env: { ...env, HOME: profile.path } });
  const dispose = async (): Promise<void> => {
    await firefox.stop();
    await profile.remove();
  };
  try {
    const [, port] = await firefox.waitForLine(/Marionette\s+INFO\s+Listening on port (\d+)/, 60_000);
    const marionette = await Marionette.open(Number(port));
    await marionette.run('WebDriver:NewSession', { capabilities: { alwaysMatch: { pageLoadStrategy: 'normal' } } });
    return {
      open: () => openTab(marionette),
      [Symbol.asyncDispose]: async () => {
        marionette[Symbol.dispose]();
        await dispose();
      },
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function openTab(marionette: Marionette): Promise<BrowserTab> {
  const { handle } = (await marionette.run('WebDriver:NewWindow', { type: 'tab' })) as { readonly handle: string };
  const run = async (name: string, parameters: object = {}): Promise<unknown> => {
    await marionette.run('WebDriver:SwitchToWindow', { handle });
    return marionette.run(name, parameters);
  };
  const evaluate = async (script: string, args: readonly unknown[] = []): Promise<unknown> =>
    ((await run('WebDriver:ExecuteAsyncScript', { script, args })) as { readonly value: unknown }).value;
  const text = async (): Promise<string> => String(await evaluate(`arguments[0](${textOfPage})`));
  const then = async (name: string, parameters: object = {}): Promise<string> => {
    await run(name, parameters);
    return text();
  };
  return {
    text,
    go: (url) => then('WebDriver:Navigate', { url }),
    click: async (selector) => {
      const found = (await run('WebDriver:FindElement', { using: 'css selector', value: selector })) as {
        readonly value: Readonly<Record<string, string>>;
      };
      return then('WebDriver:ElementClick', { id: Object.values(found.value)[0] });
    },
    back: () => then('WebDriver:Back'),
    reload: () => then('WebDriver:Refresh'),
    fetch: async (url, method) =>
      (await evaluate(
        `const [url, method, done] = arguments;
        (${fetchInPage})(url, method).then(done, (error) => done({ status: -1, body: String(error) }));`,
        [url, method],
      )) as { readonly status: number; readonly body: string },
  };
}
