/** What the documents of this repository hold: code, links, headings, code in lines. The Markdown that GitHub shows. */

/** A fenced block. */
export interface Fence {
  /** The first word behind the fence: `ts`, `sh`; empty where there is none. */
  readonly language: string;
  /** What stands behind it, as `file=protect.ts`: readers see none of it. */
  readonly note: string;
  readonly code: string;
  /** Line of the document on which the fence opens, from 1. */
  readonly line: number;
}

const fencePattern = /^```([^\s`]*)[ \t]*([^\n]*)\n(.*?)^```$/gms;

/** The fenced blocks of a document. */
export function fences(markdown: string): Fence[] {
  return [...markdown.matchAll(fencePattern)].map(({ index, 1: language = '', 2: note = '', 3: code = '' }) => ({
    language,
    note,
    code,
    line: markdown.slice(0, index).split('\n').length,
  }));
}

/** The document without its fenced blocks, line by line as it was. */
function prose(markdown: string): string {
  return markdown.replace(fencePattern, (block) => block.replace(/[^\n]/g, ''));
}

/** Code within lines: what stands between backticks, outside fenced blocks. */
export function codeSpans(markdown: string): string[] {
  return [...prose(markdown).matchAll(/(`+)(.+?)\1(?!`)/g)].map(([, , code = '']) => code.trim());
}

/** Targets of links and images outside code, as written: `docs/linux.md#2-the-keytab`. */
export function linkTargets(markdown: string): string[] {
  const text = prose(markdown).replace(/(`+)(.+?)\1(?!`)/g, '');
  return [...text.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)].map(([, target = '']) => target);
}

/** Anchors of the headings, as GitHub makes them. */
export function anchors(markdown: string): string[] {
  const seen = new Map<string, number>();
  return [...prose(markdown).matchAll(/^#{1,6} +(.+?)(?: +#+)?$/gm)].map(([, heading = '']) => {
    const text = heading
      .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/(?<!\w)_([^_]+)_(?!\w)/g, '$1')
      .replace(/`/g, '');
    const slug = text
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
      .replace(/ /g, '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  });
}
