/**
 * A handler acts as its client: it reads a file that only the client may read, and not the one that only the server may
 * read; before and after it is the other way round. The account of --user must not be that of this process.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuthenticatedRequest } from 'sspi-auth/node';
import { signIn } from './clients.ts';
import { GuardedServer } from './guarded-server.ts';
import { isWindows, processAccount, run, systemProgram } from './programs.ts';
import { Report } from './report.ts';
import { readSettings } from './settings.ts';

const settings = readSettings();
const { credentials } = settings;
if (credentials === undefined) throw new TypeError('this script needs --user');
const report = await Report.begin('impersonation');
const privileges = isWindows ? (await run(systemProgram('whoami'), ['/priv'])).stdout : '';
const hasRight = privileges.includes('SeImpersonatePrivilege');
report.value('SeImpersonatePrivilege', hasRight ? 'held' : 'not held');

const folder = await mkdtemp(join(tmpdir(), 'sspi-auth-kit-'));
const files = { client: join(folder, 'client.txt'), server: join(folder, 'server.txt') };

/** Gives a file to one account. */
async function grant(file: string, account: string): Promise<void> {
  await writeFile(file, 'text');
  const { code, stdout, stderr } = await run(systemProgram('icacls'), [
    ...[file, '/inheritance:r', '/grant:r', `${account}:(R)`],
  ]);
  if (code !== 0) throw new Error(`icacls: ${stdout}${stderr}`);
}

/** Which of the two files this thread may read. */
function readable(): { readonly client: boolean; readonly server: boolean } {
  const may = (file: string): boolean => {
    try {
      return readFileSync(file, 'utf8') === 'text';
    } catch {
      return false;
    }
  };
  return { client: may(files.client), server: may(files.server) };
}

function answer({ sspi }: AuthenticatedRequest): unknown {
  const before = readable();
  try {
    return { before, inside: sspi?.impersonate(readable), after: readable() };
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    return { before, error: { code, message }, after: readable() };
  }
}

try {
  if (isWindows) {
    await grant(files.client, credentials.user);
    await grant(files.server, await processAccount());
  }
  for (const scheme of settings.schemes) {
    await GuardedServer.serve(settings, { schemes: [scheme] }, { answer }, async (server) => {
      const { status, body } = await signIn(settings, server, scheme);
      report.check(`${scheme}: signs in`, status === 200, server.refusals);
      if (status !== 200) return;
      const { before, inside, after, error } = JSON.parse(body) as Record<string, unknown>;
      const asServer = JSON.stringify({ client: false, server: true });
      report.check(`${scheme}: before, it is the server`, JSON.stringify(before) === asServer, before);
      if (hasRight) {
        const asClient = JSON.stringify({ client: true, server: false });
        report.check(`${scheme}: inside, it is the client`, JSON.stringify(inside) === asClient, inside ?? error);
      } else {
        const { code } = (error ?? {}) as { readonly code?: string };
        report.check(
          `${scheme}: does not run without the right`,
          code === 'ERR_SSPI_AUTH_IMPERSONATION',
          inside ?? error,
        );
        report.value(`${scheme}: the error`, error);
      }
      report.check(`${scheme}: after, it is the server`, JSON.stringify(after) === asServer, after);
    });
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
report.end();
