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

/** Walks through declarations, and through types that were computed and are declared nowhere. */
class Walk {
  readonly #checker: ts.TypeChecker;
  /** Beginning of the path of every file of the package, as the compiler writes it: with `/`. */
  readonly #folder: string;
  readonly #named = new Set<ts.Symbol>();
  /** The same types by another name, such as an alias that an entry point gives to what it can only infer. */
  readonly #namedTypes = new Set<ts.Type>();
  /** `declare global` and `declare module`: what is in them has a name there. */
  readonly #augmentations: ts.Node[] = [];
  readonly #seen = new Set<ts.Symbol | ts.Type>();
  readonly #unnamed = new Map<ts.Symbol, string>();

  constructor(checker: ts.TypeChecker, folder: string) {
    this.#checker = checker;
    this.#folder = `${folder.replaceAll('\\', '/')}/`;
  }

  /** Takes in what an entry point exports. @returns the names of its types */
  addEntry(source: ts.SourceFile): string[] {
    const module = this.#checker.getSymbolAtLocation(source);
    if (module === undefined) throw new Error(`${source.fileName} is no module`);
    const symbols = this.#checker.getExportsOfModule(module);
    for (const symbol of symbols.map((one) => this.#resolved(one))) {
      this.#named.add(symbol);
      if (isType(symbol)) this.#namedTypes.add(this.#checker.getDeclaredTypeOfSymbol(symbol));
    }
    this.#augmentations.push(...source.statements.filter((node) => ts.isModuleDeclaration(node)));
    const names = symbols.filter((symbol) => isType(this.#resolved(symbol))).map(({ name }) => name);
    return names.filter((name) => name !== 'default').sort();
  }

  /** After all entry points. */
  unnamed(): string[] {
    for (const symbol of this.#named) this.#declarations(symbol);
    for (const node of this.#augmentations) this.#node(node, 'what is added to other modules');
    return [...this.#unnamed.values()].sort();
  }

  #resolved(symbol: ts.Symbol): ts.Symbol {
    return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : this.#checker.getAliasedSymbol(symbol);
  }

  /** Whether the package declares it, and does not only add to what others declare. */
  #isOwn({ declarations = [] }: ts.Symbol): boolean {
    const isOwn = (node: ts.Node): boolean => node.getSourceFile().fileName.startsWith(this.#folder);
    return declarations.length > 0 && declarations.every(isOwn);
  }

  #declarations(symbol: ts.Symbol): void {
    if (this.#seen.has(symbol) || !this.#isOwn(symbol)) return;
    this.#seen.add(symbol);
    for (const declaration of symbol.declarations ?? []) this.#node(declaration, symbol.name);
  }

  #node(node: ts.Node, from: string): void {
    if (isPrivate(node) || this.#isOutOfReach(node)) return;
    // Names of properties are no types.
    if (ts.isTypeOperatorNode(node) && node.operator === ts.SyntaxKind.KeyOfKeyword) return;
    const name = mentioned(node);
    const found = name === undefined ? undefined : this.#checker.getSymbolAtLocation(name);
    const symbol = found === undefined ? undefined : this.#resolved(found);
    if (symbol !== undefined && this.#isComputation(symbol)) {
      this.#type(this.#checker.getTypeAtLocation(node), from);
      return;
    }
    if (symbol !== undefined) this.#meet(symbol, from);
    ts.forEachChild(node, (child) => this.#node(child, from));
  }

  /** A member whose key is a symbol that no entry point exports: nobody outside can read or write it. */
  #isOutOfReach(node: ts.Node): boolean {
    if (!ts.isPropertySignature(node) && !ts.isPropertyDeclaration(node)) return false;
    if (!ts.isComputedPropertyName(node.name)) return false;
    const key = this.#checker.getSymbolAtLocation(node.name.expression);
    return key !== undefined && this.#isOwn(key) && !this.#named.has(this.#resolved(key));
  }

  /** A generic alias that no entry point exports computes a type of others: a user meets what comes of it. */
  #isComputation(symbol: ts.Symbol): boolean {
    const isGeneric = symbol.declarations?.some((node) => ts.isTypeAliasDeclaration(node) && node.typeParameters);
    return isGeneric === true && this.#isOwn(symbol) && !this.#named.has(symbol);
  }

  /** What a type that was computed is made of. */
  #type(type: ts.Type, from: string): void {
    if (this.#seen.has(type)) return;
    this.#seen.add(type);
    const { aliasSymbol, aliasTypeArguments = [] } = type;
    if (aliasSymbol !== undefined && !this.#isComputation(aliasSymbol)) {
      this.#meet(aliasSymbol, from);
      for (const argument of aliasTypeArguments) this.#type(argument, from);
      return;
    }
    if (type.isUnionOrIntersection()) for (const member of type.types) this.#type(member, from);
    if ((type.flags & ts.TypeFlags.Object) === 0) return;
    const { objectFlags } = type as ts.ObjectType;
    if ((objectFlags & ts.ObjectFlags.Reference) !== 0) {
      for (const argument of this.#checker.getTypeArguments(type as ts.TypeReference)) this.#type(argument, from);
    }
    if ((objectFlags & ts.ObjectFlags.ClassOrInterface) !== 0 || (objectFlags & ts.ObjectFlags.Reference) !== 0) {
      this.#meet(type.symbol, from);
      return;
    }
    for (const property of type.getProperties()) this.#type(this.#checker.getTypeOfSymbol(property), from);
    for (const signature of type.getCallSignatures()) {
      this.#type(signature.getReturnType(), from);
      for (const parameter of signature.parameters) this.#type(this.#checker.getTypeOfSymbol(parameter), from);
    }
  }

  #meet(symbol: ts.Symbol, from: string): void {
    const [declaration] = symbol.declarations ?? [];
    // The name of a type parameter is the business of its own declaration.
    if (declaration === undefined || ts.isTypeParameterDeclaration(declaration) || !this.#isOwn(symbol)) return;
    const hasName =
      !isType(symbol) ||
      this.#named.has(symbol) ||
      this.#namedTypes.has(this.#checker.getDeclaredTypeOfSymbol(symbol)) ||
      ts.findAncestor(declaration, (node) => this.#augmentations.includes(node)) !== undefined;
    if (!hasName && !this.#unnamed.has(symbol)) {
      const file = declaration.getSourceFile().fileName.slice(this.#folder.length);
      this.#unnamed.set(symbol, `${symbol.name} (${file}, in ${from})`);
    }
    this.#declarations(symbol);
  }
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
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    // What other packages declare is their own affair.
    types: [],
  });
  const walk = new Walk(program.getTypeChecker(), folder);
  const exported = new Map<string, readonly string[]>();
  for (const [entry, path] of entries) {
    const source = program.getSourceFile(path);
    if (source === undefined) throw new Error(`${entry}: there is no ${path}`);
    exported.set(entry, walk.addEntry(source));
  }
  return { exported, unnamed: walk.unnamed() };
}
