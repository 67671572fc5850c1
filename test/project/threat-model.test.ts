/** docs/threat-model.md and the code speak of the same attacks, and each has a test or says what it waits for. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { attackCitations } from '../lab/attack-citations.ts';
import { readThreatModel, threatModelPath, threatModelProblems } from '../lab/threat-model.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Where an attack may be cited. This file cites some that are made up. */
const places = ['src', 'adapters', 'test', 'docs', 'examples', 'bench', ':!test/project/threat-model.test.ts'];

/** Texts of the repository: what git knows, or would know after `git add`. */
function repositoryTexts(): ReadonlyMap<string, string> {
  const words = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...places];
  const paths = execFileSync('git', words, { cwd: root, encoding: 'utf8' }).split('\0');
  const texts = paths.filter((path) => /\.(?:ts|md|c|py|json)$/.test(path) && existsSync(`${root}${path}`));
  return new Map(texts.map((path) => [path, readFileSync(`${root}${path}`, 'utf8')]));
}

describe('the threat model', () => {
  const files = repositoryTexts();
  const markdown = files.get(threatModelPath) ?? '';

  it('and the code that cites it agree', (t) => {
    assert.ok(files.size > 300, 'the files were found');
    assert.deepEqual(threatModelProblems(markdown, files), []);
    const { threats } = readThreatModel(markdown);
    const waiting = threats.filter(({ notYet }) => notYet !== undefined).map(({ id }) => id);
    t.diagnostic(`${threats.length} attacks, ${waiting.length} of them not yet: ${waiting.join(' ')}`);
  });
});

describe('the test of the threat model itself', () => {
  const table = (...rows: readonly string[]): string =>
    ['| id | attack | held off by | test |', '| --- | --- | --- | --- |', ...rows].join('\n');
  const tested = '| A01 | no token | `src/a.ts` looks | `test/a.test.ts` |';
  const waiting = '| A02 | no base64 | nothing | not yet: a decoder |';
  const sound = { 'src/a.ts': '// (attack A01)', 'test/a.test.ts': "it('A01: no token', () => {});" };
  const problemsOf = (markdown: string, sources: Readonly<Record<string, string>> = sound): readonly string[] =>
    threatModelProblems(markdown, new Map(Object.entries(sources)));

  it('is content with what is right', () => {
    assert.deepEqual(problemsOf(table(tested, waiting)), []);
    // A part may be held off and tested already.
    const partly = '| A02 | no base64 | padding, `test/b.test.ts` | not yet: a decoder |';
    assert.deepEqual(problemsOf(table(tested, partly), { ...sound, 'test/b.test.ts': '`padding (A02)`;' }), []);
  });

  const violations: readonly [what: string, markdown: string, expected: RegExp, sources?: Record<string, string>][] = [
    [
      'an id that is not in the list',
      table(waiting.replace('A02', 'A01')),
      /src\/b\.ts cites A09, which/,
      { 'src/b.ts': '/* attack A09 */' },
    ],
    ['one in a document', table(tested), /docs\/b\.md cites A03, which/, { ...sound, 'docs/b.md': 'As (A03) has it.' }],
    [
      'a range that leaves the list',
      table(tested, waiting),
      /cites A03, which/,
      { ...sound, 'bench/b.ts': '// attacks A01 to A03' },
    ],
    [
      'a range backwards',
      table(tested, waiting),
      /cites A02 to A01, which is no range/,
      { ...sound, 'src/b.ts': '// (A02 to A01)' },
    ],
    [
      'a range over letters',
      table(tested, waiting),
      /cites A01 to B02, which is no range/,
      { ...sound, 'src/b.ts': '// (A01 to B02)' },
    ],
    [
      'an id of a list of cases',
      table(tested),
      /src\/b\.ts cites "case D10"/,
      { ...sound, 'src/b.ts': '// See case D10.' },
    ],
    [
      'an id of one digit',
      table(tested),
      /src\/b\.ts cites "attack S1"/,
      { ...sound, 'src/b.ts': '// See attack S1.' },
    ],
    [
      'neither a test nor a word of what is missing',
      table('| A01 | a | `src/a.ts` | later |'),
      /A01 has neither a test nor "not yet: …"/,
    ],
    [
      'a row without tests',
      table('| A01 | a | `src/a.ts` | |'),
      /the row of A01 has not four cells[^]*A01 has neither/,
    ],
    [
      '"not yet" and no word of what has to be built',
      table('| A01 | a | b | not yet: |'),
      /A01 is not yet held off, and nothing is said/,
    ],
    ['a test beside words', table('| A01 | a | `src/a.ts` | `test/a.test.ts` mostly |'), /A01 has neither/],
    [
      'a test that does not exist',
      table(tested.replace('/a.test', '/b.test')),
      /A01 names test\/b\.test\.ts, which does not exist/,
    ],
    [
      'one of two that does not exist',
      table(tested.replace(/ \|$/, ', `test/b.test.ts` |')),
      /names test\/b\.test\.ts, which/,
    ],
    [
      'a test that does not cite it',
      table(tested),
      /A01 names test\/a\.test\.ts, in which no test is called by it/,
      { ...sound, 'test/a.test.ts': "it('no token');" },
    ],
    [
      'a test that cites it in a comment only',
      table(tested),
      /in which no test is called by it/,
      { ...sound, 'test/a.test.ts': '// (attack A01)' },
    ],
    [
      'a test named beside what is held off, that does not cite it',
      table(tested, waiting.replace('nothing', '`test/a.test.ts`')),
      /A02 names test\/a\.test\.ts, in which/,
    ],
    [
      'a file of tests that nobody runs',
      table(tested.replace('a.test.ts', 'a.ts')),
      /A01 names test\/a\.ts, which is no test file/,
      { ...sound, 'test/a.ts': "'A01: a'" },
    ],
    [
      'a source that does not exist',
      table(tested.replace('src/a', 'src/b')),
      /A01 names src\/b\.ts, which does not exist/,
    ],
    [
      'nothing that holds it off',
      table(tested.replace('`src/a.ts`', 'somebody')),
      /A01 is tested, and no file of src or adapters/,
    ],
    ['an id twice', table(tested, tested), /A01 is there twice/],
    ['an id taken away', table(tested, waiting.replace('A02', 'A03')), /A03 is there and A02 is not/],
    ['a row without an id', table(tested, waiting.replace('A02', 'A2')), /the row of "A2" has no id/],
    ['a row of three cells', table('| A01 | a | not yet: b |'), /the row of A01 has not four cells/],
    ['no list at all', '', /src\/a\.ts cites A01, which/],
  ];
  for (const [what, markdown, expected, sources] of violations) {
    it(`finds ${what}`, () => assert.match(problemsOf(markdown, sources).join('\n'), expected));
  }
});

