import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { splitPrincipal } from '../../../src/formats/kerberos/principal.ts';
import { principalSalt } from '../../../src/formats/kerberos/principal-salt.ts';

describe('principalSalt', () => {
  const rows: [account: string, salt: string][] = [
    ['HTTP/web.example.com', 'EXAMPLE.COMHTTPweb.example.com'],
    ['svc-web', 'EXAMPLE.COMsvc-web'],
    ['HTTP/web.example.com@EXAMPLE.COM', 'EXAMPLE.COMHTTPweb.example.com'],
    ['svc.web@corp.example.com', 'EXAMPLE.COMsvc.web'],
    ['WEB$', 'EXAMPLE.COMhostweb.example.com'],
    ['HTTP/odd\\/name', 'EXAMPLE.COMHTTPodd/name'],
    ['odd\\@name@EXAMPLE.COM', 'EXAMPLE.COModd@name'],
  ];
  for (const [account, salt] of rows) {
    it(account, () => assert.equal(principalSalt(account, 'EXAMPLE.COM'), salt));
  }
});

describe('splitPrincipal', () => {
  it('splits where a character is not escaped', () => {
    assert.deepEqual(splitPrincipal('a\\/b/c\\@d@R\\@S'), { components: ['a/b', 'c@d'], realm: 'R@S' });
    assert.deepEqual(splitPrincipal('host'), { components: ['host'], realm: undefined });
    assert.deepEqual(splitPrincipal('a//b'), { components: ['a', '', 'b'], realm: undefined });
  });
});
