/** Small faults that are put into a source file, one at a time, to see whether a test notices. */
import ts from 'typescript';

/** One fault: the characters `start` to `end` of the file are replaced. */
export interface Mutant {
  /** File, place and fault in words: stays the same while other places of the file change. */
  readonly key: string;
  /** From the root of the repository, with `/`. */
  readonly path: string;
  /** UTF-16 code units from the beginning of the file. */
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /** Offset of a place that runs whenever the fault matters: an operator belongs to what stands on its left. */
  readonly runs: number;
  /** Counted from 1. */
  readonly line: number;
}

const { SyntaxKind } = ts;

/** An operator and those that it is mistaken for. */
const operators = new Map<ts.SyntaxKind, readonly string[]>([
  [SyntaxKind.LessThanToken, ['<=', '>=']],
  [SyntaxKind.LessThanEqualsToken, ['<', '>']],
  [SyntaxKind.GreaterThanToken, ['>=', '<=']],
  [SyntaxKind.GreaterThanEqualsToken, ['>', '<']],
  [SyntaxKind.EqualsEqualsEqualsToken, ['!==']],
  [SyntaxKind.ExclamationEqualsEqualsToken, ['===']],
  [SyntaxKind.AmpersandAmpersandToken, ['||']],
  [SyntaxKind.BarBarToken, ['&&']],
  [SyntaxKind.QuestionQuestionToken, ['&&']],
  [SyntaxKind.MinusToken, ['+']],
  [SyntaxKind.AsteriskToken, ['/']],
  [SyntaxKind.AmpersandToken, ['|']],
  [SyntaxKind.BarToken, ['&']],
  [SyntaxKind.LessThanLessThanToken, ['>>']],
  [SyntaxKind.GreaterThanGreaterThanToken, ['<<']],
  [SyntaxKind.PlusEqualsToken, ['-=']],
]);

/** The function, method or variable that a node stands in, as `Class.method`; empty at the top of the file. */
function placeOf(node: ts.Node): string {
  const names: string[] = [];
  for (let at: ts.Node = node.parent; !ts.isSourceFile(at); at = at.parent) {
    if (ts.isConstructorDeclaration(at)) names.unshift('constructor');
    else if (
      (ts.isFunctionLike(at) || ts.isClassLike(at) || ts.isVariableDeclaration(at) || ts.isPropertyAssignment(at)) &&
      at.name !== undefined
    ) {
      names.unshift(at.name.getText());
    }
  }
  return names.join('.');
}

/** Whether a condition is one half of `a && b`, whose halves have faults of their own. */
function isCompound(node: ts.Expression): boolean {
  return (
    ts.isBinaryExpression(node) &&
    [SyntaxKind.AmpersandAmpersandToken, SyntaxKind.BarBarToken].includes(node.operatorToken.kind)
  );
}

function isFalsy(node: ts.Expression): boolean {
  return (
    [SyntaxKind.FalseKeyword, SyntaxKind.NullKeyword].includes(node.kind) ||
    (ts.isIdentifier(node) && node.text === 'undefined')
  );
}

/** The most numbers of a list that have faults of their own. A longer list is a table, which one test holds as a whole. */
const MAX_LIST_NUMBERS = 50;

function numbersIn(node: ts.Node): number {
  let count = ts.isNumericLiteral(node) ? 1 : 0;
  ts.forEachChild(node, (child) => {
    count += numbersIn(child);
  });
  return count;
}

/** Whether a list, with the lists in it, is a table of numbers. */
function isTable(node: ts.Node): boolean {
  return ts.isArrayLiteralExpression(node) && numbersIn(node) > MAX_LIST_NUMBERS;
}

/** What a node can be replaced by: pairs of the node that is replaced and the text instead. */
function* faultsOf(node: ts.Node): Generator<readonly [ts.Node, string]> {
  if (ts.isBinaryExpression(node)) {
    for (const other of operators.get(node.operatorToken.kind) ?? []) yield [node.operatorToken, other];
  } else if (ts.isIfStatement(node) || ts.isConditionalExpression(node)) {
    const condition = ts.isIfStatement(node) ? node.expression : node.condition;
    if (!isCompound(condition)) yield [condition, `!(${condition.getText()})`];
    yield [condition, 'true'];
    yield [condition, 'false'];
  } else if (ts.isReturnStatement(node)) {
    // Callers of a predicate cannot tell `false` from `undefined`, nor need they.
    if (node.expression !== undefined && !isFalsy(node.expression)) yield [node.expression, 'undefined'];
  } else if (ts.isExpressionStatement(node)) {
    if (ts.isCallExpression(node.expression) || ts.isAwaitExpression(node.expression)) yield [node, ';'];
    if (ts.isBinaryExpression(node.expression) && node.expression.operatorToken.kind === SyntaxKind.EqualsToken) {
      yield [node, ';'];
    }
  } else if (ts.isThrowStatement(node)) {
    yield [node, ';'];
  } else if (ts.isNumericLiteral(node)) {
    // What stands in a type is gone when the program runs.
    if (!ts.isLiteralTypeNode(node.parent)) yield [node, `(${node.getText()} + 1)`];
  } else if (node.kind === SyntaxKind.TrueKeyword || node.kind === SyntaxKind.FalseKeyword) {
    if (!ts.isLiteralTypeNode(node.parent)) yield [node, node.kind === SyntaxKind.TrueKeyword ? 'false' : 'true'];
  } else if (ts.isPrefixUnaryExpression(node) && node.operator === SyntaxKind.ExclamationToken) {
    yield [node, node.operand.getText()];
  }
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 80);

/**
 * All faults for a file, in the order of their places.
 *
 * @param path from the root of the repository
 * @param text of the file, in TypeScript
 */
export function mutantsOf(path: string, text: string): Mutant[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const mutants: Mutant[] = [];
  const counts = new Map<string, number>();
  const visit = (node: ts.Node): void => {
    if (isTable(node)) return;
    for (const [replaced, replacement] of faultsOf(node)) {
      // The line of an operator does not say which one it is; the whole expression does.
      const shown = ts.isToken(replaced) && ts.isBinaryExpression(node) ? node : replaced;
      const place = placeOf(node);
      const at = `${path}${place === '' ? '' : ` ${place}`}`;
      const name = `${at}: ${oneLine(shown.getText())} → ${oneLine(replacement)}`;
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      mutants.push({
        key: count === 1 ? name : `${name} (${count})`,
        path,
        start: replaced.getStart(),
        end: replaced.getEnd(),
        replacement,
        runs: shown.getStart(),
        line: source.getLineAndCharacterOfPosition(replaced.getStart()).line + 1,
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return mutants;
}
