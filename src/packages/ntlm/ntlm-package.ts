/** The NTLM security package, server side: NTLMv2 only (MS-NLMP). */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { ntResponseLength } from '../../formats/ntlm/authenticate-message.ts';
import { NTLMSSP_NEGOTIATE_128 } from '../../formats/ntlm/negotiate-flags.ts';
import { decodeNegotiateMessage } from '../../formats/ntlm/negotiate-message.ts';
import { reason } from '../../identity/reasons/reason.ts';
import { findBuffer, SECBUFFER_TOKEN } from '../../sspi/buffers.ts';
import type {
  AcceptCall,
  AcceptReply,
  AcquireCredentialsParameters,
  PackageCredential,
  SecurityPackage,
} from '../../sspi/security-package.ts';
import { SEC_E_INVALID_TOKEN, SEC_E_UNSUPPORTED_FUNCTION, SEC_I_CONTINUE_NEEDED } from '../../sspi/status.ts';
import { ntlmSettings } from './ntlm-auth-data.ts';
import type { NtlmSettings } from './ntlm-auth-data.ts';
import { issueChallenge } from './ntlm-challenge.ts';
import { bindingsPolicy } from './ntlm-channel-bindings.ts';
import { NtlmContext } from './ntlm-context.ts';
import { ntlmPackageInfo } from './ntlm-package-info.ts';

/** First leg: answers a NEGOTIATE_MESSAGE with a challenge. Any other message is refused (attacks C01, C05). */
function challenge(settings: NtlmSettings, call: AcceptCall): AcceptReply {
  const token = findBuffer(call.input, SECBUFFER_TOKEN)?.data;
  if (token === undefined) return { status: SEC_E_INVALID_TOKEN };
  let offered: number;
  let policy;
  try {
    policy = bindingsPolicy(call);
    offered = decodeNegotiateMessage(token).flags;
  } catch (error) {
    if (error instanceof MalformedTokenError) return malformed(token, error);
    throw error;
  }
  if (policy === undefined) return { status: SEC_E_UNSUPPORTED_FUNCTION };
  if (settings.require128 && (offered & NTLMSSP_NEGOTIATE_128) === 0) return { status: SEC_E_UNSUPPORTED_FUNCTION };
  const issued = issueChallenge(settings, token, offered);
  if (issued === undefined) return { status: SEC_E_INVALID_TOKEN };
  return {
    status: SEC_I_CONTINUE_NEEDED,
    context: new NtlmContext(settings, issued, policy),
    output: [{ type: SECBUFFER_TOKEN, data: new Uint8Array(issued.challengeMessage) }],
  };
}

function malformed(token: Uint8Array, { message }: MalformedTokenError): AcceptReply {
  const isLast = ntResponseLength(token) !== undefined;
  return {
    status: SEC_E_INVALID_TOKEN,
    diagnosis: { text: isLast ? withoutHandshake : reason('ntlm-message-invalid', { detail: message }) },
  };
}

const withoutHandshake = reason('ntlm-without-handshake');

/**
 * The package. `authData` of its credential is an NtlmAuthData.
 *
 * The account source verifies NTLMv2 responses over the bytes as received. NTLMv1, LM, anonymous and Guest logons are
 * refused, and no option admits them.
 */
export const ntlmPackage: SecurityPackage = Object.freeze({
  info: ntlmPackageInfo,
  acquireCredentials({ authData, principal }: AcquireCredentialsParameters): PackageCredential {
    const settings = ntlmSettings(authData, principal);
    return {
      accept: (call) => challenge(settings, call),
      free: () => undefined,
    };
  },
});
