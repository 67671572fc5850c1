import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { accountsMissing } from '../../../src/authenticator/providers/accounts-missing.ts';

describe('what to give where a scheme has no accounts', () => {
  it('names the sources that can verify it: smbpasswd has no hashes for Digest', () => {
    assert.match(accountsMissing(undefined, 'NTLM'), /memoryAccounts\(.*or smbpasswdFile\(path\)\.$/);
    assert.match(accountsMissing(undefined, 'Digest'), /memoryAccounts\([^)]*\)\.$/);
  });

  it('says of a source that is given that it cannot', () => {
    assert.match(accountsMissing('a file', 'Digest'), /"accounts" is a file, which cannot verify Digest/);
  });
});
