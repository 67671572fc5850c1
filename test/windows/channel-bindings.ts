/**
 * Channel bindings over TLS: Edge comes in directly, and is refused through a relay that has a certificate of its own.
 * What curl.exe does is a value to report, since its versions differ.
 */
import { makeCertificate, relayed } from './certificate.ts';
import { curl, edge } from './clients.ts';
import { GuardedServer, readWhoAmI } from './guarded-server.ts';
import type { Answer } from './guarded-server.ts';
import { run, systemProgram } from './programs.ts';
import { Report } from './report.ts';
import { readSettings } from './settings.ts';

const settings = readSettings();
const { credentials } = settings;
const report = await Report.begin('channel bindings over TLS');
report.value('curl', (await run(systemProgram('curl'), ['--version'])).stdout.split('\n')[0]);
const [certificate, another] = await Promise.all([makeCertificate(), makeCertificate()]);

for (const channelBinding of ['always', 'whenSupported'] as const) {
  for (const scheme of settings.schemes) {
    await GuardedServer.serve(settings, { schemes: [scheme], channelBinding }, { certificate }, async (server) => {
      await relayed(another, server.port, async (relay) => {
        const what = `${channelBinding}, ${scheme}`;
        const outcome = ({ status, body }: Answer): unknown => {
          const refusal = server.refusals.splice(0).at(-1);
          return status === 200 ? readWhoAmI({ status, body }) : { status, refusal };
        };
        if (settings.browser) {
          const direct = await edge(server.url(), credentials);
          const found = readWhoAmI(direct);
          report.check(`${what}: Edge signs in`, found !== undefined, outcome(direct));
          if (found !== undefined) report.check(`${what}: Edge is bound`, found.channelBound, found);
          const behind = await edge(relay, credentials);
          report.check(`${what}: Edge through a relay: 401`, behind.status === 401, behind);
          const reasons = server.refusals.map(({ reason }) => reason);
          report.check(
            `${what}: Edge through a relay: SEC_E_BAD_BINDINGS`,
            reasons.includes('SEC_E_BAD_BINDINGS'),
            reasons,
          );
          server.refusals.length = 0;
        }
        report.value(`${what}: curl`, outcome(await curl(server.url(), scheme, credentials)));
        const behind = await curl(relay, scheme, credentials);
        const bound = readWhoAmI(behind)?.channelBound;
        report.check(`${what}: curl through a relay is not bound`, bound !== true, behind);
        if (channelBinding === 'always')
          report.check(`${what}: curl through a relay: 401`, behind.status === 401, behind);
        report.value(`${what}: curl through a relay`, outcome(behind));
      });
    });
  }
}
report.end();
