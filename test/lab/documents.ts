/** The documents of this repository, by their paths from its root. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fences } from './markdown.ts';
import type { Fence } from './markdown.ts';

/** The repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Text of a file. @param path from the root */
export function readDocument(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Every document: those at the top, and those of docs/. */
export function documents(): ReadonlyMap<string, string> {
  const names = ['.', 'docs'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => (folder === '.' ? name : `${folder}/${name}`)),
  );
  return new Map(names.sort().map((name) => [name, readDocument(name)]));
}

/** A block of TypeScript or JavaScript, and what a file with it is called. */
export interface CodeBlock extends Fence {
  readonly file: string;
}

/**
 * The blocks of TypeScript and JavaScript of a document. One with the note `file=NAME` has that name, for those that import
 * it; the others are called by their line.
 */
export function codeBlocks(markdown: string): CodeBlock[] {
  return fences(markdown)
    .filter(({ language }) => ['ts', 'js', 'mjs', 'cjs', 'mts', 'cts', 'tsx', 'jsx'].includes(language))
    .map((fence) => ({ ...fence, file: /(?:^| )file=(\S+)/.exec(fence.note)?.[1] ?? `line-${fence.line}.ts` }));
}
