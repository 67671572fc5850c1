/** Which types a package's public declarations mention, and which of them a user can name. */
import ts from 'typescript';

/** What the declarations of a package show. */
export interface PublicTypes {
  /** Types and classes by the entry point that exports them, each once, in order of the alphabet. */
  readonly exported: ReadonlyMap<string, readonly string[]>;
  /** Types of the package that public declarations mention and no entry point exports: `Name (file, in Mentioning)`. */
  readonly unnamed: readonly string[];
}

/** Whether a symbol can stand where a type is written. */
function isType(symbol: ts.Symbol): boolean {
  return (symbol.flags & ts.SymbolFlags.Type) !== 0;
}

/** Members that a user's code cannot reach say nothing about what must have a name. */
function isPrivate(node: ts.Node): boolean {
  if (!ts.canHaveModifiers(node)) return false;
  return (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword);
}

/** The name by which a node mentions a type or the type of a value, where it does. */
function mentioned(node: ts.Node): ts.Node | undefined {
  if (ts.isTypeReferenceNode(node)) return node.typeName;
  if (ts.isExpressionWithTypeArguments(node)) return node.expression;
  if (ts.isTypeQueryNode(node)) return node.exprName;
  if (ts.isImportTypeNode(node)) return node.qualifier;
  return undefined;
}

/**
 * Walks from the exports of each entry point through every declaration that they mention.
 *
 * @param entries path of the declaration file of each entry point, by the name users import
 * @param folder what is declared below it belongs to the package
 * @throws Error where an entry point cannot be read
 */
export function publicTypes(entries: ReadonlyMap<string, string>, folder: string): PublicTypes {
  const program = ts.createProgram([...entries.values()], {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    skipLibCheck: true,
    // What other packages declare is their own affair.
    types: [],
  });
  const checker = program.getTypeChecker();
  const resolved = (symbol: ts.Symbol): ts.Symbol =>
    (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
  // As the compiler writes paths, on Windows too.
  const own = `${folder.replaceAll('\\', '/')}/`;
  const isOwn = (file: ts.SourceFile): boolean => file.fileName.startsWith(own);

  const named = new Set<ts.Symbol>();
  /** The same types by another name, such as an alias that an entry point gives to what it can only infer. */
  const namedTypes = new Set<ts.Type>();
  const augmentations: ts.Node[] = [];
  const exported = new Map<string, readonly string[]>();
  for (const [entry, path] of entries) {
    const source = program.getSourceFile(path);
    const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
    if (module === undefined) throw new Error(`${entry}: ${path} is no module`);
    const symbols = checker.getExportsOfModule(module);
    for (const symbol of symbols.map(resolved)) {
      named.add(symbol);
      if (isType(symbol)) namedTypes.add(checker.getDeclaredTypeOfSymbol(symbol));
    }
    augmentations.push(...(source?.statements ?? []).filter((node) => ts.isModuleDeclaration(node)));
    const names = symbols.filter((symbol) => isType(resolved(symbol))).map(({ name }) => name);
    exported.set(entry, names.filter((name) => name !== 'default').sort());
  }

  const unnamed = new Map<ts.Symbol, string>();
  const seen = new Set<ts.Symbol>();
  const walk = (symbol: ts.Symbol): void => {
    if (seen.has(symbol)) return;
    seen.add(symbol);
    for (const declaration of symbol.declarations ?? []) {
      if (isOwn(declaration.getSourceFile())) visit(declaration, symbol.name);
    }
  };
  const visit = (node: ts.Node, from: string): void => {
    if (isPrivate(node) || isOutOfReach(node)) return;
    const name = mentioned(node);
    const found = name === undefined ? undefined : checker.getSymbolAtLocation(name);
    if (found !== undefined) meet(resolved(found), from);
    ts.forEachChild(node, (child) => visit(child, from));
  };
  /** A member whose key is a symbol that no entry point exports: nobody outside can read or write it. */
  const isOutOfReach = (node: ts.Node): boolean => {
    if (!ts.isPropertySignature(node) && !ts.isPropertyDeclaration(node)) return false;
    if (!ts.isComputedPropertyName(node.name)) return false;
    const key = checker.getSymbolAtLocation(node.name.expression);
    return key !== undefined && isOwnSymbol(key) && !named.has(resolved(key));
  };
  const isOwnSymbol = (symbol: ts.Symbol): boolean =>
    symbol.declarations?.some((declaration) => isOwn(declaration.getSourceFile())) ?? false;
  const meet = (symbol: ts.Symbol, from: string): void => {
    const [declaration] = symbol.declarations ?? [];
    // The name of a type parameter is the business of its own declaration.
    if (declaration === undefined || ts.isTypeParameterDeclaration(declaration)) return;
    const source = declaration.getSourceFile();
    if (!isOwn(source)) return;
    const hasName =
      !isType(symbol) ||
      named.has(symbol) ||
      namedTypes.has(checker.getDeclaredTypeOfSymbol(symbol)) ||
      ts.findAncestor(declaration, (node) => augmentations.includes(node)) !== undefined;
    if (!hasName && !unnamed.has(symbol)) {
      unnamed.set(symbol, `${symbol.name} (${source.fileName.slice(own.length)}, in ${from})`);
    }
    walk(symbol);
  };
  for (const symbol of named) walk(symbol);
  for (const node of augmentations) visit(node, 'what is added to other modules');
  return { exported, unnamed: [...unnamed.values()].sort() };
}
