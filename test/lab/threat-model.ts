/** Reads docs/threat-model.md, and holds it against the files that cite its attacks. */
import { attackCitations } from './attack-citations.ts';
import type { Citations } from './attack-citations.ts';

/** One row: an attack, what holds it off, and what shows that. */
export interface Threat {
  readonly id: string;
  readonly attack: string;
  readonly defence: string;
  /** Test files that show the attack fail. Empty where there is `notYet`. */
  readonly tests: readonly string[];
  /** What has to be built before the attack is held off and tested. */
  readonly notYet: string | undefined;
}

/** The document, and what is wrong with its form. */
export interface ThreatModel {
  readonly threats: readonly Threat[];
  readonly problems: readonly string[];
}

/** Where the list is. */
export const threatModelPath = 'docs/threat-model.md';

const notYetMark = 'not yet:';

/** @param markdown tables whose first cell is an id */
export function readThreatModel(markdown: string): ThreatModel {
  const threats = new Map<string, Threat>();
  const problems: string[] = [];
  for (const line of markdown.split('\n')) {
    if (!line.startsWith('|')) continue;
    const cells = line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim());
    const [id = '', attack = '', defence = '', shown = ''] = cells;
    if (id === 'id' || /^:?-+:?$/.test(id)) continue;
    if (!/^[A-Z]\d{2}$/.test(id)) problems.push(`the row of "${id}" has no id`);
    else if (cells.length !== 4 || cells.includes(''))
      problems.push(`the row of ${id} has not four cells with words in them`);
    else if (threats.has(id)) problems.push(`${id} is there twice`);
    const tests = shown.split(', ').map((path) => /^`([^`]+)`$/.exec(path)?.[1]);
    const isTested = tests.every((path) => path !== undefined);
    const notYet = shown.startsWith(notYetMark) ? shown.slice(notYetMark.length).trim() : undefined;
    if (!isTested && notYet === undefined) problems.push(`${id} has neither a test nor "${notYetMark} …"`);
    if (notYet === '') problems.push(`${id} is not yet held off, and nothing is said of what has to be built`);
    threats.set(id, { id, attack, defence, tests: isTested ? tests : [], notYet });
  }
  return { threats: [...threats.values()], problems: [...problems, ...gaps([...threats.keys()])] };
}

/** Ids are never given twice and never taken away: those of a letter are numbered from 01 on. */
function gaps(ids: readonly string[]): string[] {
  return ids.flatMap((id) => {
    const before = `${id[0] ?? ''}${String(Number(id.slice(1)) - 1).padStart(2, '0')}`;
    return id.endsWith('01') || ids.includes(before) ? [] : [`${id} is there and ${before} is not`];
  });
}

/** Files that a cell names. */
function named(cell: string): readonly string[] {
  return [...cell.matchAll(/`((?:src|adapters|test|docs|bench|examples)\/[^`]+)`/g)].map(([, path = '']) => path);
}

/**
 * All that is wrong between the list and the files, one line each.
 *
 * @param files text of every file of the project by its path from the root, with `/`; those that may cite an attack
 */
export function threatModelProblems(markdown: string, files: ReadonlyMap<string, string>): string[] {
  const { threats, problems: found } = readThreatModel(markdown);
  const ids = new Set(threats.map(({ id }) => id));
  const problems = [...found];
  const citations = new Map<string, Citations>();
  for (const [path, text] of files) {
    if (path === threatModelPath) continue;
    const cited = attackCitations(path, text);
    citations.set(path, cited);
    for (const problem of cited.problems) problems.push(`${path} ${problem}`);
    for (const id of cited.ids)
      if (!ids.has(id)) problems.push(`${path} cites ${id}, which ${threatModelPath} does not have`);
  }
  for (const { id, defence, tests, notYet } of threats) {
    for (const path of [...named(defence), ...tests]) {
      if (!files.has(path)) problems.push(`${id} names ${path}, which does not exist`);
      else if (path.startsWith('test/') && citations.get(path)?.names.has(id) !== true) {
        problems.push(`${id} names ${path}, in which no test is called by it`);
      }
    }
    for (const path of tests)
      if (!/^test\/.*\.test\.ts$/.test(path)) problems.push(`${id} names ${path}, which is no test file`);
    if (notYet === undefined && !named(defence).some((path) => /^(?:src|adapters)\//.test(path))) {
      problems.push(`${id} is tested, and no file of src or adapters is said to hold it off`);
    }
  }
  return problems;
}
