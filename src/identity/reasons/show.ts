/**
 * Makes fields safe and short for a line of the log, and for a command that an operator copies out of it. A client
 * chooses some of them, so a command never has more of them than plain words.
 */
import { printable } from '../../foundation/text.ts';
import type { FieldKind, FieldKinds, FieldValues, Shown } from './row.ts';

/** How many names of a list are shown. */
export const SHOWN_NAMES = 5;
/** UTF-16 units of a name, of a path, and of a detail. */
const NAME_LENGTH = 120;
const PATH_LENGTH = 160;
const DETAIL_LENGTH = 300;

/** What could be a token or a hash: no row has a place for one, and where one gets into a text, it is not shown. */
const secretLike = /\b[0-9a-f]{32,}\b|[A-Za-z0-9+/_-]{64,}={0,2}/gi;
/** What is one word in sh, cmd.exe and PowerShell alike, and no option. */
const plainWord = /^[A-Za-z0-9./_@][A-Za-z0-9./_@:-]*$/;

/** At most five names and how many more there are. Each is said once. @param longest UTF-16 units of one */
export function listed(names: readonly string[], longest = NAME_LENGTH): string {
  const distinct = [...new Set(names)];
  const rest = distinct.length - SHOWN_NAMES;
  const first = distinct.slice(0, SHOWN_NAMES).map((name) => bounded(name, longest));
  return `${first.join(', ') || 'none'}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function bounded(text: string, longest: number): string {
  const shown = printable(text.replace(secretLike, '[masked]'), longest);
  return text.length > longest ? `${shown}…` : shown;
}

/** A name that is not plain is quoted, so that it does not read like words of the line. */
function shownName(name: string): string {
  const shown = bounded(name, NAME_LENGTH);
  return /^[\p{L}\p{N}/@._:$\\<>[\]…-]+$/u.test(shown) ? shown : JSON.stringify(shown).replaceAll('\\\\u', '\\u');
}

/** The value of any kind of field. */
type Value = string | number | readonly string[] | undefined;

function shownValue(kind: FieldKind, value: Value): string {
  if (value === undefined) return '';
  if (typeof value === 'object') return listed(value);
  const text = String(value);
  if (kind === 'name') return shownName(text);
  // The operator's own: nothing in it is hidden from the operator.
  if (kind === 'path') return printable(text, PATH_LENGTH);
  return bounded(text, DETAIL_LENGTH);
}

/** One word of a command line. */
function argumentValue(field: string, kind: FieldKind, value: Value): string {
  if (typeof value === 'object') return field.toUpperCase();
  const text = String(value);
  // A keytab that is no file (`given as bytes`): the command writes to a file of its own.
  if (kind === 'path' && !text.includes('/') && text.includes(' ')) return 'FILE';
  if (plainWord.test(text) && text.length <= (kind === 'path' ? PATH_LENGTH : NAME_LENGTH)) return text;
  // Only the operator's own text is quoted, for sh. In a client's name every sign could mean something to some shell.
  if (kind === 'path' && printable(text, PATH_LENGTH) === text) return `'${text.replaceAll("'", `'\\''`)}'`;
  return field.toUpperCase();
}

function mapped<Kinds extends FieldKinds>(kinds: Kinds, one: (field: string, kind: FieldKind) => string): Shown<Kinds> {
  const pairs = Object.entries(kinds).map(([field, kind]) => [field, one(field, kind)]);
  return Object.fromEntries(pairs) as Shown<Kinds>;
}

/** The fields of a row for its sentences. */
export function shownFields<Kinds extends FieldKinds>(kinds: Kinds, values: FieldValues<Kinds>): Shown<Kinds> {
  return mapped(kinds, (field, kind) => shownValue(kind, values[field]));
}

/** The fields of a row for its commands. */
export function argumentFields<Kinds extends FieldKinds>(kinds: Kinds, values: FieldValues<Kinds>): Shown<Kinds> {
  return mapped(kinds, (field, kind) => argumentValue(field, kind, values[field]));
}
