/** What a credential of NTLM is made from: an option that cannot be used is refused by its name. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OptionError } from '../../../src/errors.ts';
import { credential } from './ntlm-server.ts';

describe('NTLM attacks', () => {
  describe('options', () => {
    const bad: Readonly<Record<string, Record<string, unknown>>> = {
      accounts: { accounts: undefined },
      'accounts without judgeNtlm': { accounts: { description: 'of passwords' } },
      domain: { domain: '' },
      'domain too long': { domain: 'x'.repeat(16) },
      'domain with a control character': { domain: 'a\n' },
      computerName: { computerName: undefined },
      dnsDomain: { dnsDomain: 7 },
      clock: { clock: {} },
      random: { random: 'x' },
      maxLifetimeMilliseconds: { maxLifetimeMilliseconds: 0 },
      requireMic: { requireMic: 'yes' },
      require128: { require128: 1 },
    };
    for (const [name, authData] of Object.entries(bad)) {
      it(`${name} is refused by name`, () => {
        const option = name.split(' ')[0];
        assert.throws(
          () => credential(authData),
          (error) => error instanceof OptionError && error.option === option,
        );
      });
    }
  });
});
