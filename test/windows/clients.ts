/** The clients of the kit: curl.exe of Windows, Edge, or one from outside that the script waits for. */
import type { ClientScheme, Credentials, Settings } from './settings.ts';
import type { Answer, GuardedServer } from './guarded-server.ts';
import { isWindows, run, systemProgram } from './programs.ts';

/** How often a client from outside was asked for. */
let asked = 0;

/**
 * Signs in once, over a connection of its own.
 *
 * @param credentials undefined: as the user that runs the client
 */
export async function signIn(
  settings: Settings,
  server: GuardedServer,
  scheme: ClientScheme,
  { url = server.url(), credentials = settings.credentials } = {},
): Promise<Answer> {
  if (settings.client === 'curl') return await curl(url, scheme, credentials);
  const answer = server.nextAnswer();
  const isWrong = credentials !== undefined && credentials.password !== settings.credentials?.password;
  const who = credentials === undefined ? '' : ` as ${credentials.user}`;
  console.log(`client ${++asked} ${scheme} ${url}${who}${isWrong ? ' with a wrong password' : ''}`);
  return await answer;
}

/**
 * One request of curl. The password goes over its standard input.
 *
 * @throws Error with what curl says, if it has no response
 */
export async function curl(url: string, scheme: ClientScheme, credentials: Credentials | undefined): Promise<Answer> {
  const words = [`--${scheme.toLowerCase()}`, '-sSk', '--max-time', '60', '-w', '\\n%{http_code}', '-K', '-', url];
  const { code, stdout, stderr } = await run(systemProgram('curl'), words, curlConfiguration(credentials));
  if (code !== 0) throw new Error(`curl ended with ${code}: ${stderr.trim()}`);
  const end = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) };
}

/** The line of a configuration file of curl for an account. A colon alone is the user that runs curl. */
export function curlConfiguration(credentials: Credentials | undefined): string {
  const text = credentials === undefined ? ':' : `${credentials.user}:${credentials.password}`;
  return `user = "${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"\n`;
}

/**
 * One page in Edge, in a profile of its own. Without credentials Edge signs in as its user, since `localhost` is on its
 * list of servers.
 *
 * @throws Error if Edge cannot be started
 */
export async function edge(url: string, credentials: Credentials | undefined): Promise<Answer> {
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({
    args: ['--auth-server-allowlist=localhost', '--no-first-run'],
    // Elsewhere Chromium, to try the scripts.
    ...(isWindows ? { channel: 'msedge' } : { executablePath: '/usr/bin/chromium', chromiumSandbox: false }),
  });
  try {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      ...(credentials === undefined
        ? {}
        : { httpCredentials: { username: credentials.user, password: credentials.password } }),
    });
    const page = await context.newPage();
    let answer: Answer = { status: 0, body: 'no response' };
    // A new profile answers its first challenge of Negotiate without a token.
    for (let load = 0; load < 2 && answer.status !== 200; load++) {
      let status = 0;
      page.on('response', (response) => {
        if (response.url() === url) status = response.status();
      });
      try {
        const response = await page.goto(url, { timeout: 30_000 });
        answer = { status: response?.status() ?? 0, body: (await response?.text()) ?? '' };
      } catch (error) {
        // Without credentials that help, a 401 ends the load.
        answer = { status, body: error instanceof Error ? error.message : '' };
      }
    }
    return answer;
  } finally {
    await browser.close();
  }
}
