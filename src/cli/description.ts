/** The description of a token or a header field for people, and its form in a terminal. */
import { escapeUnsafe } from '../foundation/text.ts';

/** One thing that was decoded, such as a message of a handshake. */
export interface Description {
  /** What it is, as its specification calls it: `NTLM AUTHENTICATE_MESSAGE`. */
  readonly title: string;
  /** What matters most, in a word or two each: `NTLMv2`, `MIC`. */
  readonly highlights: readonly string[];
  readonly fields: readonly DescribedField[];
}

/** One field: a text, a list of names, or a description of its own. */
export type DescribedField =
  | { readonly name: string; readonly text: string }
  | { readonly name: string; readonly names: readonly string[] }
  | { readonly name: string; readonly inner: Description };

/**
 * A description as a tree for a terminal.
 *
 * @returns lines without line ends; the first is the title
 */
export function descriptionLines(description: Description): readonly string[] {
  const { title, highlights, fields } = description;
  const head = highlights.length === 0 ? title : `${title}  [${highlights.join(', ')}]`;
  const lines = [escapeUnsafe(head)];
  const width = Math.max(0, ...fields.map(({ name }) => name.length));
  fields.forEach((field, index) => {
    const last = index === fields.length - 1;
    const [first = '', ...rest] = fieldLines(field, width);
    lines.push(`${last ? '└─ ' : '├─ '}${first}`, ...rest.map((line) => `${last ? '   ' : '│  '}${line}`));
  });
  return lines;
}

function fieldLines(field: DescribedField, width: number): readonly string[] {
  const name = field.name.padEnd(width);
  const indent = ' '.repeat(width + 2);
  if ('text' in field) return [`${name}  ${escapeUnsafe(field.text)}`];
  if ('names' in field) {
    const [first = 'none', ...rest] = field.names.map((name) => escapeUnsafe(name));
    return [`${name}  ${first}`, ...rest.map((flag) => indent + flag)];
  }
  const [title = '', ...rest] = descriptionLines(field.inner);
  return [`${name}  ${title}`, ...rest];
}
