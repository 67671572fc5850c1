import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { denotesRequestTarget, foreignTarget } from '../../../src/packages/digest/request-target.ts';

const cases: [uri: string, target: string, same: boolean][] = [
  ['/a', '/a', true],
  ['/a?b=c', '/a?b=c', true],
  ['*', '*', true],
  ['host:443', 'host:443', true],
  ['http://host/a?b', '/a?b', true],
  ['HTTPS://host:8443/a', '/a', true],
  ['http://[::1]:80/a', '/a', true],
  ['http://host', '/', true],
  ['http://host?b', '/?b', true],
  ['/a', 'http://host/a', true],
  ['http://host//a', '//a', true],
  // RFC 3986 section 6.2.2: as nginx writes a path anew.
  ['/caf%c3%a9', '/caf%C3%A9', true],
  ['/%7Euser', '/~user', true],
  ['/~user', '/%7euser', true],
  ['/%61', '/a', true],
  ['/a%2e', '/a.', true],
  ['/a?b=%7e%2f', '/a?b=~%2F', true],
  ['/a%2Fb', '/a%2fb', true],
  ['http://host/%7euser', '/~user', true],
  ['/a/../b', '/b', true],
  ['/./a', '/a', true],
  ['/a/b/..', '/a/', true],
  ['/a/.', '/a/', true],
  ['/../a', '/a', true],
  ['/%2e%2e/a', '/a', true],
  ['/a/../b?c=/../d', '/b?c=/../d', true],
  ['/a/..//b', '//b', true],
  // The other way round, a handler would see what its client did not ask for.
  ['/b', '/a/../b', false],
  ['/a', '/./a', false],
  ['/a/..', '/.', false],
  ['/a/../b?c', '/b', false],
  ['/a?b/../c', '/a?c', false],
  ['/a%2fb', '/a/b', false],
  ['/a%20b', '/a b', false],
  ['/a%25', '/a%', false],
  ['/%2561', '/a', false],
  ['/%2561', '/%61', false],
  ['/a%3Fb', '/a?b', false],
  ['/a+b', '/a%20b', false],
  ['/a/../b', '/a/b', false],
  ['/a', '/b', false],
  ['/a', '/a?b', false],
  ['/a?b', '/a', false],
  ['/a/', '/a', false],
  ['/A', '/a', false],
  ['//a', '/a', false],
  ['//host/a', '/a', false],
  ['http:/a', '/a', false],
  ['http:///a', '/a', false],
  ['http://user@host/a', '/a', false],
  ['http://host\\/a', '/a', false],
  ['http://ho st/a', '/a', false],
  ['http://host#/a', '/a', false],
  ['ftp://host/a', '/a', false],
  ['http://host/a#b', '/a', false],
  ['/abc?http://h', '/p://h', false],
  ['*', '/', false],
  ['', '/', false],
  ['/', '', false],
];

describe('denotesRequestTarget', () => {
  for (const [uri, target, same] of cases) {
    it(`E07: ${JSON.stringify(uri)} ${same ? 'is' : 'is not'} ${JSON.stringify(target)}`, () => {
      assert.equal(denotesRequestTarget(uri, target), same);
    });
  }
});

describe('foreignTarget', () => {
  for (const [uri, target, text] of [
    [
      '/a',
      '/b',
      'have the proxy pass on the path as the client sent it, which Digest needs: the client asked for /a, and the request is for /b: a proxy may have rewritten the path',
    ],
    [
      'http://host/a?x=1',
      '/b?y=2',
      'have the proxy pass on the path as the client sent it, which Digest needs: the client asked for /a, and the request is for /b: a proxy may have rewritten the path',
    ],
    ['/a?token=1', '/a?token=2', 'the client asked for /a with another query than that of the request'],
    ['/%7ea', '/~a?x', 'the client asked for "/~a" with another query than that of the request'],
  ] as const) {
    it(`${uri} for ${target}, without the queries`, () => assert.equal(foreignTarget(uri, target), text));
  }
});
