/** Checks sources against a table of layers, with the TypeScript compiler's own parser. */
import { posix } from 'node:path';
import ts from 'typescript';

/** A layer: some files, and what they may import beside each other. */
export interface Layer {
  readonly name: string;
  /** A file, a folder (ending in `/`), or several. */
  readonly path: string | readonly string[];
  /** Names of layers. */
  readonly mayImport: readonly string[] | 'anything';
  /** Modules from outside the repository; `node:` stands for all that Node brings. */
  readonly modules?: readonly string[];
  /** `apart`: a file may import its own layer only within its own folder. */
  readonly siblings?: 'apart';
}

/** The whole table. */
export interface Architecture {
  /** From the ground up: each may import only those before it. */
  readonly layers: readonly Layer[];
  /** Names of files (without extension) and folders that say nothing about what is in them. */
  readonly forbiddenNames: readonly string[];
  /** Lines. */
  readonly longestFile: number;
}

/** Every module a source names: imports, exports, import(…) as value and as type, require(…). */
function importsOf(path: string, text: string): string[] {
  const found: string[] = [];
  const add = (node: ts.Node | undefined): void => {
    if (node !== undefined && ts.isStringLiteralLike(node)) found.push(node.text);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    if (ts.isExternalModuleReference(node)) add(node.expression);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal);
    if (ts.isCallExpression(node)) {
      const { expression } = node;
      const isRequire = ts.isIdentifier(expression) && /require/i.test(expression.text);
      const isCreated = ts.isCallExpression(expression) && expression.expression.getText(source) === 'createRequire';
      if (expression.kind === ts.SyntaxKind.ImportKeyword || isRequire || isCreated) add(node.arguments[0]);
    }
    ts.forEachChild(node, visit);
  };
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  visit(source);
  return found;
}

/** The layer of a file: that of its own path, else that of the innermost folder. */
function layerOf(path: string, layers: readonly Layer[]): Layer | undefined {
  let found: Layer | undefined;
  let longest = 0;
  for (const layer of layers) {
    for (const own of [layer.path].flat()) {
      const fits = own.endsWith('/') ? path.startsWith(own) : path === own;
      if (!fits || own.length <= longest) continue;
      found = layer;
      longest = own.length;
    }
  }
  return found;
}

/** Layers that would import from their own floor or from one above. */
function floorProblems(layers: readonly Layer[]): string[] {
  const names = layers.map(({ name }) => name);
  return layers.flatMap(({ name, mayImport }, floor) =>
    mayImport === 'anything'
      ? []
      : mayImport
          .filter((other) => !names.slice(0, floor).includes(other))
          .map((other) => `layer ${name} may import ${other}, which is not below it`),
  );
}

/** The first folder below the layer's own: `ntlm` of src/packages/ntlm/a.ts. */
function member(path: string, layer: Layer): string | undefined {
  const own = [layer.path].flat().find((prefix) => path.startsWith(prefix)) ?? '';
  return path.slice(own.length).split('/')[0];
}

function importProblem(path: string, layer: Layer, target: string, architecture: Architecture): string | undefined {
  const other = layerOf(target, architecture.layers);
  if (other === undefined) return undefined;
  if (other === layer) {
    const apart = layer.siblings === 'apart' && member(path, layer) !== member(target, layer);
    return apart ? `${path} imports its sibling ${target}` : undefined;
  }
  if (layer.mayImport === 'anything' || layer.mayImport.includes(other.name)) return undefined;
  return `${path} (${layer.name}) imports ${target} (${other.name})`;
}

/** Circles, each once, written from its first file in order of the alphabet. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found = new Set<string>();
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) {
      const circle = trail.slice(start);
      const first = circle.indexOf([...circle].sort()[0] ?? '');
      const turned = [...circle.slice(first), ...circle.slice(0, first)];
      found.add(`circle: ${[...turned, turned[0]].join(' -> ')}`);
      return;
    }
    if (done.has(path)) return;
    for (const target of graph.get(path) ?? []) walk(target, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) walk(path, []);
  return [...found];
}

/**
 * All that breaks the architecture, one line each.
 *
 * @param sources text of every source by its path from the root of the repository, with `/`
 */
export function architectureProblems(sources: ReadonlyMap<string, string>, architecture: Architecture): string[] {
  const problems: string[] = floorProblems(architecture.layers);
  const graph = new Map<string, string[]>();
  for (const [path, text] of sources) {
    const lines = text.split('\n').length - 1;
    if (lines > architecture.longestFile) problems.push(`${path} has ${lines} lines: split it by noun`);
    const words = path
      .replace(/\.[^/]*$/, '')
      .split('/')
      .slice(1);
    if (words.some((word) => architecture.forbiddenNames.includes(word))) {
      problems.push(`${path} says nothing about what it holds`);
    }
    const layer = layerOf(path, architecture.layers);
    if (layer === undefined) {
      problems.push(`${path} belongs to no layer of test/project/architecture.test.ts`);
      continue;
    }
    const targets: string[] = [];
    for (const specifier of importsOf(path, text)) {
      if (!specifier.startsWith('.')) {
        const allowed = layer.modules ?? [];
        const known = allowed.some((name) => specifier === name || (name === 'node:' && specifier.startsWith(name)));
        if (!known) problems.push(`${path} (${layer.name}) may not import the module ${specifier}`);
        continue;
      }
      const target = posix.join(posix.dirname(path), specifier);
      if (!sources.has(target)) problems.push(`${path} imports ${target}, which does not exist`);
      targets.push(target);
      problems.push(...[importProblem(path, layer, target, architecture) ?? []].flat());
    }
    graph.set(path, targets);
  }
  return [...problems, ...circles(graph)];
}
