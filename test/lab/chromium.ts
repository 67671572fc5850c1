/** Debian's Chromium, driven by playwright-core. */
import { writeFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, LaunchOptions, Response } from 'playwright-core';
import { fetchInPage, textOfPage } from './browser-tabs.ts';
import type { BrowserTab, TabbedBrowser } from './browser-tabs.ts';
import { scratchFolder } from './scratch.ts';
import type { ScratchFolder } from './scratch.ts';

/** Options of launchChromium. */
export interface ChromiumOptions {
  /** Command-line arguments beyond those that every test needs. */
  readonly args?: readonly string[];
  /** Added to the environment, such as KRB5_CONFIG and KRB5CCNAME. */
  readonly env?: Readonly<Record<string, string>>;
  /** Hosts that it answers with the user's Kerberos ticket, as `--auth-server-allowlist` takes them. */
  readonly singleSignOnHosts?: string;
}

/** One page load. */
export interface Visit {
  readonly status: number;
  /** As UTF-8; empty for a 401 that the browser had no credentials for. */
  readonly body: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Status and body of each of the paths of `alongside`, in their order. */
  readonly alongside: readonly { readonly status: number; readonly body: string }[];
}

/** How to load a page. */
export interface VisitOptions {
  /** Typed into the browser's sign-in prompt; `DOMAIN\user` is split by the browser. */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** For a server certificate that nobody trusts. */
  readonly ignoreCertificate?: boolean;
  /** Further paths or URLs fetched from the page after it has loaded; the last one's answer is given. */
  readonly then?: readonly string[];
  /** POSTed from the page after those of `then`, that many bytes; its answer is given. */
  readonly upload?: { readonly target: string; readonly bytes: number };
  /** Paths or URLs fetched from the page all at once, before those of `then`. */
  readonly alongside?: readonly string[];
}

/** A running browser. */
export interface Chromium extends AsyncDisposable {
  /** Such as `156.0.8072.0`. */
  readonly version: string;
  /** Loads a page in a context of its own: no cookies, cached credentials or connections of other visits. */
  visit(url: string, options?: VisitOptions): Promise<Visit>;
  close(): Promise<void>;
}

/** As root there is no sandbox; the rest keeps it from talking to anything but the test's own server. */
export const quietArguments: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

async function read(response: Response | null): Promise<Visit> {
  if (response === null) throw new Error('the browser gave no response');
  return {
    status: response.status(),
    body: await response.text(),
    headers: await response.allHeaders(),
    alongside: [],
  };
}

async function visitIn(context: BrowserContext, url: string, options: VisitOptions): Promise<Visit> {
  const page = await context.newPage();
  let last: Response | undefined;
  page.on('response', (response) => {
    last = response;
  });
  let visit: Visit;
  try {
    visit = await read(await page.goto(url, { timeout: 20_000 }));
  } catch (error) {
    // Without credentials to type, a 401 ends the load; its body is not shown then.
    if (last?.status() !== 401) throw error;
    visit = { status: 401, body: '', headers: await last.allHeaders(), alongside: [] };
  }
  const targets = options.alongside ?? [];
  // Not asked for nothing: a page whose load ended with a 401 is still on its way to the browser's own error page.
  const alongside =
    targets.length === 0
      ? []
      : await page.evaluate(
          async (urls) =>
            Promise.all(
              urls.map(async (target) => {
                const response = await fetch(target);
                return { status: response.status, body: await response.text() };
              }),
            ),
          [...targets],
        );
  for (const next of options.then ?? []) {
    const fetched = await page.evaluate(async (target) => {
      const response = await fetch(target);
      return {
        status: response.status,
        body: await response.text(),
        headers: Object.fromEntries(response.headers as unknown as Iterable<[string, string]>),
      };
    }, next);
    visit = { ...fetched, alongside };
  }
  if (options.upload !== undefined) {
    const uploaded = await page.evaluate(async ({ target, bytes }) => {
      const response = await fetch(target, { method: 'POST', body: new Uint8Array(bytes) });
      return { status: response.status, body: await response.text() };
    }, options.upload);
    visit = { ...visit, ...uploaded };
  }
  await page.close();
  return { ...visit, alongside };
}

