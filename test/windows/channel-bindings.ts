/**
 * Channel bindings over TLS: Edge comes in directly, and is refused through a relay that has a certificate of its own.
 * What curl.exe does is a value to report, since its versions differ.
 */
import { makeCertificate, startRelay } from './certificate.ts';
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
  for (const scheme of ['NTLM', 'Negotiate'] as const) {
    await using server = await GuardedServer.start(settings, { schemes: [scheme], channelBinding }, { certificate });
    await using relay = await startRelay(another, server.port);
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
      const relayed = await edge(relay.url, credentials);
      report.check(`${what}: Edge through a relay: 401`, relayed.status === 401, relayed);
      const reasons = server.refusals.map(({ reason }) => reason);
      report.check(
        `${what}: Edge through a relay: SEC_E_BAD_BINDINGS`,
        reasons.includes('SEC_E_BAD_BINDINGS'),
        reasons,
      );
      server.refusals.length = 0;
    }
    report.value(`${what}: curl`, outcome(await curl(server.url(), scheme, credentials)));
    const relayed = await curl(relay.url, scheme, credentials);
    const bound = readWhoAmI(relayed)?.channelBound;
    report.check(`${what}: curl through a relay is not bound`, bound !== true, relayed);
    if (channelBinding === 'always')
      report.check(`${what}: curl through a relay: 401`, relayed.status === 401, relayed);
    report.value(`${what}: curl through a relay`, outcome(relayed));
  }
}
report.end();
