/** The two tokens of an NTLM client that knows the password of the measured servers' account. */
import { ntowfv1 } from '../src/crypto/ntlm-keys.ts';
import { authenticateMessage, CURL_FLAGS, negotiateMessage } from '../test/packages/ntlm/ntlm-client.ts';

const ntHash = ntowfv1('Wonderland-7');

/** The NEGOTIATE_MESSAGE as curl sends it. */
export const ntlmFirst = negotiateMessage(CURL_FLAGS);

/**
 * The AUTHENTICATE_MESSAGE.
 *
 * @param field the WWW-Authenticate value, `NTLM ` and the CHALLENGE_MESSAGE
 */
export function ntlmAnswer(field: string): Uint8Array {
  const challenge = Buffer.from(/^NTLM ([\w+/=]+)$/i.exec(field)?.[1] ?? '', 'base64');
  return authenticateMessage(ntlmFirst, challenge, { userName: 'alice', domain: 'CORP', ntHash, headerBytes: 64 })
    .message;
}

/** The Authorization value of a token. */
export function ntlmField(token: Uint8Array): string {
  return `NTLM ${Buffer.from(token).toString('base64')}`;
}
