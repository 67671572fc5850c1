import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { denotesRequestTarget } from '../../../src/packages/digest/request-target.ts';

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
  ['/a', '/b', false],
  ['/a', '/a?b', false],
  ['/a?b', '/a', false],
  ['/a/', '/a', false],
  ['/A', '/a', false],
  ['/a/../b', '/b', false],
  ['/./a', '/a', false],
  ['/%61', '/a', false],
  ['/%2e%2e/a', '/../a', false],
  ['/a%2Fb', '/a%2fb', false],
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
