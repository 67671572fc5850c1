import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseOptions } from '../../../src/authenticator/options.ts';
import type { Offer } from '../../../src/authenticator/providers/availability.ts';
import { refuseUnmet } from '../../../src/authenticator/providers/unmet-options.ts';
import { OptionError } from '../../../src/foundation/errors.ts';

describe('requireMic where NTLM is not verified here', () => {
  const windows: Offer = { name: 'NTLM', how: { provider: 'secur32' } as Offer['how'] };
  for (const [what, available, missing, why] of [
    ['Windows verifies it', [windows], ['NTLM: option "accounts" is missing'], /Windows verifies NTLM itself/],
    ['nothing does', [], ['NTLM: option "accounts" is missing'], /fix this: NTLM: option "accounts" is missing/],
    ['nobody asked for it', [], [], /"schemes" or "packages" leaves NTLM out/],
  ] as const) {
    it(`is refused, and the reason is told: ${what}`, () => {
      const settings = parseOptions({ requireMic: true });
      assert.throws(
        () => refuseUnmet(settings, available, missing),
        (error) => error instanceof OptionError && error.option === 'requireMic' && why.test(error.message),
      );
    });
  }
});
