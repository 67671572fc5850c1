import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mutantsOf } from './mutants.ts';
import { chooseMutants } from './selection.ts';

const text = `
export class Gate {
  opens(age: number, name: string): boolean {
    if (age < 18) throw new RangeError('too young');
    this.count(age + 1);
    return name !== '' && this.open;
  }
}
`;

/** The text with each fault, as pairs of what is there and what is there instead. */
function faults(source: string): (readonly [before: string, after: string])[] {
  return mutantsOf('src/gate.ts', source).map(({ start, end, replacement }) => [source.slice(start, end), replacement]);
}

describe('the faults of a text', () => {
  it('are wrong bounds, conditions, numbers and results, and calls and exceptions that are left out', () => {
    assert.deepEqual(faults(text), [
      ['age < 18', '!(age < 18)'],
      ['age < 18', 'true'],
      ['age < 18', 'false'],
      ['<', '<='],
      ['<', '>='],
      ['18', '(18 + 1)'],
      ["throw new RangeError('too young');", ';'],
      ['this.count(age + 1);', ';'],
      ['1', '(1 + 1)'],
      ["name !== '' && this.open", 'undefined'],
      ['&&', '||'],
      ['!==', '==='],
    ]);
  });

  it('are none in types, in results that are falsy, and in tables of numbers', () => {
    assert.deepEqual(faults('type Version = 1 | true; function none(): false { return false }').length, 1);
    const table = (rows: number): string => `const table = [${'[1, 2], '.repeat(rows)}];`;
    assert.equal(faults(table(25)).length, 50);
    assert.equal(faults(table(26)).length, 0);
  });

  it('each change the text where they say, and run with what stands on their left', () => {
    for (const { start, end, replacement, runs } of mutantsOf('src/gate.ts', text)) {
      assert.notEqual(text.slice(0, start) + replacement + text.slice(end), text);
      assert.ok(runs <= start);
    }
    const [operator] = mutantsOf('src/gate.ts', text).filter(({ replacement }) => replacement === '||');
    assert.equal(operator?.runs, text.indexOf("name !== ''"));
  });
});

describe('the key of a fault', () => {
  const keys = (source: string): string[] => mutantsOf('src/gate.ts', source).map(({ key }) => key);

  it('names file, place and fault, and no other fault has it', () => {
    assert.equal(keys(text)[3], 'src/gate.ts Gate.opens: age < 18 → <=');
    const twice = keys('f(1); f(1);');
    assert.equal(new Set(twice).size, twice.length);
  });

  it('stays the same when another place changes', () => {
    const changed = text
      .replace('export class', '/** A gate. */\nconst other = 5;\nexport class')
      .replace('count', 'add');
    const [before, after] = [keys(text), keys(changed)];
    assert.deepEqual(
      before.filter((key) => !after.includes(key)),
      ['src/gate.ts Gate.opens: this.count(age + 1); → ;'],
    );
  });
});

describe('the selection', () => {
  const file = (name: string, length: number): ReturnType<typeof mutantsOf> =>
    mutantsOf(`src/${name}.ts`, Array.from({ length }, (_, index) => `f${index}(1);`).join('\n'));
  const every = [...file('long', 400), ...['a', 'b', 'c', 'd', 'e'].flatMap((name) => file(name, 4))];
  const keys = (count: number, seed: string, from = every): string[] =>
    chooseMutants(from, count, seed).map(({ key }) => key);

  it('is spread over the files', () => {
    const chosen = keys(120, 'one');
    assert.equal(chosen.filter((key) => key.startsWith('src/long.ts')).length, 3);
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      assert.equal(chosen.filter((key) => key.startsWith(`src/${name}.ts`)).length, 3);
    }
  });

  it('has as many as were wanted, each once, of the seed alone', () => {
    const chosen = keys(8, 'one');
    assert.equal(new Set(chosen).size, 8);
    assert.deepEqual(keys(8, 'one', [...every].reverse()), chosen);
    assert.notDeepEqual(keys(8, 'two'), chosen);
  });

  it('stays nearly the same when the sources grow', () => {
    const grown = [...every, ...file('f', 1)];
    const [before, after] = [keys(8, 'one'), keys(8, 'one', grown)];
    assert.ok(before.filter((key) => !after.includes(key)).length <= 2);
  });
});
