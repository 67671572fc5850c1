/**
 * What a client's token says in the clear: for the log where Windows refuses it, and to check what Windows leaves
 * unchecked or does not tell.
 */
import { readClientToken } from '../../formats/client-token.ts';
import type { TicketHeader } from '../../formats/kerberos/kerberos-token.ts';
import { decodeAuthenticateMessage } from '../../formats/ntlm/authenticate-message.ts';
import { AV_FLAG_UNTRUSTED_TARGET } from '../../formats/ntlm/av-pairs.ts';
import { isNtlmMessage, NTLM_AUTHENTICATE, openNtlmMessage } from '../../formats/ntlm/message-field.ts';
import { decodeNtlmV2Response, NTLM_V1_RESPONSE_BYTES } from '../../formats/ntlm/ntlmv2-response.ts';
import { MalformedTokenError } from '../../foundation/errors.ts';

/** The last message of NTLM. */
export interface NtlmFacts {
  /** The name that the client claims: `DOMAIN\user`, or the user alone. Empty for an anonymous one. */
  readonly account: string;
  /** Whether it has a response that is verified, and not that of a client on this very machine. */
  readonly hasResponse: boolean;
  /** MsvAvTargetName, covered by the proof. Undefined without one, and if the client marked it as untrusted. */
  readonly target: string | undefined;
  /** MsvAvChannelBindings, 16 bytes, covered by the proof; a copy. */
  readonly channelBindings: Uint8Array | undefined;
}

/** The clear parts of a token. */
export interface TokenFacts {
  /** The last message of NTLM. */
  readonly ntlm?: NtlmFacts;
  /** It is an NTLM message, whichever. */
  readonly isNtlm: boolean;
  /** The ticket of a Kerberos AP-REQ. Not covered by a proof: where services share a key, the name can be changed. */
  readonly ticket?: TicketHeader;
}

/** Reads what can be read. A malformed token has no facts. */
export function tokenFacts(token: Uint8Array): TokenFacts {
  const { ntlm, kerberos } = readClientToken(token);
  if (kerberos !== undefined) return { isNtlm: false, ticket: kerberos.ticket };
  if (ntlm === undefined || !isNtlmMessage(ntlm)) return { isNtlm: false };
  try {
    const { messageType } = openNtlmMessage(ntlm);
    return messageType === NTLM_AUTHENTICATE ? { isNtlm: true, ntlm: ntlmFacts(ntlm) } : { isNtlm: true };
  } catch (error) {
    if (error instanceof MalformedTokenError) return { isNtlm: true };
    throw error;
  }
}

function ntlmFacts(message: Uint8Array): NtlmFacts {
  const { domain, userName, ntResponse } = decodeAuthenticateMessage(message);
  const account = domain === '' ? userName : `${domain}\\${userName}`;
  if (ntResponse.byteLength <= NTLM_V1_RESPONSE_BYTES) {
    return { account, hasResponse: ntResponse.byteLength > 0, target: undefined, channelBindings: undefined };
  }
  const { flags = 0, targetName, channelBindings } = decodeNtlmV2Response(ntResponse).avPairs;
  const isTrusted = (flags & AV_FLAG_UNTRUSTED_TARGET) === 0;
  return {
    account,
    hasResponse: true,
    target: isTrusted && targetName !== '' ? targetName : undefined,
    channelBindings: channelBindings && Uint8Array.from(channelBindings),
  };
}
