import { describe, it } from 'node:test';
import { full } from '../../lab/matrix.ts';
import { tier } from '../../lab/tier.ts';
import { allScenarios } from '../../adapters/all-scenarios.ts';
import { accounts } from '../../adapters/scenarios.ts';
import { adapters } from '../../adapters/servers.ts';

const ready = await tier('curl');

/** What calls middleware as Express does has the adapter of Express: all scenarios run there. */
const alike = full() ? [] : ['polka', 'a plain listener'];

for (const [adapter, start] of Object.entries(adapters).filter(([name]) => !alike.includes(name))) {
  describe(`adapter ${adapter}`, ready, () => {
    for (const { name, options, run } of allScenarios) {
      it(name, async () => {
        await using server = await start(options ?? { accounts });
        await run(server, `http://127.0.0.1:${server.port}`);
      });
    }
  });
}
