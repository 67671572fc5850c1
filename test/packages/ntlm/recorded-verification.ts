/**
 * Recorded handshakes, verified. Their challenges came from other servers (other VERSION, other flags), so they go in at the
 * smallest seam there is: an NtlmContext made with the recorded challenge instead of our own.
 */
import assert from 'node:assert/strict';
import { memoryAccounts } from '../../../src/accounts/memory-accounts.ts';
import { dateOfFiletime } from '../../../src/formats/filetime.ts';
import { decodeAuthenticateMessage } from '../../../src/formats/ntlm/authenticate-message.ts';
import { decodeChallengeMessage } from '../../../src/formats/ntlm/challenge-message.ts';
import { decodeNtlmV2Response } from '../../../src/formats/ntlm/ntlmv2-response.ts';
import { ntlmSettings } from '../../../src/packages/ntlm/ntlm-auth-data.ts';
import type { BindingsPolicy } from '../../../src/packages/ntlm/ntlm-channel-bindings.ts';
import { NtlmContext } from '../../../src/packages/ntlm/ntlm-context.ts';
import { SECBUFFER_TOKEN } from '../../../src/sspi/index.ts';
import type { AcceptReply, SecBuffer } from '../../../src/sspi/index.ts';
import { clockAt } from './ntlm-server.ts';
import { hex, vector } from './recorded-handshakes.ts';

export const common = vector('nlmp.common').inputs;

/** A recorded handshake, and whose it was. */
export interface Recorded {
  readonly negotiate: Uint8Array;
  readonly challenge: Uint8Array;
  readonly authenticate: Uint8Array;
  readonly userName: string;
  readonly domain: string;
  readonly password: string;
  /** Moment of the response. */
  readonly time: number;
}

/** The handshake of a vector. */
export function recorded(id: string): Recorded {
  const { inputs, expected } = vector(id);
  const authenticate = hex(expected);
  const { timestamp } = decodeNtlmV2Response(decodeAuthenticateMessage(authenticate).ntResponse);
  return {
    negotiate: inputs['type1'] === undefined ? new Uint8Array(0) : hex(inputs['type1']),
    challenge: hex(inputs['type2'] ?? vector('nlmp.v2.challengeMessage').expected),
    authenticate,
    userName: inputs['user'] ?? common['user']!,
    domain: inputs['domain'] ?? common['domain']!,
    password: inputs['password'] ?? common['password']!,
    time: dateOfFiletime(timestamp).getTime(),
  };
}

/** How it is verified, where that is not as of then. */
export interface Verification {
  readonly now?: number;
  readonly password?: string;
  readonly requireMic?: boolean;
  readonly policy?: BindingsPolicy;
  readonly buffers?: readonly SecBuffer[];
  readonly requirements?: number;
}

/** Verifies its last message with its own challenge. */
export function verify(
  handshake: Recorded,
  how: Verification = {},
): { readonly context: NtlmContext; readonly reply: AcceptReply } {
  const { serverChallenge, flags } = decodeChallengeMessage(handshake.challenge);
  const { userName, domain } = handshake;
  const settings = ntlmSettings({
    accounts: memoryAccounts([{ userName, domain, password: how.password ?? handshake.password }]),
    domain: 'Domain',
    computerName: 'Server',
    clock: clockAt(how.now ?? handshake.time),
    requireMic: how.requireMic,
  });
  const issued = {
    negotiateMessage: handshake.negotiate,
    challengeMessage: handshake.challenge,
    serverChallenge,
    flags,
  };
  const context = new NtlmContext(settings, issued, how.policy);
  const reply = context.accept({
    input: [{ type: SECBUFFER_TOKEN, data: handshake.authenticate }, ...(how.buffers ?? [])],
    requirements: how.requirements ?? 0,
    targetDataRep: 0,
  });
  assert.ok(!(reply instanceof Promise));
  return { context, reply };
}
