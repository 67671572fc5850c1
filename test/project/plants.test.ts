/** The table of administrators' mistakes as a whole: it is long, says no row twice, and each row can fail. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Plant } from '../lab/plants/plant.ts';
import { accountPlants } from '../live/plants/account-plants.ts';
import { applicationPlants } from '../live/plants/application-plants.ts';
import { browserPlants } from '../live/plants/browser-plants.ts';
import { clockPlants } from '../live/plants/clock-plants.ts';
import { directoryPlants } from '../live/plants/directory-plants.ts';
import { mitKdcPlants } from '../live/plants/mit-kdc-plants.ts';
import { proxyPlants } from '../live/plants/proxy-plants.ts';
import { startPlants } from '../live/plants/start-plants.ts';
import { unansweredPlants } from '../live/plants/unanswered-plants.ts';

const plants: readonly Pick<Plant<never>, 'planted' | 'client' | 'answer' | 'cause' | 'cure' | 'visit'>[] = [
  ...startPlants,
  ...mitKdcPlants,
  ...clockPlants,
  ...unansweredPlants,
  ...directoryPlants,
  ...proxyPlants,
  ...accountPlants,
  ...applicationPlants,
  ...browserPlants,
];

describe('mistakes that administrators make', () => {
  it('are at least eighty, each once', () => {
    assert.ok(plants.length >= 80, String(plants.length));
    assert.equal(new Set(plants.map(({ planted }) => planted)).size, plants.length);
  });

  it('need a user where the server starts, and a line that is not just any', () => {
    for (const { planted, answer, visit, cause, cure } of plants) {
      assert.equal(visit === undefined, answer === 'no start', planted);
      for (const part of [cause, cure]) {
        for (const line of ['', 'warn sspi-auth: refused scheme=Negotiate package=Kerberos peer=127.0.0.1:1']) {
          assert.doesNotMatch(line, part, planted);
        }
      }
    }
  });
});
