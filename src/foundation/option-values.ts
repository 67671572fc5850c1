/** Values of options, looked at before they are believed: what was written may be JavaScript. */
import { OptionError } from './errors.ts';

/** A value in a message; of a long text its beginning. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `is ${JSON.stringify(value.slice(0, 100))}`;
  return typeof value === 'number' || typeof value === 'boolean'
    ? `is ${String(value)}`
    : `is ${value === null ? 'null' : Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`}`;
}

/** @throws OptionError for a name that is none of `names`, such as a misspelt one */
function knownNames(prefix: string, value: object, names: readonly string[]): void {
  for (const name of Object.keys(value)) {
    if (names.includes(name)) continue;
    const near = names.find((known) => known.toLowerCase() === name.toLowerCase());
    throw new OptionError(
      `${prefix}${name}`,
      'is not an option',
      near === undefined ? `There are: ${names.join(', ')}.` : `Write "${prefix}${near}".`,
    );
  }
}

/** A text without control characters. */
export function text(option: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (typeof value !== 'string' || value === '' || /[\u0000-\u001f\u007f-\u009f]/.test(value)) {
    throw new OptionError(option, shown(value), 'Give a non-empty string without control characters, or leave it out.');
  }
  return value;
}

/** Such texts, one at least. */
export function texts(option: string, value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length === 0) {
    throw new OptionError(option, shown(value), 'Give a non-empty array of strings, or leave it out.');
  }
  return Object.freeze(value.map((item: unknown, index) => text(`${option}[${index}]`, item ?? null) ?? ''));
}

/** One of a few words. */
export function oneOf<T extends string>(option: string, value: T | undefined, values: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  if (!values.includes(value)) {
    throw new OptionError(option, shown(value), `Give one of: ${values.map((known) => `'${known}'`).join(', ')}.`);
  }
  return value;
}

/** False where it is left out. */
export function flag(option: string, value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value !== 'boolean') throw new OptionError(option, shown(value), 'Give true or false.');
  return value;
}

/** A function. */
export function callable<F extends (...parameters: never[]) => unknown>(
  option: string,
  value: F | undefined,
): F | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'function') throw new OptionError(option, shown(value), 'Give a function, or leave it out.');
  return value;
}

/** An object whose members are the caller's to look at. */
export function record<T extends object>(option: string, value: T, names: readonly string[]): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OptionError(option, shown(value), `Give an object with some of: ${names.join(', ')}.`);
  }
  knownNames(option === 'options' ? '' : `${option}.`, value, names);
  return value;
}

/** 32 bits; 0 where they are left out. */
export function bits(option: string, value: unknown): number {
  if (value === undefined) return 0;
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 0xffffffff) {
    throw new OptionError(option, shown(value), 'Give ASC_RET_* bits of sspi-auth/sspi, or leave it out.');
  }
  return value as number;
}

/** Some of a few words, each once, in an order that means something. */
export function namesOf<T extends string>(
  option: string,
  value: unknown,
  known: readonly T[],
): readonly T[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length === 0) {
    throw new OptionError(option, shown(value), `Give a non-empty array of: ${known.join(', ')}.`);
  }
  const names = (value as readonly T[]).slice();
  for (const name of names) {
    if (!known.includes(name)) {
      const found = typeof name === 'string' ? JSON.stringify(name) : `a value of type ${typeof name}`;
      throw new OptionError(option, `has ${found}`, `Give some of: ${known.join(', ')}.`);
    }
  }
  if (new Set(names).size !== names.length) throw new OptionError(option, 'has a name twice', 'Name each once.');
  return Object.freeze(names);
}

/** Whether a value is a whole number between two others. */
export function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
}
