import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nearestName } from '../../src/foundation/nearest-name.ts';

const names = ['accounts', 'keytab', 'realm', 'domain', 'requireMic', 'servicePrincipalNames', 'skip'];

describe('the nearest name', () => {
  const cases: readonly (readonly [written: string, meant: string | undefined])[] = [
    ['requiremic', 'requireMic'],
    ['ACCOUNTS', 'accounts'],
    ['account', 'accounts'],
    ['acounts', 'accounts'],
    ['accuonts', 'accounts'],
    ['keytabs', 'keytab'],
    ['keytap', 'keytab'],
    ['reaml', 'realm'],
    ['servicePrincipalName', 'servicePrincipalNames'],
    ['servicePrincpalNmes', 'servicePrincipalNames'],
    ['user', undefined],
    ['sk', undefined],
    ['', undefined],
    ['requiresMics!', undefined],
    ['__proto__', undefined],
  ];
  for (const [written, meant] of cases) {
    it(`of ${JSON.stringify(written)} is ${meant ?? 'none'}`, () => assert.equal(nearestName(written, names), meant));
  }

  it('is none where two are as near', () => assert.equal(nearestName('abx', ['aby', 'abz']), undefined));
});
