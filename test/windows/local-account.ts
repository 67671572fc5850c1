/**
 * curl.exe and Edge sign in by NTLM and by Negotiate, with the account of the command line and as the user that runs this
 * script; wrong passwords are refused.
 */
import { edge, signIn } from './clients.ts';
import { GuardedServer, readWhoAmI } from './guarded-server.ts';
import type { Answer } from './guarded-server.ts';
import { isWindows, processAccount } from './programs.ts';
import { Report } from './report.ts';
import { readSettings } from './settings.ts';
import type { Credentials } from './settings.ts';

const settings = readSettings();
const { credentials } = settings;
const report = await Report.begin('sign-ins of curl and Edge');
const sameName = (left: string, right: string): boolean => left.toLowerCase() === right.toLowerCase();

for (const scheme of settings.schemes) {
  await GuardedServer.serve(settings, { schemes: [scheme] }, {}, async (server) => {
    const clients = {
      curl: (as: Credentials | undefined): Promise<Answer> => signIn(settings, server, scheme, { credentials: as }),
      ...(settings.browser
        ? { Edge: (as: Credentials | undefined): Promise<Answer> => edge(server.url(), as) }
        : undefined),
    };
    for (const [client, ask] of Object.entries(clients)) {
      const admitted = async (as: Credentials | undefined, name: string): Promise<void> => {
        const what = `${client}, ${scheme}, ${as === undefined ? 'as its user' : 'with a password'}`;
        const found = readWhoAmI(await ask(as));
        if (found === undefined) return report.fail(what, server.refusals.at(-1) ?? 'no sign-in and no refusal');
        report.check(`${what}: is ${name}`, sameName(found.name, name), found.name);
        report.check(`${what}: has a SID`, /^S-1-5-21(?:-\d+){4}$/.test(found.sid ?? ''), found.sid);
        report.check(`${what}: has groups`, found.groups.length > 0, found.groups);
        const unnamed = found.groups.filter(({ name: of }) => of === undefined);
        report.value(
          `${what}: groups without a name`,
          unnamed.map(({ sid }) => sid),
        );
        report.value(`${what}: package`, found.package);
      };
      if (credentials !== undefined) {
        await admitted(credentials, credentials.user);
        const refusals = server.refusals.length;
        const { status } = await ask({ ...credentials, password: `not ${credentials.password}` });
        const reasons = server.refusals.slice(refusals).map(({ reason }) => reason);
        report.check(`${client}, ${scheme}, wrong password: 401`, status === 401, status);
        report.check(`${client}, ${scheme}, wrong password: SEC_E_LOGON_DENIED`, isDenied(reasons), reasons);
      }
      if (isWindows && settings.client === 'curl') await admitted(undefined, await processAccount());
    }
  });
}
report.end();

function isDenied(reasons: readonly string[]): boolean {
  return reasons.length > 0 && reasons.every((reason) => reason === 'SEC_E_LOGON_DENIED');
}
