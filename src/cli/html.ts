/** HTML that escapes by itself: every value in a template is taken for text, unless it is HTML already. */
import { escapeUnsafe } from '../foundation/text.ts';

/** Markup that is safe to send. Only `html` makes it. */
export class Html {
  readonly markup: string;

  /** @param markup trusted, so it is not escaped; only `html` and `styleSheet` should call this */
  constructor(markup: string) {
    this.markup = markup;
  }
}

/** What a template can hold: text and numbers are escaped, lists are joined without anything between them. */
export type HtmlPart = Html | string | number | undefined | readonly HtmlPart[];

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Line ends and tabs are white space in HTML. Every other unsafe character could disguise a name that a client gave. */
const whiteSpace = '\t\n\r';

/** Escapes a text for an element's content or a quoted attribute. */
export function escapeHtml(text: string): string {
  const escaped = text.replace(/[&<>"']/g, (character) => references[character] ?? '');
  return escapeUnsafe(escaped, whiteSpace);
}

/** Makes HTML from a template. Parts in attributes must stand between quotes. */
export function html(template: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return new Html(template.map((text, index) => text + markupOf(parts[index])).join(''));
}

function markupOf(part: HtmlPart): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.markup;
  if (typeof part === 'object') return part.map(markupOf).join('');
  return escapeHtml(String(part));
}

/** A style sheet as an element. @param css without `</`, which would end it */
export function styleSheet(css: string): Html {
  return new Html(`<style>${css}</style>`);
}