function contextOptions(options: VisitOptions): Parameters<Browser['newContext']>[0] {
  return {
    ...(options.credentials === undefined ? undefined : { httpCredentials: { ...options.credentials } }),
    ignoreHTTPSErrors: options.ignoreCertificate ?? false,
  };
}

function launchOptions({ args = [], env, singleSignOnHosts }: ChromiumOptions): LaunchOptions {
  return {
    executablePath: '/usr/bin/chromium',
    headless: true,
    args: [
      ...quietArguments,
      ...(singleSignOnHosts === undefined ? [] : [`--auth-server-allowlist=${singleSignOnHosts}`]),
      ...args,
    ],
    env: Object.fromEntries(
      Object.entries({ ...process.env, ...env }).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
  };
}

/** A profile that has met Negotiate before. */
async function negotiatingProfile(): Promise<ScratchFolder> {
  const profile = await scratchFolder('chromium');
  await writeFile(profile.file('Local State'), '{"net":{"received_http_auth_negotiate_headers":true}}');
  return profile;
}

/**
 * Starts Chromium without a window, with tabs that stay open.
 *
 * @throws Error where it cannot be started
 */
export async function launchChromiumTabs(options: ChromiumOptions): Promise<TabbedBrowser> {
  const profile = await negotiatingProfile();
  const context = await chromium.launchPersistentContext(profile.path, {
    ...launchOptions(options),
    // Pages that were left stay in memory, as they do for people.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
  const open = async (): Promise<BrowserTab> => {
    const page = await context.newPage();
    const text = (): Promise<string> => page.evaluate(textOfPage);
    const loaded = async (begin: Promise<unknown>): Promise<string> => {
      await begin;
      return text();
    };
    return {
      text,
      go: (url) => loaded(page.goto(url)),
      click: (selector) => loaded(Promise.all([page.waitForEvent('load'), page.click(selector)])),
      // A page out of memory is not loaded again, so there is no event to wait for.
      back: async () => {
        await page.goBack({ waitUntil: 'commit' });
        await page.waitForFunction('document.readyState === "complete"');
        return text();
      },
      reload: () => loaded(page.reload()),
      fetch: (url, method) => page.evaluate(`(${fetchInPage})(${JSON.stringify(url)}, ${JSON.stringify(method)})`),
    };
  };
  const dispose = async (): Promise<void> => {
    await context.close();
    await profile.remove();
  };
  return { open, [Symbol.asyncDispose]: dispose };
}

/**
 * Starts Chromium without a window.
 *
 * A profile that never met Negotiate answers its first challenge without a token, so with `singleSignOnHosts` each visit
 * starts a browser on a profile that says otherwise.
 *
 * @throws Error where it cannot be started
 */
export async function launchChromium(options: ChromiumOptions = {}): Promise<Chromium> {
  const { singleSignOnHosts } = options;
  const launch = launchOptions(options);
  const browser = await chromium.launch(launch);

  const visit = async (url: string, visitOptions: VisitOptions = {}): Promise<Visit> => {
    if (singleSignOnHosts !== undefined) {
      await using profile = await negotiatingProfile();
      const context = await chromium.launchPersistentContext(profile.path, {
        ...launch,
        ...contextOptions(visitOptions),
      });
      try {
        return await visitIn(context, url, visitOptions);
      } finally {
        await context.close();
      }
    }
    const context = await browser.newContext(contextOptions(visitOptions));
    try {
      return await visitIn(context, url, visitOptions);
    } finally {
      await context.close();
    }
  };
  const close = (): Promise<void> => browser.close();
  return { version: browser.version(), visit, close, [Symbol.asyncDispose]: close };
}
