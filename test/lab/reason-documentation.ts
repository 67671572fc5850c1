/** The part of docs/logging.md that lists the table of reasons. */
import { reasons, rowText } from '../../src/identity/reasons/reason.ts';
import type { Command, FieldKinds, FieldValues, Row } from '../../src/identity/reasons/row.ts';

/** Between these lines the part stands. */
export const marks = [
  '<!-- made by npm run docs:reasons -->',
  '<!-- end of what npm run docs:reasons makes -->',
] as const;

/** All rows by id, whatever their fields are. */
export const rows: readonly (readonly [id: string, row: Row])[] = Object.entries(
  reasons as unknown as Record<string, Row>,
);

/** Values for every field of a row. */
export function valuesOf(
  { fields }: Row,
  value: (field: string, kind: FieldKinds[string]) => string | number | readonly string[],
): FieldValues<FieldKinds> {
  const pairs = Object.entries(fields).map(([field, kind]) => [field, value(field, kind)]);
  return Object.fromEntries(pairs) as FieldValues<FieldKinds>;
}

/** The commands of a row with plain words in them. */
export function commandsOf(row: Row, words: Readonly<Record<string, string>> = {}): readonly Command[] {
  const names = Object.keys(row.fields).map((field) => [field, words[field] ?? field.toUpperCase()]);
  return row.commands(Object.fromEntries(names) as Record<string, string>);
}

function textOf(row: Row): string {
  const text = rowText(
    row,
    valuesOf(row, (field, kind) => (kind === 'names' ? [field.toUpperCase()] : field.toUpperCase())),
  );
  // In a table `|` ends a cell.
  return text.replaceAll('|', '\\|');
}

function commandText({ command, ...host }: Command): string {
  return host.runs === 'here' ? `\`${command}\`` : `[\`${command}\`](${host.page}) (Windows)`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** The part, before it is formatted. */
export function reasonDocumentation(): string {
  const lines = rows.map(([id, row]) =>
    line([
      `\`${id}\``,
      textOf(row),
      `${row.level}, ${row.said}`,
      `${commandsOf(row).map(commandText).join(', ')} [more](troubleshooting.md#${row.anchor})`.trim(),
    ]),
  );
  return [line(['reason', 'text', 'level, when', 'commands']), line(['---', '---', '---', '---']), ...lines].join('\n');
}
