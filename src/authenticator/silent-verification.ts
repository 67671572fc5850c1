/**
 * What the log says of a verification that did not end in time: what was waited for, and whose account it is. The
 * account is read from the credentials once more, because the package that waits has told nothing yet.
 */
import { decodeBase64 } from '../formats/base64.ts';
import { readClientToken } from '../formats/client-token.ts';
import { parseDigestCredentials } from '../formats/digest/credentials.ts';
import { decodeAuthenticateMessage } from '../formats/ntlm/authenticate-message.ts';
import { MalformedTokenError } from '../foundation/errors.ts';
import type { Credentials } from '../http/authorization.ts';
import { reason } from '../identity/reasons/reason.ts';
import { SEC_E_NO_AUTHENTICATING_AUTHORITY, statusName } from '../sspi/index.ts';
import type { AuditReason } from './audit.ts';
import type { OfferedScheme } from './offered-scheme.ts';

/** Reason, account and diagnosis of the record. */
export interface Silence {
  readonly reason: string;
  /** As the client claims it; not escaped. */
  readonly account: string | undefined;
  readonly diagnosis: string;
}

/**
 * Says what did not answer.
 *
 * @param scheme that of the credentials
 * @param source name of the account source; undefined: there is none
 * @param milliseconds `limits.handshakeMilliseconds`
 */
export function silenceOf(
  credentials: Credentials,
  scheme: OfferedScheme,
  source: string | undefined,
  milliseconds: number,
): Silence {
  const account = claimedAccount(credentials);
  const asksSource = source !== undefined && scheme.provider !== 'secur32' && account !== undefined;
  if (asksSource) {
    return {
      reason: statusName(SEC_E_NO_AUTHENTICATING_AUTHORITY),
      account,
      diagnosis: reason('account-source-silent', { source, milliseconds }),
    };
  }
  const provider = scheme.provider === 'secur32' ? 'Windows' : `the package of ${scheme.name}`;
  return {
    reason: 'handshake-deadline' satisfies AuditReason,
    account,
    diagnosis: reason('package-silent', { provider, milliseconds }),
  };
}

/** The account that credentials of NTLM or Digest claim; undefined for others. */
function claimedAccount({ scheme, parameters }: Credentials): string | undefined {
  try {
    // node:http gives header fields as latin1: one character, one byte.
    if (scheme === 'digest') return parseDigestCredentials(Buffer.from(parameters, 'latin1')).userNames[0];
    const token = decodeBase64(parameters);
    const message = token === undefined ? undefined : readClientToken(token).ntlm;
    if (message === undefined) return undefined;
    const { domain, userName } = decodeAuthenticateMessage(message);
    return domain === '' ? userName : `${domain}\\${userName}`;
  } catch (error) {
    if (error instanceof MalformedTokenError) return undefined;
    throw error;
  }
}
