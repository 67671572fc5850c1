/**
 * Plants: mistakes that administrators make, planted on a real ground and driven by a real client. A row says what the
 * user gets, and what the one line has to hold that tells the administrator the cause and the cure.
 */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { it } from 'node:test';
import { matrixRows } from '../matrix.ts';
import { SspiAuthError } from '../../../src/foundation/errors.ts';
import type { Site } from './site.ts';

/** One mistake. `Ground` is what rows of one file share, such as a KDC. */
export interface Plant<Ground> {
  /** What was done wrong, in words. */
  readonly planted: string;
  /** Rows of a kind are alike: `npm test` runs the first one of each. */
  readonly kind: string;
  /** The program that the user has. */
  readonly client: string;
  /** What the user gets: the last status, or that the server does not start. */
  readonly answer: number | 'no start';
  /** The cause, in one line of the log or the error of the start. */
  readonly cause: RegExp;
  /** The cure, in the same line. */
  readonly cure: RegExp;
  /** What no line may say, since it would send the administrator to the wrong place. */
  readonly misleads?: RegExp;
  /** Starts the server with the mistake. */
  plant(ground: Ground): Promise<Site>;
  /** The user's attempt; its last status. Left out where the server does not start. */
  visit?(site: Site, ground: Ground): Promise<number>;
}

/** What was seen of one plant, for tables. */
export interface PlantReport {
  readonly planted: string;
  readonly answer: number | 'no start';
  readonly line: string | undefined;
  readonly told: readonly string[];
}

/** Tells of every plant that ran: a program that collects them sets this. */
const reportVariable = 'SSPI_AUTH_PLANT_REPORT';

/** Makes a test of each row: all of them in `npm run test:full`, else one of each kind. */
export function testPlants<Ground>(rows: readonly Plant<Ground>[], ground: () => Ground): void {
  for (const row of matrixRows(rows, ({ kind }) => kind)) {
    it(`${row.planted} (${row.client})`, async () => {
      const report = await seen(row, ground());
      const path = process.env[reportVariable];
      if (path !== undefined) appendFileSync(path, `${JSON.stringify(report)}\n`);
      const told = report.told.map((line) => `  ${line}`).join('\n');
      assert.equal(report.answer, row.answer, told);
      assert.notEqual(report.told.length, 0, 'the log is silent');
      assert.ok(report.line !== undefined, `no line has both ${row.cause} and ${row.cure}:\n${told}`);
      if (row.misleads !== undefined) assert.doesNotMatch(told, row.misleads);
    });
  }
}

async function seen<Ground>(row: Plant<Ground>, ground: Ground): Promise<PlantReport> {
  const { planted } = row;
  // Lines of the level debug are not in an ordinary log.
  const explains = (line: string): boolean => !line.startsWith('debug ') && row.cause.test(line) && row.cure.test(line);
  let site: Site;
  try {
    site = await row.plant(ground);
  } catch (error) {
    if (!(error instanceof SspiAuthError)) throw error;
    const told = [error.message];
    return { planted, answer: 'no start', line: told.find(explains), told };
  }
  await using running = site;
  if (row.visit === undefined) throw new Error(`${planted}: it started`);
  const answer = await row.visit(running, ground);
  const line = await running.log.find(explains);
  return { planted, answer, line, told: running.log.lines };
}