describe('citations of attacks', () => {
  const idsOf = (content: string, path = 'test/a.test.ts'): readonly string[] => [
    ...attackCitations(path, content).ids,
  ];
  const namesOf = (content: string): readonly string[] => [...attackCitations('test/a.test.ts', content).names];

  it('are in comments after the word, or alone in parentheses', () => {
    for (const [comment, ids] of [
      ['// (attack A11)', ['A11']],
      ['/** Never the first (attacks C02, C03). */', ['C02', 'C03']],
      ['// one; // attack B05', ['B05']],
      ['/** Attacks D01, D02 and G06. */', ['D01', 'D02', 'G06']],
      ['/** In order (attack G11), its attributes (G08), its user (C20, C22). */', ['G11', 'G08', 'C20', 'C22']],
      ['// (RFC 7616 section 4, attack E14)', ['E14']],
      ['// (attacks B01 to B03)', ['B01', 'B02', 'B03']],
      ['/**\n * A name (attack\n * G11) goes on.\n */', ['G11']],
      ['// A list (attacks A01,\n// A02).', ['A01', 'A02']],
      ['const a = b; // (attack C99)', ['C99']],
    ] as const) {
      assert.deepEqual([idsOf(comment), namesOf(comment)], [ids, []], comment);
    }
  });

  it('are in names of tests at their beginning, or in parentheses', () => {
    for (const [code, ids] of [
      ["it('A11: a proxy', f);", ['A11']],
      ["describe('E01, E20: counts', f);", ['E01', 'E20']],
      ["const cases = { 'D04: a ticket': 1 };", ['D04']],
      ['it(`E07: ${uri} is not ${target}`, f);', ['E07']],
      ['it(`refuses ${code} (G07), and ${rest} (B01 to B02)`, f);', ['G07', 'B01', 'B02']],
      ['it(String.raw`E09: "DOM\\user"`, f);', ['E09']],
      ["it('lets nobody in (attack A21)', f);", ['A21']],
    ] as const) {
      assert.deepEqual([namesOf(code), idsOf(code)], [ids, ids], code);
    }
  });

  it('are none that only look like it', () => {
    for (const code of [
      "const lone = '\\uD800'; const hex = 'C20E15'; const digits = ['A10', 'E0', 'B2'];",
      "const digest = 'H(A1)'; // H(A1), H(A2), and H(A12)",
      '// U+0C20, 0xD12, SHA-256, C706 chapter 14, F401, MD4, x (a11), (A11b), (A-11)',
      "it('goes by D10 all the same', f); // by D10",
      'const A10 = B20(A10); if (A10) f(A10);',
      "const pattern = /(A10)|'B20: '/;",
      "const url = 'http://a'; const comment = '// attack';",
    ]) {
      assert.deepEqual(idsOf(code), [], code);
    }
    assert.deepEqual(idsOf('# noqa: F401 (gives it)', 'test/a.py'), []);
    assert.deepEqual(attackCitations('src/a.ts', 'switch (a) { case S1: case D10: f(); }').problems, []);
  });
});
