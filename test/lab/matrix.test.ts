import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { full, matrixRows, matrixVariable } from './matrix.ts';
import { recordFolderVariable } from './tier-record.ts';

describe('a matrix', () => {
  const rows = [
    { browser: 'chromium', scheme: 'NTLM' },
    { browser: 'chromium', scheme: 'Digest' },
    { browser: 'firefox', scheme: 'NTLM' },
  ];
  const kindOf = ({ browser }: { browser: string }): string => browser;
  // What the runner itself was asked for, and its report, are not to be met here.
  const variables = [matrixVariable, recordFolderVariable];
  const before = variables.map((name) => [name, process.env[name]] as const);
  beforeEach(() => {
    for (const name of variables) Reflect.deleteProperty(process.env, name);
  });
  afterEach(() => {
    for (const [name, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });

  it('runs the first row of each kind', () => {
    assert.equal(full(), false);
    assert.deepEqual(matrixRows(rows, kindOf), [rows[0], rows[2]]);
  });

  it('runs every row where all are asked for', () => {
    process.env[matrixVariable] = 'full';
    assert.equal(full(), true);
    assert.deepEqual(matrixRows(rows, kindOf), rows);
  });

  it('is not without rows, which would test nothing', () => {
    assert.throws(() => matrixRows([], kindOf), /without rows/);
  });
});
