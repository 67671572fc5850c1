/** Every sample of an NTLM message, cut and changed at random: a status or a MalformedTokenError, never a yes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MalformedTokenError } from '../../../src/foundation/errors.ts';
import { describeNtlmMessage } from '../../../src/formats/ntlm/message-description.ts';
import { issueChallenge } from '../../../src/packages/ntlm/ntlm-challenge.ts';
import { ntlmSettings } from '../../../src/packages/ntlm/ntlm-auth-data.ts';
import { NtlmContext } from '../../../src/packages/ntlm/ntlm-context.ts';
import {
  deleteSecurityContext,
  SEC_E_BAD_BINDINGS,
  SEC_E_INVALID_TOKEN,
  SEC_E_LOGON_DENIED,
  SEC_E_OK,
  SEC_I_CONTINUE_NEEDED,
  SECBUFFER_TOKEN,
} from '../../../src/sspi/index.ts';
import { authenticateMessage, negotiateMessage, WINDOWS_FLAGS } from './ntlm-client.ts';
import { accounts, clockAt, credential, leg, NOW } from './ntlm-server.ts';
import { mutate, mutations } from './message-changes.ts';
import { sampleMessages } from './recorded-handshakes.ts';

const numRuns = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000);
const samples = sampleMessages();

/** A description, or the one error that a message may end in. */
function describeOrRefuse(bytes: Uint8Array): void {
  try {
    describeNtlmMessage(bytes);
  } catch (error) {
    assert.ok(error instanceof MalformedTokenError, String(error));
  }
}

describe('samples of NTLM messages', () => {
  it('there are samples of each type', () => {
    const types = new Set(samples.map(({ bytes }) => bytes[8]));
    assert.deepEqual([...types].sort(), [1, 2, 3]);
    assert.ok(samples.length >= 20);
  });
  for (const { name, bytes } of samples) {
    it(`${name} is described`, () => {
      assert.equal(typeof describeNtlmMessage(bytes).type, 'string');
    });
    it(`A03: every prefix of ${name} is refused or described, and never accepted`, () => {
      const handle = credential();
      for (let end = 0; end < bytes.byteLength; end++) {
        const prefix = bytes.subarray(0, end);
        describeOrRefuse(prefix);
        const { status, context } = leg(handle, undefined, prefix);
        assert.ok(status === SEC_E_INVALID_TOKEN || status === SEC_I_CONTINUE_NEEDED);
        if (context !== undefined) deleteSecurityContext(context);
        const first = leg(handle, undefined, negotiateMessage(WINDOWS_FLAGS));
        assert.notEqual(leg(handle, first.context, prefix).status, SEC_E_OK);
      }
    });
  }
  it('random changes to any of them never end in a foreign error or a yes', () => {
    const handle = credential();
    fc.assert(
      fc.property(fc.constantFrom(...samples), mutations, ({ bytes }, changes) => {
        const changed = mutate(bytes, changes);
        describeOrRefuse(changed);
        const { status, context } = leg(handle, undefined, changed);
        assert.ok(status === SEC_E_INVALID_TOKEN || status === SEC_I_CONTINUE_NEEDED);
        if (context !== undefined) deleteSecurityContext(context);
        const first = leg(handle, undefined, negotiateMessage(WINDOWS_FLAGS));
        assert.notEqual(leg(handle, first.context, changed).status, SEC_E_OK);
      }),
      { numRuns },
    );
  });
});

describe('changes to a message that would be accepted', () => {
  const settings = ntlmSettings({ accounts, domain: 'Domain', computerName: 'Server', clock: clockAt(NOW) });
  const type1 = negotiateMessage(WINDOWS_FLAGS);
  const issued = issueChallenge(settings, type1, WINDOWS_FLAGS)!;
  const options = { userName: 'User', domain: 'Domain', password: 'Password', mic: true };
  const { message } = authenticateMessage(type1, issued.challengeMessage, options);
  const refusals = [SEC_E_INVALID_TOKEN, SEC_E_LOGON_DENIED, SEC_E_BAD_BINDINGS];

  const verify = (bytes: Uint8Array): number => {
    const reply = new NtlmContext(settings, issued).accept({
      input: [{ type: SECBUFFER_TOKEN, data: bytes }],
      requirements: 0,
      targetDataRep: 0,
    });
    assert.ok(!(reply instanceof Promise));
    return reply.status;
  };

  it('unchanged it is accepted', () => {
    assert.equal(verify(message), SEC_E_OK);
  });
  it('any single bit wrong is refused', () => {
    for (let bit = 0; bit < message.byteLength * 8; bit++) {
      const changed = message.slice();
      changed[bit >> 3] = changed[bit >> 3]! ^ (1 << (bit & 7));
      assert.ok(refusals.includes(verify(changed)), `bit ${bit & 7} of byte ${bit >> 3}`);
    }
  });
  it('random changes are refused', () => {
    fc.assert(
      fc.property(mutations, (changes) => {
        const changed = mutate(message, changes);
        if (Buffer.compare(changed, message) !== 0) assert.ok(refusals.includes(verify(changed)));
      }),
      { numRuns },
    );
  });
});
