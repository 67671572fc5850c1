/** Type-level assertions. */

/** `true` where both types are the same, optional and readonly markers included. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- what makes the comparison exact
export type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only for `true`. */
export type Expect<T extends true> = T;

export type EqualsItself = [
  Expect<Equals<{ readonly a?: string }, { readonly a?: string }>>,
  Expect<Equals<Equals<{ a: string }, { readonly a: string }>, false>>,
  Expect<Equals<Equals<string, unknown>, false>>,
  // @ts-expect-error the types differ
  Expect<Equals<string, string | undefined>>,
];
