/** HTML that escapes by itself: every value in a template is taken for text, unless it is HTML already. */

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

/**
 * Characters that HTML cannot contain or that change the direction of text. Names come from clients, and such
 * characters could disguise a name.
 */

const unsafe =
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]/gu;

/** Escapes a text for an element's content or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => references[character] ?? '')
    .replace(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
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
