/** Runs cells of real clients as tests. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ClientBuilds } from '../../lab/clients/builds.ts';
import { cellName, runCell } from '../../lab/clients/cells.ts';
import type { Cell } from '../../lab/clients/cells.ts';
import { faultOf, notYetOf, raceOf } from '../../lab/clients/expectations.ts';
import type { ClientGround, Framework } from '../../lab/clients/ground.ts';

/** What the tests of a file share. */
export interface Shared {
  readonly ground: ClientGround;
  readonly builds: ClientBuilds;
}

/** Clients at once: most of the time they wait. */
export const concurrency = 3;

/**
 * A test for each cell: it comes right, or by its client's fault it does not. No cell lets anybody in who may not be.
 *
 * @param shared there once the tests run
 */
export function testCells(cells: readonly Cell[], framework: Framework, shared: () => Shared): void {
  for (const cell of cells) {
    const fault = faultOf(cell);
    const notYet = fault ? undefined : notYetOf(cell);
    const outcome = fault ? ' is the fault of the client' : notYet ? ' is not yet right' : '';
    it(`${cellName(cell)}${outcome}`, async (test) => {
      const { ground, builds } = shared();
      const build = await builds.of(cell.client);
      let result = await runCell(cell, ground, framework, build);
      for (let again = raceOf(cell) ? 2 : 0; again > 0 && result.wrong !== undefined; again--) {
        assert.equal(result.intruder, undefined);
        result = await runCell(cell, ground, framework, build);
      }
      const { wrong, intruder, printed } = result;
      assert.equal(intruder, undefined);
      if (notYet) return test.diagnostic(`${cellName(cell)}: ${wrong ?? 'right'}`);
      if (fault) assert.ok(wrong !== undefined, `it comes right: take it out of the faults in test/lab/clients/`);
      else assert.ok(wrong === undefined, `${wrong ?? ''}\n${printed}`);
    });
  }
}
