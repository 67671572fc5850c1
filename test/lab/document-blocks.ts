/**
 * The fenced blocks of the documents, and who runs them. A block that no test runs has a comment on the line before it, of
 * which readers see nothing: `<!-- not run: the reason -->`.
 */
import { documents } from './documents.ts';
import { fences } from './markdown.ts';
import type { Fence } from './markdown.ts';

/** A fenced block, and where it stands. */
export interface DocumentBlock extends Fence {
  /** Path of its document from the root. */
  readonly path: string;
  /** `docs/linux.md:25`, for messages. */
  readonly place: string;
  /** Why no test runs it: what the comment before it says, empty where that gives no reason. Undefined: it is run. */
  readonly notRun?: string;
}

/**
 * Which test file runs the blocks of a language: all of them that have no comment, which it takes by `blocksOf`. Languages
 * with a list are those of programs and configuration; each block of a document names one of them.
 */
export const blockTests = {
  js: 'test/project/document-code.test.ts',
  ts: 'test/project/document-code.test.ts',
  html: 'test/live/documents/pages.live.test.ts',
  sh: 'test/live/documents/shell.live.test.ts',
  ini: 'test/live/documents/shell.live.test.ts',
  ktutil: 'test/live/kerberos/active-directory.live.test.ts',
  kadmin: 'test/live/documents/shell.live.test.ts',
  nginx: 'test/live/documents/proxies.live.test.ts',
  haproxy: 'test/live/documents/proxies.live.test.ts',
  systemd: 'test/live/documents/units.live.test.ts',
  dockerfile: 'test/project/container-files.test.ts',
  yaml: 'test/project/container-files.test.ts',
} as const;

/** A language whose blocks are run. */
export type RunLanguage = keyof typeof blockTests;

const notRunPattern = /^<!-- not run:(.*)-->$/;

/** The fenced blocks of a document. @param path of the document from the root */
export function blocksIn(path: string, markdown: string): DocumentBlock[] {
  const lines = markdown.split('\n');
  return fences(markdown).map((fence) => {
    // Prettier keeps an empty line between a comment and the block.
    const before = lines.slice(0, fence.line - 1).filter((line) => line.trim() !== '');
    const notRun = notRunPattern.exec(before.at(-1) ?? '')?.[1]?.trim();
    const place = `${path}:${fence.line}`;
    return { ...fence, path, place, ...(notRun !== undefined && { notRun }) };
  });
}

/** The blocks of all documents. */
export function allBlocks(): DocumentBlock[] {
  return [...documents()].flatMap(([path, markdown]) => blocksIn(path, markdown));
}

/** The blocks of one language that are to be run. */
export function blocksOf(language: RunLanguage): DocumentBlock[] {
  return allBlocks().filter((block) => block.language === language && block.notRun === undefined);
}

/** What is wrong with a block: nothing runs it and no reason is given, or a reason of no words. */
export function blockProblem({ language, notRun, place }: DocumentBlock): string | undefined {
  if (notRun !== undefined) {
    return notRun.split(/\s+/).length < 3 ? `${place}: the comment "not run" gives no reason` : undefined;
  }
  if (Object.hasOwn(blockTests, language)) return undefined;
  return `${place}: no test runs blocks of "${language}"; name another language, or say why: <!-- not run: reason -->`;
}

/** The commands of a shell block: lines without their comments, continued lines joined, empty ones left out. */
export function commandsOf(code: string): string[] {
  return code
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) =>
      line
        .replace(/(^|\s)#.*$/, '')
        .replace(/\s+/g, ' ')
        .trim(),
    )
    .filter((line) => line !== '');
}
