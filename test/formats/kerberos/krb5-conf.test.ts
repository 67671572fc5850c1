/** Which line of a krb5.conf cannot be read. test/live/kerberos/krb5-conf.live.test.ts asks libkrb5 the same. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspectKrb5Conf } from '../../../src/formats/kerberos/krb5-conf.ts';

const faultOf = (...lines: string[]): [number, string] | undefined => {
  const { fault } = inspectKrb5Conf(lines.join('\n'));
  return fault && [fault.line, fault.problem];
};

describe('a krb5.conf', () => {
  const sound: readonly (readonly [string, readonly string[]])[] = [
    ['with nothing in it', ['']],
    ['with anything before the first section', ['junk', '}', ' [x', '[libdefaults]', ' a = b']],
    ['with comments and empty lines', ['[libdefaults]', '# a', ' ; b', '', '\t', ' a = b # c']],
    ['with subsections', ['[realms]', ' A = {', '  kdc = x', ' }', ' B =', ' {', ' }']],
    ['with final sections and values', ['[realms]*', ' A* = {', ' }*', ' b*= "c']],
    ['with a brace that is not closed at the end', ['[realms]', ' A = {', '  kdc = x']],
    ['with the line ends of Windows', ['[libdefaults]\r', ' a = b\r', 'A = {\r', '}\r', '']],
    ['read by a module', ['module /usr/lib/x.so:text', '[a', 'b']],
    ['with a byte order mark', ['\ufeff[libdefaults]', ' a = b']],
  ];
  for (const [name, lines] of sound) it(`can be read: ${name}`, () => assert.equal(faultOf(...lines), undefined));

  const broken: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    ['a word on its own', ['[libdefaults]', ' a = b', ' bogus'], 3, /name = value/],
    ['two words before the sign', ['[libdefaults]', ' a b = c'], 2, /name = value/],
    ['nothing before the sign', ['[libdefaults]', ' = c'], 2, /name = value/],
    ['a section without its end', ['', '[libdefaults'], 2, /section in brackets/],
    ['something behind a section', ['[libdefaults] x'], 1, /section in brackets/],
    ['a section inside braces', ['[realms]', ' A = {', '[x]'], 3, /closing brace is missing/],
    ['a brace too many', ['[realms]', ' A = {', ' }', ' }'], 4, /closing brace without/],
    ['a brace that is missing', ['[realms]', ' A =', ' kdc = x'], 3, /opening brace is missing/],
    ['an empty value', ['[realms]', ' a =', '', ' b = c'], 3, /opening brace is missing/],
    ['a module without a text', ['module /usr/lib/x.so'], 1, /module/],
    ['an include that is no directive', ['[a]', ' include /x'], 2, /name = value/],
  ];
  for (const [name, lines, line, problem] of broken) {
    it(`cannot be read: ${name}`, () => {
      const [at, why = ''] = faultOf(...lines) ?? [];
      assert.equal(at, line);
      assert.match(why, problem);
    });
  }

  it('repeats nothing of a line', () => {
    assert.ok(!JSON.stringify(faultOf('[libdefaults]', ' password secret')).includes('secret'));
  });

  it('includes other files, up to the line that cannot be read', () => {
    const { includes, fault } = inspectKrb5Conf('include /a\n[x]\nincludedir\t/b c \n bogus\ninclude /d\n');
    assert.deepEqual(includes, [
      { line: 1, directive: 'include', path: '/a' },
      { line: 3, directive: 'includedir', path: '/b c' },
    ]);
    assert.equal(fault?.line, 4);
  });
});
