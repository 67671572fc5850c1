/**
 * Matrices: tests of which there is a row for each browser, cipher, provider and so on. `npm test` runs one row of each
 * kind, `npm run test:full` every row.
 */
import { record } from './tier-record.ts';

/** Environment variable by which the runner says which of both it is. */
export const matrixVariable = 'SSPI_AUTH_TEST_MATRIX';

/** What became of one matrix, for the runner's report. */
export interface MatrixRecord {
  /** Rows that run. */
  readonly rows: number;
  /** Rows there are. */
  readonly of: number;
}

/** Whether every row of every matrix runs. */
export function full(): boolean {
  return process.env[matrixVariable] === 'full';
}

/**
 * The rows of a matrix that run now: all of them in `npm run test:full`, else the first of each kind.
 *
 * @param kindOf what is alike in rows of which one will do, such as the way a browser signs in
 * @throws Error for a matrix without rows, which would test nothing
 */
export function matrixRows<Row>(rows: readonly Row[], kindOf: (row: Row) => unknown): readonly Row[] {
  if (rows.length === 0) throw new Error('a matrix without rows');
  const kinds = new Set<unknown>();
  const chosen = full()
    ? rows
    : rows.filter((row) => {
        const kind = kindOf(row);
        return !kinds.has(kind) && kinds.add(kind);
      });
  const value: MatrixRecord = { rows: chosen.length, of: rows.length };
  record('matrix', value);
  return chosen;
}
