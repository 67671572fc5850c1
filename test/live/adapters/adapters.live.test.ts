import { describe, it } from 'node:test';
import { full } from '../../lab/matrix.ts';
import { tier } from '../../lab/tier.ts';
import { applicationScenarios } from '../../adapters/application-scenarios.ts';
import { bodyScenarios } from '../../adapters/body-scenarios.ts';
import { accounts, scenarios } from '../../adapters/scenarios.ts';
import { sessionScenarios } from '../../adapters/session-scenarios.ts';
import { adapters } from '../../adapters/servers.ts';

const ready = await tier('curl');

/** What calls middleware as Express does has the adapter of Express: all scenarios run there. */
const alike = full() ? [] : ['polka', 'a plain listener'];

for (const [adapter, start] of Object.entries(adapters).filter(([name]) => !alike.includes(name))) {
  describe(`adapter ${adapter}`, ready, () => {
    for (const { name, options, run } of [
      ...scenarios,
      ...bodyScenarios,
      ...applicationScenarios,
      ...sessionScenarios,
    ]) {
      it(name, async () => {
        await using server = await start(options ?? { accounts });
        await run(server, `http://127.0.0.1:${server.port}`);
      });
    }
  });
}
