import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { namesTarget } from '../../../src/formats/kerberos/service-principal-name.ts';

describe('the target that a client named, against a service principal name (C18)', () => {
  for (const [name, target, expected] of [
    ['HTTP/web', 'HTTP/web', true],
    ['HTTP/web', 'http/WEB', true],
    ['HTTP/web', 'HTTP/web@CORP.EXAMPLE', true],
    ['HTTP/web', 'HTTP/web:8080', true],
    ['HTTP/web', 'HTTP/web:8080@CORP.EXAMPLE', true],
    ['HTTP/web@CORP.EXAMPLE', 'HTTP/web@corp.example', true],
    ['HTTP/web@CORP.EXAMPLE', 'HTTP/web@OTHER.EXAMPLE', false],
    ['HTTP/web@CORP.EXAMPLE', 'HTTP/web', false],
    ['HTTP/web:8080', 'HTTP/web:8080', true],
    ['HTTP/web:8080', 'HTTP/web', false],
    ['HTTP/web:8080', 'HTTP/web:8081', false],
    ['HTTP/web', 'HTTP/web.corp.example', false],
    ['HTTP/web.corp.example', 'HTTP/web', false],
    ['HTTP/web', 'cifs/web', false],
    ['HTTP/web', 'HTTP/web/service', false],
    ['HTTP/web/service', 'HTTP/web/service@CORP', true],
    ['HTTP/web/service', 'HTTP/web:1/service', true],
    ['HTTP/web', 'HTTP/webber', false],
    ['HTTP/web', 'HTTP/other@HTTP/web', false],
    ['HTTP/web', 'HTTP/other:1/HTTP/web', false],
    ['HTTP/web', 'web', false],
    ['HTTP/web', '', false],
    ['HTTP/[::1]', 'HTTP/[::1]', true],
  ] as const) {
    it(`${name} and ${target || 'nothing'}: ${expected ? 'the same service' : 'not the same'}`, () => {
      assert.equal(namesTarget(name, target), expected);
    });
  }
});
