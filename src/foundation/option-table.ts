/**
 * Option tables. Each option is one entry, which gives its name, its type, its default and its check. Every option of
 * this library is read through such a table. So an unknown name is noticed at every level, and every mistake is worded
 * the same way.
 */
import { OptionError } from './errors.ts';
import { nearestName } from './nearest-name.ts';
import { shown } from './option-values.ts';
import type { Reader } from './option-values.ts';

/** The schemes and providers that an option applies to. Left out means all. */
export interface Concerns {
  /** HTTP schemes that the option applies to. */
  readonly schemes?: readonly string[];
  /** Providers that the option applies to. */
  readonly providers?: readonly string[];
}

/** One entry of a table. */
export interface OptionEntry<Read, Written = Read> extends Concerns {
  readonly read: Reader<Exclude<Read, undefined>, Written>;
  /** The value used if the option is left out. */
  readonly default?: Read;
  /** The default in words, for the documentation, if it is not a constant: `this computer's name`. */
  readonly otherwise?: string;
}

/** An option that must be given. */
export interface RequiredEntry<Read, Written = Read> extends OptionEntry<Read, Written> {
  /** What to write, in one sentence: the cure in the error if the option is missing. */
  readonly required: string;
}

/** Entries by name. A reader takes `unknown`, so entries of every type fit. */
export type OptionTable = Readonly<Record<string, OptionEntry<unknown, unknown>>>;

type ReadOf<E> = E extends OptionEntry<infer Read, unknown> ? Read : never;
type WrittenOf<E> = E extends OptionEntry<unknown, infer Written> ? Written : never;
type RequiredNames<T> = { [K in keyof T]: T[K] extends { readonly required: string } ? K : never }[keyof T];

/** The object that a caller may write. */
export type OptionsOf<T> = {
  readonly [K in keyof T as K extends RequiredNames<T> ? never : K]?: WrittenOf<T[K]>;
} & {
  readonly [K in keyof T as K extends RequiredNames<T> ? K : never]: WrittenOf<T[K]>;
};

/** The same for objects that programs build: an option that is left out may also be written as `undefined`. */
export type AuthDataOf<T> = {
  readonly [K in keyof T as K extends RequiredNames<T> ? never : K]?: WrittenOf<T[K]> | undefined;
} & {
  readonly [K in keyof T as K extends RequiredNames<T> ? K : never]: WrittenOf<T[K]>;
};

/** The result of reading: every option by name, checked, with defaults filled in. */
export type SettingsOf<T> = { readonly [K in keyof T]: ReadOf<T[K]> };

/** An option that may be left out. `otherwise` describes its default in the documentation. */
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

/**
 * An option that must be given.
 *
 * @param cure what to write, in one sentence
 */
export function required<Read, Written = Read>(
  read: Reader<Read, Written>,
  cure: string,
  more: Concerns = {},
): RequiredEntry<Read, Written> {
  return Object.freeze({ read: read as Reader<Exclude<Read, undefined>, Written>, required: cure, ...more });
}

/** Makes the reader of an option whose value is itself an object of options. */
export function group<T extends OptionTable>(table: T): Reader<SettingsOf<T>, OptionsOf<T>> {
  return Object.assign((value: unknown, option: string) => readOptions(table, value, option), {
    names: Object.keys(table),
  });
}

/** The defaults of a table: what reading an empty object gives. */
export function defaultsOf<T extends OptionTable>(table: T): SettingsOf<T> {
  return readOptions(table, {}, 'options');
}

/**
 * Reads the options that a caller gave. `undefined` means that an option is left out.
 *
 * @param given what the caller wrote; a JavaScript caller may pass any type
 * @param path path of the object, such as `limits`, for errors; `options` for the outermost object, whose options are
 *   named without a prefix
 * @returns frozen; has every name of the table
 * @throws OptionError if the value is not an object, has a name that is not in the table, lacks a required option, or
 *   has an option that cannot be used
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

/** The names of the options that were given, in the table's order. */
export function givenNames<T extends OptionTable>(table: T, given: object): readonly (keyof T & string)[] {
  return Object.keys(table).filter((name) => (given as Readonly<Record<string, unknown>>)[name] !== undefined);
}

function checkNames(table: OptionTable, given: object, prefix: string): void {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(table, name)) continue;
    const near = nearestName(name, Object.keys(table)) ?? nestedName(name, table);
    const cure =
      near === undefined ? `The options are: ${Object.keys(table).join(', ')}.` : `Write "${prefix}${near}".`;
    throw new OptionError(`${prefix}${name}`, 'is not an option', cure);
  }
}

/** Finds a name that belongs one level deeper: `limits.tokenBytes` for `tokenBytes`. */
function nestedName(name: string, table: OptionTable): string | undefined {
  for (const [outer, { read }] of Object.entries(table)) {
    if (read.names?.includes(name) === true) return `${outer}.${name}`;
  }
  return undefined;
}
