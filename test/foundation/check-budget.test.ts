import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CheckBudget } from '../../src/foundation/check-budget.ts';

describe('checks of the keytab that clients cause', () => {
  it('are ten at once, then one every 100 milliseconds, and never more than ten', () => {
    let elapsed = 1_000_000;
    const budget = new CheckBudget({ now: () => assert.fail('wall clock'), elapsed: () => elapsed });
    const taken = (): number => Array.from({ length: 50 }, () => budget.take()).filter(Boolean).length;
    assert.equal(taken(), 10);
    elapsed += 99;
    assert.equal(taken(), 0);
    elapsed += 1;
    assert.equal(taken(), 1);
    elapsed += 250;
    assert.equal(taken(), 2);
    elapsed += 50;
    assert.equal(taken(), 1, 'parts of an interval are not lost');
    elapsed += 3_600_000;
    assert.equal(taken(), 10);
  });
});
