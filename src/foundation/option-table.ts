/**
 * Option tables: one entry an option, from which its name, its type, its default and its check follow. Every option of this
 * library is read through such a table, so that a name that is none is noticed at every level and a mistake has one wording.
 */
import { OptionError } from './errors.ts';
import { nearestName } from './nearest-name.ts';
import { shown } from './option-values.ts';
import type { Reader } from './option-values.ts';

/** What an option has to do with; nothing said: with everything. */
export interface Concerns {
  /** HTTP schemes it means something to. */
  readonly schemes?: readonly string[];
  /** Providers it means something to. */
  readonly providers?: readonly string[];
}

/** One entry of a table. */
export interface OptionEntry<Read, Written = Read> extends Concerns {
  readonly read: Reader<Exclude<Read, undefined>, Written>;
  /** What counts where the option is left out. */
  readonly default?: Read;
  /** For the documentation, where the default is no constant: `this computer's name`. */
  readonly otherwise?: string;
}

/** An option that cannot be left out. */
export interface RequiredEntry<Read, Written = Read> extends OptionEntry<Read, Written> {
  /** What to write, in one sentence. */
  readonly required: string;
}

/** Entries by name. A reader's parameter is `unknown`, so each entry fits whatever its types are. */
export type OptionTable = Readonly<Record<string, OptionEntry<unknown, unknown>>>;

type ReadOf<E> = E extends OptionEntry<infer Read, unknown> ? Read : never;
type WrittenOf<E> = E extends OptionEntry<unknown, infer Written> ? Written : never;
type RequiredNames<T> = { [K in keyof T]: T[K] extends { readonly required: string } ? K : never }[keyof T];

/** What a caller may write. */
export type OptionsOf<T> = {
  readonly [K in keyof T as K extends RequiredNames<T> ? never : K]?: WrittenOf<T[K]>;
} & {
  readonly [K in keyof T as K extends RequiredNames<T> ? K : never]: WrittenOf<T[K]>;
};

/** The same, of what programs put together: `undefined` may be written for an option that is left out. */
export type AuthDataOf<T> = {
  readonly [K in keyof T as K extends RequiredNames<T> ? never : K]?: WrittenOf<T[K]> | undefined;
} & {
  readonly [K in keyof T as K extends RequiredNames<T> ? K : never]: WrittenOf<T[K]>;
};

/** What the library goes by: every option by name, checked and complete. */
export type SettingsOf<T> = { readonly [K in keyof T]: ReadOf<T[K]> };

/** An option that may be left out; `otherwise` is for the documentation. */
export function optional<Read, Written = Read>(
  read: Reader<Read, Written>,
  more: Concerns & { readonly otherwise?: string } = {},
): OptionEntry<Read | undefined, Written> {
  return Object.freeze({ read: read as Reader<Exclude<Read, undefined>, Written>, ...more });
}

/** An option that has a default. */
export function defaulted<Read, Written = Read>(
  read: Reader<Read, Written>,
  value: Read,
  more: Concerns & { readonly otherwise?: string } = {},
): OptionEntry<Read, Written> {
  return Object.freeze({ read: read as Reader<Exclude<Read, undefined>, Written>, default: value, ...more });
}

/** An option that has to be given. @param cure what to write, in one sentence */
export function required<Read, Written = Read>(
  read: Reader<Read, Written>,
  cure: string,
  more: Concerns = {},
): RequiredEntry<Read, Written> {
  return Object.freeze({ read: read as Reader<Exclude<Read, undefined>, Written>, required: cure, ...more });
}

/** The reader of an option that is an object of options itself. */
export function group<T extends OptionTable>(table: T): Reader<SettingsOf<T>, OptionsOf<T>> {
  return Object.assign((value: unknown, option: string) => readOptions(table, value, option), {
    names: Object.keys(table),
  });
}

/** What a table makes of nothing: its defaults. */
export function defaultsOf<T extends OptionTable>(table: T): SettingsOf<T> {
  return readOptions(table, {}, 'options');
}

/**
 * Reads the options that a caller gave. `undefined` stands for an option that is left out.
 *
 * @param given what was written; it may be JavaScript
 * @param path of the object itself, such as `limits`; `options` where it is the outermost one, whose options are called by
 *   their names alone
 * @returns frozen; every name of the table is there
 * @throws OptionError for what is no object, a name that is not in the table, an option that is missing or cannot be used
 */
export function readOptions<T extends OptionTable>(table: T, given: unknown, path: string): SettingsOf<T> {
  const names = Object.keys(table);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new OptionError(
      path,
      given === undefined ? 'is missing' : shown(given),
      `Give an object with some of: ${names.join(', ')}.`,
    );
  }
  const prefix = path === 'options' ? '' : `${path}.`;
  checkNames(table, given, prefix);
  const read: Record<string, unknown> = {};
  for (const name of names) {
    const entry = table[name] as OptionEntry<unknown, unknown> & { readonly required?: string };
    const value = (given as Readonly<Record<string, unknown>>)[name];
    if (value !== undefined) read[name] = entry.read(value, `${prefix}${name}`);
    else if (entry.required !== undefined) throw new OptionError(`${prefix}${name}`, 'is missing', entry.required);
    else read[name] = entry.default;
  }
  return Object.freeze(read) as SettingsOf<T>;
}

/** The names of a table that were given, in the table's order. */
export function givenNames<T extends OptionTable>(table: T, given: object): readonly (keyof T & string)[] {
  return Object.keys(table).filter((name) => (given as Readonly<Record<string, unknown>>)[name] !== undefined);
}

function checkNames(table: OptionTable, given: object, prefix: string): void {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(table, name)) continue;
    const near = nearestName(name, Object.keys(table)) ?? inner(name, table);
    const cure = near === undefined ? `There are: ${Object.keys(table).join(', ')}.` : `Write "${prefix}${near}".`;
    throw new OptionError(`${prefix}${name}`, 'is not an option', cure);
  }
}

/** The right name one level further in: `limits.tokenBytes` for `tokenBytes`. */
function inner(name: string, table: OptionTable): string | undefined {
  for (const [outer, { read }] of Object.entries(table)) {
    if (read.names?.includes(name) === true) return `${outer}.${name}`;
  }
  return undefined;
}
