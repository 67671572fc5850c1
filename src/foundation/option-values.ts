/**
 * Readers of option values. Each reader checks the type at run time, because the caller may be JavaScript. All errors
 * have the same form: what the value is, and what to give instead.
 */
import type { Clock, RandomSource } from './clock.ts';
import { OptionError } from './errors.ts';
import { Secret } from './secret.ts';
import { hasControlCharacter } from './text.ts';

/**
 * Checks the value of an option that was given, and returns what the library uses.
 *
 * `Written` is the type that a caller may write, if the reader accepts more than it returns: a string for bytes.
 *
 * @param option path of the option, for the error: `limits.tokenBytes`
 * @throws OptionError if the value cannot be used
 */
export type Reader<Read, Written = Read> = ((value: unknown, option: string) => Read) & {
  readonly written?: Written;
  /** For a value that is an object with its own table: the names in that table. */
  readonly names?: readonly string[];
};

/** Describes a value, as the problem of an OptionError. A long string is cut. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `is ${JSON.stringify(value.slice(0, 100))}`;
  return typeof value === 'number' || typeof value === 'boolean'
    ? `is ${String(value)}`
    : `is ${value === null ? 'null' : Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`}`;
}

/** Reads a non-empty string without control characters. */
export const text: Reader<string> = (value, option) => {
  if (typeof value !== 'string' || value === '' || hasControlCharacter(value)) {
    throw new OptionError(option, shown(value), 'Give a non-empty string without control characters, or leave it out.');
  }
  return value;
};

/**
 * Reads a non-empty array, each item with `item`.
 *
 * @param what what the items are, in the plural, for the error
 */
export function listOf<T>(item: Reader<T>, what: string): Reader<readonly T[]> {
  return (value, option) => {
    if (!Array.isArray(value) || value.length === 0) {
      throw new OptionError(option, shown(value), `Give a non-empty array of ${what}, or leave it out.`);
    }
    return Object.freeze(value.map((given: unknown, index) => item(given, `${option}[${index}]`)));
  };
}

/** Reads one of the given words. */
export function oneOf<const T extends string>(...words: readonly T[]): Reader<T> {
  return (value, option) => {
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    throw new OptionError(option, shown(value), `Give one of: ${words.map((word) => `'${word}'`).join(', ')}.`);
  };
}

/** Reads a non-empty array of the given words, each at most once. Keeps their order. */
export function someOf<const T extends string>(...words: readonly T[]): Reader<readonly T[]> {
  const known = words.join(', ');
  return (value, option) => {
    if (!Array.isArray(value) || value.length === 0) {
      throw new OptionError(option, shown(value), `Give a non-empty array of: ${known}.`);
    }
    const found = value.map((given: unknown) => {
      const word = words.find((candidate) => candidate === given);
      if (word !== undefined) return word;
      const problem = typeof given === 'string' ? JSON.stringify(given) : `a value of type ${typeof given}`;
      throw new OptionError(option, `has ${problem}`, `Give some of: ${known}.`);
    });
    if (new Set(found).size !== found.length) throw new OptionError(option, 'has a name twice', 'Name each once.');
    return Object.freeze(found);
  };
}

/** Reads true or false. */
export const flag: Reader<boolean> = (value, option) => {
  if (typeof value !== 'boolean') throw new OptionError(option, shown(value), 'Give true or false.');
  return value;
};

/** Reads a function. What it returns is checked where it is called. */
export function callable<F extends (...parameters: never[]) => unknown>(): Reader<F> {
  return (value, option) => {
    if (typeof value !== 'function') throw new OptionError(option, shown(value), 'Give a function, or leave it out.');
    return value as F;
  };
}

/** Reads a whole number from `least` to `most`, both included. */
export function wholeNumber(least: number, most: number): Reader<number> {
  return (value, option) => {
    if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
      throw new OptionError(option, shown(value), `Give a whole number between ${least} and ${most}.`);
    }
    return value as number;
  };
}

/**
 * Reads random bytes, or a string that is used as UTF-8. The bytes are copied, so the caller may wipe its own. The
 * error says nothing about them, not even how many there are.
 *
 * @param least smallest number of bytes
 */
export function secretBytes(least: number): Reader<Secret, Uint8Array | string> {
  return (value, option) => {
    // Settings that were read once are read again by the package that they are for.
    if (value instanceof Secret) return value;
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
    if (!(bytes instanceof Uint8Array) || bytes.byteLength < least) {
      const cure = `Give at least ${least} random bytes, or a string of at least ${least} bytes.`;
      throw new OptionError(option, 'is too short, or is neither bytes nor a string', cure);
    }
    return new Secret(bytes);
  };
}

/** Reads a Clock. */
export const clock: Reader<Clock> = (value, option) => {
  const { now, elapsed } = (value ?? {}) as Partial<Record<keyof Clock, unknown>>;
  if (typeof now !== 'function' || typeof elapsed !== 'function') {
    throw new OptionError(option, shown(value), 'Give { now(), elapsed() } in milliseconds, or leave it out.');
  }
  return value as Clock;
};

/** Reads a RandomSource. */
export const random: Reader<RandomSource> = (value, option) => {
  if (typeof value !== 'function') {
    throw new OptionError(option, shown(value), 'Give a function (size) that returns size random bytes.');
  }
  return value as RandomSource;
};
