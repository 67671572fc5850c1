import assert from 'node:assert/strict';
import { realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { publicTypes } from './public-types.ts';
import type { PublicTypes } from './public-types.ts';
import { scratchFolder } from './scratch.ts';

/** A package of declaration files, whose entry point is index.d.ts. */
async function typesOf(files: Readonly<Record<string, string>>): Promise<PublicTypes> {
  await using folder = await scratchFolder('public-types');
  for (const [name, text] of Object.entries(files)) await writeFile(folder.file(name), text);
  const path = await realpath(folder.path);
  return publicTypes(new Map([['package', join(path, 'index.d.ts')]]), path);
}

const hidden = { 'hidden.d.ts': 'export interface Hidden { a: string }' };

describe('the search for public types without a name', () => {
  const cases: [name: string, files: Readonly<Record<string, string>>, unnamed: readonly string[]][] = [
    [
      'finds the type of a parameter',
      { ...hidden, 'index.d.ts': "import type { Hidden } from './hidden.js'; export function f(a: Hidden): void;" },
      ['Hidden (hidden.d.ts, in f)'],
    ],
    [
      'finds what was inferred, and written as import(…)',
      { ...hidden, 'index.d.ts': "export declare const a: import('./hidden.js').Hidden[];" },
      ['Hidden (hidden.d.ts, in a)'],
    ],
    [
      'finds what a type without a name mentions in turn',
      {
        'index.d.ts': "import type { B } from './b.js'; export interface A { b: B }",
        'b.d.ts': "import type { Hidden } from './hidden.js'; export type B = readonly Hidden[];",
        ...hidden,
      },
      ['B (b.d.ts, in A)', 'Hidden (hidden.d.ts, in B)'],
    ],
    [
      'finds what an interface or a class extends',
      { ...hidden, 'index.d.ts': "import type { Hidden } from './hidden.js'; export interface A extends Hidden {}" },
      ['Hidden (hidden.d.ts, in A)'],
    ],
    [
      'finds what is added to another module',
      {
        ...hidden,
        'index.d.ts':
          "import type { Hidden } from './hidden.js'; declare global { interface Request { a: Hidden } } export {};",
      },
      ['Hidden (hidden.d.ts, in what is added to other modules)'],
    ],
    [
      'takes a type that is exported under another name',
      {
        ...hidden,
        'index.d.ts': `import type { Hidden } from './hidden.js';
          export { Hidden as Shown } from './hidden.js'; export function f(a: Hidden): void;`,
      },
      [],
    ],
    [
      'takes a type to which an entry point gives a name',
      {
        'index.d.ts': `import type { f } from './f.js';
          export { f } from './f.js'; export type Shown = Parameters<typeof f>[0];`,
        'f.d.ts': 'interface Hidden { a: string } export function f(a: Hidden): void; export {};',
      },
      [],
    ],
    [
      'finds what comes of a computation, and takes the computation itself for none',
      {
        'index.d.ts': `import type { Read } from './read.js'; export type A = Read<{ a: { value: import('./hidden.js').Hidden } }>;
          export type Names = keyof Read<{ a: { value: import('./hidden.js').Hidden } }>;`,
        'read.d.ts': `export type Read<T> = { [K in keyof T]: T[K] extends Entry<infer V> ? readonly V[] : never };
          interface Entry<V> { value: V } export {};`,
        ...hidden,
      },
      ['Hidden (hidden.d.ts, in A)'],
    ],
    [
      'leaves out what is private, and members of which nobody has the key',
      {
        'index.d.ts': "export { A } from './a.js';",
        'a.d.ts': `interface Hidden { a: string } declare const key: unique symbol;
          export declare class A { private b: Hidden; [key]?: Hidden } export {};`,
      },
      [],
    ],
    [
      'leaves out what other packages declare, and type parameters',
      { 'index.d.ts': "import type { Socket } from 'elsewhere'; export function f<T>(a: Socket, b: Date): T;" },
      [],
    ],
  ];
  for (const [name, files, unnamed] of cases) {
    it(name, async () => assert.deepEqual((await typesOf(files)).unnamed, unnamed));
  }

  it('gives the names of types, and not those of values', async () => {
    const { exported } = await typesOf({
      'index.d.ts': 'export declare const a: 1; export type B = 1; export declare class C {} export default C;',
    });
    assert.deepEqual([...exported], [['package', ['B', 'C']]]);
  });
});
