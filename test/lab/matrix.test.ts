import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { full, matrixRows, matrixVariable } from './matrix.ts';

describe('a matrix', () => {
  const rows = [
    { browser: 'chromium', scheme: 'NTLM' },
    { browser: 'chromium', scheme: 'Digest' },
    { browser: 'firefox', scheme: 'NTLM' },
  ];
  const kindOf = ({ browser }: { browser: string }): string => browser;
  const { [matrixVariable]: before } = process.env;
  beforeEach(() => {
    Reflect.deleteProperty(process.env, matrixVariable);
  });
  afterEach(() => {
    if (before === undefined) Reflect.deleteProperty(process.env, matrixVariable);
    else process.env[matrixVariable] = before;
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
