import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { acquire } from '../../../src/authenticator/providers/availability.ts';
import { OptionError } from '../../../src/foundation/errors.ts';
import type { SecurityPackage } from '../../../src/sspi/index.ts';
import { ScriptedPackage } from '../scripted-package.ts';

/** A package that acquires no credential. */
function broken(error: Error): SecurityPackage {
  const { info } = new ScriptedPackage({});
  return {
    info,
    acquireCredentials() {
      throw error;
    },
  };
}

describe('an option that a package refuses', () => {
  for (const [path, names, option] of [
    ['authData.keytab', undefined, 'keytab'],
    ['authData.keytab', { nonceLifetime: 'digest.nonceLifetime' }, 'keytab'],
    ['authData.nonceLifetime', { nonceLifetime: 'digest.nonceLifetime' }, 'digest.nonceLifetime'],
    ['authData.packages[1].authData.domain', undefined, 'domain'],
    ['principal', undefined, 'principal'],
  ] as const) {
    it(`has the name that the operator gave it: ${path} is ${option}`, () => {
      assert.throws(
        () => acquire(broken(new OptionError(path, 'is 5', 'Leave it out.')), {}, names),
        (error) =>
          error instanceof OptionError && error.option === option && error.message.includes(`"${option}" is 5`),
      );
    });
  }

  it('is no cause to rename another error', () => {
    const error = new TypeError('authData.keytab');
    assert.throws(() => acquire(broken(error), {}), error);
  });
});
