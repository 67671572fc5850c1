import { describe, it } from 'node:test';
import { tier } from '../../lab/tier.ts';
import { bodyScenarios } from '../../adapters/body-scenarios.ts';
import { accounts, scenarios } from '../../adapters/scenarios.ts';
import { adapters } from '../../adapters/servers.ts';

const ready = await tier('curl');

for (const [adapter, start] of Object.entries(adapters)) {
  describe(`adapter ${adapter}`, ready, () => {
    for (const { name, options, run } of [...scenarios, ...bodyScenarios]) {
      it(name, async () => {
        await using server = await start(options ?? { accounts });
        await run(server, `http://127.0.0.1:${server.port}`);
      });
    }
  });
}
