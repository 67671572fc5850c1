/**
 * Readers of option values. Each looks at a value before it is believed, since what was written may be JavaScript, and
 * words its mistake in one way: what the value is, and what to give instead.
 */
import type { Clock, RandomSource } from './clock.ts';
import { OptionError } from './errors.ts';
import { hasControlCharacter } from './text.ts';

/**
 * Reads the value of an option that was given.
 *
 * `Written` is what a caller may write where that is more than what is read: a text for bytes.
 *
 * @param option path of the option, for the error: `limits.tokenBytes`
 * @throws OptionError
 */
export type Reader<Read, Written = Read> = ((value: unknown, option: string) => Read) & {
  readonly written?: Written;
  /** The names that the value may have, where it is an object with a table of its own. */
  readonly names?: readonly string[];
};

/** A value in a message; of a long text its beginning. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `is ${JSON.stringify(value.slice(0, 100))}`;
  return typeof value === 'number' || typeof value === 'boolean'
    ? `is ${String(value)}`
    : `is ${value === null ? 'null' : Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`}`;
}

/** A text without control characters. */
export const text: Reader<string> = (value, option) => {
  if (typeof value !== 'string' || value === '' || hasControlCharacter(value)) {
    throw new OptionError(option, shown(value), 'Give a non-empty string without control characters, or leave it out.');
  }
  return value;
};

/** A list with something in it; each item is read by itself. */
export function listOf<T>(item: Reader<T>, what: string): Reader<readonly T[]> {
  return (value, option) => {
    if (!Array.isArray(value) || value.length === 0) {
      throw new OptionError(option, shown(value), `Give a non-empty array of ${what}, or leave it out.`);
    }
    return Object.freeze(value.map((given: unknown, index) => item(given, `${option}[${index}]`)));
  };
}

/** One of a few words. */
export function oneOf<const T extends string>(...words: readonly T[]): Reader<T> {
  return (value, option) => {
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    throw new OptionError(option, shown(value), `Give one of: ${words.map((word) => `'${word}'`).join(', ')}.`);
  };
}

/** Some of a few words, each once, in an order that means something. */
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

/** Yes or no. */
export const flag: Reader<boolean> = (value, option) => {
  if (typeof value !== 'boolean') throw new OptionError(option, shown(value), 'Give true or false.');
  return value;
};

/** A function. What it gives is looked at when it is called. */
export function callable<F extends (...parameters: never[]) => unknown>(): Reader<F> {
  return (value, option) => {
    if (typeof value !== 'function') throw new OptionError(option, shown(value), 'Give a function, or leave it out.');
    return value as F;
  };
}

/** A whole number between two others. */
export function wholeNumber(least: number, most: number): Reader<number> {
  return (value, option) => {
    if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
      throw new OptionError(option, shown(value), `Give a whole number between ${least} and ${most}.`);
    }
    return value as number;
  };
}

/**
 * Random bytes, or a text in their place (UTF-8). They are copied: their caller may wipe its own. The error says nothing of
 * them, not even their number.
 */
export function secretBytes(least: number): Reader<Uint8Array, Uint8Array | string> {
  return (value, option) => {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
    if (!(bytes instanceof Uint8Array) || bytes.byteLength < least) {
      const cure = `Give ${least} random bytes, or a text as long as that.`;
      throw new OptionError(option, 'is too short or no bytes', cure);
    }
    return Uint8Array.from(bytes);
  };
}

/** Where the time comes from. */
export const clock: Reader<Clock> = (value, option) => {
  const { now, elapsed } = (value ?? {}) as Partial<Record<keyof Clock, unknown>>;
  if (typeof now !== 'function' || typeof elapsed !== 'function') {
    throw new OptionError(option, shown(value), 'Give { now(), elapsed() } in milliseconds, or leave it out.');
  }
  return value as Clock;
};

/** Where random bytes come from. */
export const random: Reader<RandomSource> = (value, option) => {
  if (typeof value !== 'function') {
    throw new OptionError(option, shown(value), 'Give a function of as many random bytes as it is asked for.');
  }
  return value as RandomSource;
};
