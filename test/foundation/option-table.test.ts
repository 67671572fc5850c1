/** Option tables: what they make of what was given, and how each mistake is worded. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OptionError } from '../../src/foundation/errors.ts';
import { defaulted, givenNames, group, optional, readOptions, required } from '../../src/foundation/option-table.ts';
import type { OptionsOf, SettingsOf } from '../../src/foundation/option-table.ts';
import { flag, oneOf, secretBytes, text, wholeNumber } from '../../src/foundation/option-values.ts';
import type { Secret } from '../../src/foundation/secret.ts';
import type { Equals, Expect } from '../types/equals.ts';

const inner = { bytes: defaulted(wholeNumber(0, 9), 3), loud: defaulted(flag, false) };
const table = {
  name: required(text, 'Give a name.'),
  colour: defaulted(oneOf('red', 'green'), 'green'),
  note: optional(text),
  secret: optional(secretBytes(4)),
  limits: optional(group(inner)),
};

export type TableTypes = [
  Expect<
    Equals<
      { [K in keyof OptionsOf<typeof table>]: OptionsOf<typeof table>[K] },
      {
        readonly colour?: 'red' | 'green';
        readonly note?: string;
        readonly secret?: Uint8Array | string;
        readonly limits?: OptionsOf<typeof inner>;
        readonly name: string;
      }
    >
  >,
  Expect<Equals<SettingsOf<typeof table>['colour'], 'red' | 'green'>>,
  Expect<Equals<SettingsOf<typeof table>['note'], string | undefined>>,
  Expect<Equals<SettingsOf<typeof table>['secret'], Secret | undefined>>,
  Expect<Equals<SettingsOf<typeof inner>, { readonly bytes: number; readonly loud: boolean }>>,
];

describe('an option table', () => {
  it('gives every name, what is left out as its default, and frozen', () => {
    const read = readOptions(table, { name: 'n', note: undefined }, 'options');
    assert.deepEqual(read, { name: 'n', colour: 'green', note: undefined, secret: undefined, limits: undefined });
    assert.ok(Object.isFrozen(read));
  });

  it('reads what is given, a group with its own defaults', () => {
    const read = readOptions(table, { name: 'n', colour: 'red', secret: 'äbc', limits: { loud: true } }, 'options');
    assert.equal(read.colour, 'red');
    assert.deepEqual(read.secret?.copy(), Uint8Array.from(Buffer.from('äbc')));
    // As when a package reads the settings that the authenticator has read.
    assert.equal(readOptions(table, { ...read, colour: 'green' }, 'options').secret, read.secret);
    assert.deepEqual(read.limits, { bytes: 3, loud: true });
    assert.ok(Object.isFrozen(read.limits));
  });

  it('knows which were given, in its own order', () => {
    assert.deepEqual(givenNames(table, { limits: {}, note: undefined, name: 'n' }), ['name', 'limits']);
  });

  const wrong: readonly (readonly [path: string, given: unknown, option: string, message: RegExp])[] = [
    ['options', undefined, 'options', /is missing\. Give an object with some of: name, colour/],
    ['options', null, 'options', /is null/],
    ['options', [], 'options', /is an array/],
    ['options', 'name', 'options', /is "name"/],
    ['options', {}, 'name', /is missing\. Give a name\./],
    ['options', { name: 'n', color: 'red' }, 'color', /is not an option\. Write "colour"/],
    ['options', { name: 'n', paint: 'red' }, 'paint', /is not an option\. The options are: name, colour, note/],
    ['options', { name: 'n', bytes: 1 }, 'bytes', /is not an option\. Write "limits\.bytes"/],
    ['options', { name: 'n', limits: { bite: 1, loud: true } }, 'limits.bite', /The options are: bytes, loud/],
    ['options', { name: 'n', limits: { byte: 1 } }, 'limits.byte', /Write "limits\.bytes"/],
    ['options', { name: 'n', limits: { bytes: 10 } }, 'limits.bytes', /is 10\. Give a whole number between 0 and 9/],
    ['options', { name: 'n', limits: 7 }, 'limits', /is 7\. Give an object with some of: bytes, loud/],
    ['authData', {}, 'authData.name', /option "authData\.name" is missing/],
    ['authData', { Name: 'n' }, 'authData.Name', /Write "authData\.name"/],
    ['authData', { name: 'n', limits: { loud: 'yes' } }, 'authData.limits.loud', /is "yes"\. Give true or false/],
    // A name that every object has is still none of the table.
    ['options', { name: 'n', constructor: 1 }, 'constructor', /is not an option/],
    ['options', JSON.parse('{"name":"n","__proto__":1}'), '__proto__', /is not an option/],
  ];
  for (const [path, given, option, message] of wrong) {
    it(`words it for ${path}: ${JSON.stringify(given)}`, () => {
      assert.throws(
        () => readOptions(table, given, path),
        (error: unknown) => {
          assert.ok(error instanceof OptionError);
          assert.equal(error.option, option);
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  it('never shows a secret, nor its length', () => {
    assert.throws(
      () => readOptions(table, { name: 'n', secret: 'xyz' }, 'options'),
      (error: unknown) => error instanceof OptionError && !/xyz|3/.test(error.message),
    );
  });

  it('says the same by the name that a caller has for the option', () => {
    const error = new OptionError('authData.secret', 'is too short', 'Not "authData.realm", not "SHA-256".').called(
      (path) => path.replace('authData', 'digest'),
    );
    assert.equal(error.message, 'sspi-auth: option "digest.secret" is too short. Not "digest.realm", not "SHA-256".');
    assert.equal(error.option, 'digest.secret');
  });
});
