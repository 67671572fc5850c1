/** Which library verifies: told from what dlopen says, and said where it is not the first choice. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isAbsent } from '../../../../src/native/gssapi/call/library.ts';
import { warnOfFallback } from '../../../../src/native/gssapi/kerberos.ts';

const name = 'libgssapi_krb5.so.2';

describe('a library that cannot be opened', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['glibc', 'Failed to load shared library: cannot open shared object file: No such file or directory', true],
    ['musl', `Failed to load shared library: Error loading shared library ${name}: No such file or directory`, true],
    [
      'glibc: one that it needs is missing',
      'Failed to load shared library: libkeyutils.so.1: cannot open shared object file: No such file or directory',
      false,
    ],
    [
      'musl: one that it needs is missing',
      `Error loading shared library libkeyutils.so.1: No such file or directory (needed by /usr/lib/${name})`,
      false,
    ],
    [
      'musl: it is needed by another and missing',
      `Error loading shared library ${name}: No such file or directory (needed by /usr/lib/libx.so)`,
      false,
    ],
    ['it is cut off', `Failed to load shared library: /usr/lib/${name}: file too short`, false],
    ['it may not be read', 'Failed to load shared library: cannot open shared object file: Permission denied', false],
    ['for a reason that nobody knows', 'Failed to load shared library', false],
  ];
  for (const [why, reason, absent] of cases) {
    it(`is ${absent ? '' : 'not '}absent: ${why}`, () => assert.equal(isAbsent(name, reason), absent));
  }

  it('is absent if there is no file at its path, whatever the loader says', () => {
    assert.equal(isAbsent('/opt/absent/libgssapi_krb5.dylib', 'tried'), true);
    assert.equal(isAbsent(process.execPath, 'No such file or directory'), false);
  });
});

describe('Heimdal in the place of MIT krb5', () => {
  it('is said, with what it means and how to be rid of the line', () => {
    const messages: string[] = [];
    warnOfFallback({ implementation: 'MIT', name }, () => assert.fail('it is MIT krb5'));
    warnOfFallback({ implementation: 'Heimdal', name: 'libgssapi.so.3' }, (message) => messages.push(message));
    assert.equal(messages.length, 1);
    assert.match(
      messages[0] ?? '',
      /^sspi-auth: MIT krb5 is not installed.*Heimdal \(libgssapi\.so\.3\).*other processes/,
    );
  });
});
