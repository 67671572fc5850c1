/**
 * Where a file cites attacks of docs/threat-model.md. An id is a capital letter and two digits. It is a citation
 *
 * - after the word attack or attacks: `(attack A11)`, `attacks C20 to C22`;
 * - alone in parentheses, or with others: `(A11)`, `(C20, C22)`, `(B01 to B03)`;
 * - at the beginning of a string, before a colon: `'A11: …'`, `'E01, E20: …'`.
 *
 * Whatever else looks like one is none: 0xD12, U+0C20, H(A1), `'C20'`. In TypeScript only comments and strings are read.
 */
import ts from 'typescript';

/** What a file cites. */
export interface Citations {
  /** In any place. */
  readonly ids: ReadonlySet<string>;
  /** In strings: what a test is called. */
  readonly names: ReadonlySet<string>;
  /** Citations that are wrong in themselves. */
  readonly problems: readonly string[];
}

/** A text without the line breaks of comments: a citation may go on in the next line. */
interface Passage {
  readonly text: string;
  readonly isString: boolean;
}

const id = String.raw`[A-Z]\d{2}(?!\w)`;
const list = String.raw`${id}(?:(?: ?,(?: and| or)?| and| or| to) ${id})*`;
const afterTheWord = new RegExp(String.raw`\b[Aa]ttacks? (${list})`, 'g');
const inParentheses = new RegExp(String.raw`(?<!\w)\((${list})\)`, 'g');
const atTheBeginning = new RegExp(`^(${list}):`, 'g');
/** Ids of other lists: those of attacks have two digits, and nothing else is cited by id. */
const foreign = /\b[Aa]ttacks? ([A-Z]\d)(?!\w)|\b[Cc]ases? ([A-Z]\d{1,2})(?!\w)/g;

/** @param path tells by its ending how the file is to be read */
export function attackCitations(path: string, content: string): Citations {
  const ids = new Set<string>();
  const names = new Set<string>();
  const problems: string[] = [];
  for (const { text, isString } of path.endsWith('.ts') ? passagesOf(content) : [passage(content, false)]) {
    for (const found of listsIn(text, isString)) {
      const cited = expanded(found);
      if (cited === undefined) problems.push(`cites ${found}, which is no range`);
      for (const one of cited ?? []) {
        ids.add(one);
        if (isString) names.add(one);
      }
    }
    for (const [cited] of text.matchAll(foreign)) problems.push(`cites "${cited}": no list of the project has that id`);
  }
  return { ids, names, problems };
}

function listsIn(text: string, isString: boolean): readonly string[] {
  const patterns = isString ? [afterTheWord, inParentheses, atTheBeginning] : [afterTheWord, inParentheses];
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([, found = '']) => found));
}

function passage(text: string, isString: boolean): Passage {
  return { text: text.replace(/\s*\n\s*(?:\*(?!\/)|\/\/)?\s*/g, ' '), isString };
}

/** `C20 to C22, D01` as four ids; undefined for a range that is none. */
function expanded(text: string): readonly string[] | undefined {
  const ids: string[] = [];
  for (const [, from = '', to] of text.matchAll(/([A-Z]\d{2})(?: to ([A-Z]\d{2}))?/g)) {
    const last = to ?? from;
    if (last[0] !== from[0] || last < from || (to !== undefined && to === from)) return undefined;
    for (let number = Number(from.slice(1)); number <= Number(last.slice(1)); number++) {
      ids.push(`${from[0] ?? ''}${String(number).padStart(2, '0')}`);
    }
  }
  return ids;
}

/** Comments and strings of a TypeScript source. */
function passagesOf(content: string): readonly Passage[] {
  const source = ts.createSourceFile('source.ts', content, ts.ScriptTarget.Latest, true);
  const passages: Passage[] = [];
  let code = content;
  const visit = (node: ts.Node): void => {
    const isString = ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    if (isString || ts.isRegularExpressionLiteral(node)) {
      const [start, end] = [node.getStart(source), node.getEnd()];
      // As it is written: of a raw string with a backslash there is no other text.
      if (isString) passages.push(passage(content.slice(start + 1, end - 1), true));
      code = code.slice(0, start) + ' '.repeat(end - start) + code.slice(end);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  // What is left of slashes and asterisks outside of strings and regular expressions are comments.
  for (const [comment] of code.matchAll(/\/\*[^]*?\*\/|(?:\/\/[^\n]*\n?[^\S\n]*)+/g))
    passages.push(passage(comment, false));
  return passages;
}
