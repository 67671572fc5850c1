/**
 * Which package signs a client in by which name of this machine, and which not: the answer depends on the account that this
 * script runs as. To be run as oneself, as NetworkService and as a group-managed service account.
 */
import { hostname, networkInterfaces } from 'node:os';
import { signIn } from './clients.ts';
import { GuardedServer, readWhoAmI } from './guarded-server.ts';
import { isWindows, powershell } from './programs.ts';
import { Report } from './report.ts';
import { readSettings } from './settings.ts';

const settings = readSettings('host');
const report = await Report.begin('who am I, by which name');
const own = settings.own('host');
const address = Object.values(networkInterfaces())
  .flat()
  .find((candidate) => candidate?.family === 'IPv4' && !candidate.internal)?.address;

/** The full name of this machine in its domain. */
async function fullName(): Promise<string | undefined> {
  if (!isWindows || settings.client !== 'curl') return undefined;
  return await powershell('[System.Net.Dns]::GetHostEntry([System.Net.Dns]::GetHostName()).HostName');
}

const names = new Set(own === undefined ? ['localhost', hostname(), await fullName(), '127.0.0.1', address] : [own]);
await GuardedServer.serve(settings, {}, { host: '0.0.0.0' }, async (server) => {
  let admitted = 0;
  for (const name of names) {
    if (name === undefined) continue;
    const refusals = server.refusals.length;
    try {
      const found = readWhoAmI(await signIn(settings, server, 'Negotiate', { url: server.url(name) }));
      const text =
        found && `${found.package}, ${found.name}, ${found.sid ?? 'no SID'}, until ${found.expiry ?? 'the end'}`;
      if (found !== undefined) admitted++;
      report.value(name, text ?? server.refusals.slice(refusals));
    } catch (error) {
      report.value(name, error);
    }
  }
  report.check('a client signs in by one of these names', admitted > 0, 'none did');
});
report.end();
