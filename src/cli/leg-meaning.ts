/** Says in a sentence what a leg of a handshake is for. */
import type { Leg } from './recorded-handshake.ts';

/** Meanings by the title of the message that was decoded. */
const meanings: ReadonlyMap<string, string> = new Map([
  ['NTLM NEGOTIATE_MESSAGE', 'The client says what it can do.'],
  ['NTLM CHALLENGE_MESSAGE', 'The server chooses, gives its names and time, and a random challenge to answer.'],
  ['NTLM AUTHENTICATE_MESSAGE', 'The client proves with its response that it knows the password, without sending it.'],
  ['SPNEGO NegTokenInit', 'The client lists the mechanisms it has, and may begin with the one it prefers.'],
  ['SPNEGO NegTokenResp', 'The negotiation goes on inside the mechanism that was agreed on.'],
  ['Kerberos AP-REQ', 'The client presents a ticket that only this server can read.'],
  ['Digest credentials', 'The client proves with its response that it knows the password, for this method and path.'],
]);

/**
 * The meaning of a leg.
 *
 * @param before the leg before it, if there is one
 */
export function legMeaning(leg: Leg, before: Leg | undefined): string {
  if (leg.from === 'client' && leg.headers.length === 0) return 'The client asks without saying who it is.';
  for (const { description } of leg.headers) {
    const meaning = meanings.get(description.title);
    if (meaning !== undefined) return meaning;
  }
  if (leg.from === 'client') return 'The client sends its credentials.';
  if (leg.line.startsWith('200')) {
    return leg.persistent === 'true'
      ? 'Signed in. The connection stays signed in: further requests on it need no handshake.'
      : 'Signed in. The next request must prove itself again.';
  }
  if (!leg.line.startsWith('401')) return 'The server cannot use this request.';
  const stale = leg.headers.some(({ description }) => description.highlights.includes('stale'));
  if (stale) return 'The response was right, but the nonce was too old. The client tries again by itself.';
  return before !== undefined && before.headers.length > 0
    ? 'Refused. The answer is the same whatever the cause, so that nobody learns which accounts there are.'
    : 'The server asks for credentials and names the schemes it takes.';
}
