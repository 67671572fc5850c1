/** WWW-Authenticate (RFC 9110 section 11.6.1): what a 401 asks for. */
import { hasTls } from '../http/channel-bindings.ts';
import type { Exchange } from '../http/exchange.ts';
import { challengeText, digestChallenges } from './verification.ts';
import type { OfferedScheme } from './offered-scheme.ts';
import { isChosen } from './scheme-choice.ts';

/** The parts of a request that decide which schemes it is offered. */
export type ChallengedExchange = Pick<Exchange, 'httpVersionMajor'> & Partial<Pick<Exchange, 'socket'>>;

/** Whether a scheme can be used on a connection: CredSSP gives passwords away, so that TLS has to be outside as well. */
export function isOfferedOn({ innerTls }: Pick<OfferedScheme, 'innerTls'>, socket: unknown): boolean {
  return innerTls === undefined || innerTls.withoutTls || hasTls(socket);
}

/**
 * The challenges of a 401 that does not answer a token. They are the same whatever the cause.
 *
 * @param schemes in the order they are offered
 * @param exchange the request: only HTTP/1 can carry schemes that are bound to a connection
 * @param stale Digest challenges to use instead of fresh ones
 * @returns one value for each WWW-Authenticate field
 */
export function bareChallenges(
  schemes: Iterable<OfferedScheme>,
  exchange: ChallengedExchange,
  stale?: readonly Uint8Array[],
): readonly string[] {
  const { httpVersionMajor, socket } = exchange;
  const challenges: string[] = [];
  for (const scheme of schemes) {
    if (!isChosen(exchange, scheme.name)) continue;
    if (scheme.boundTo === 'connection') {
      if (httpVersionMajor === 1 && isOfferedOn(scheme, socket)) challenges.push(scheme.name);
    } else {
      const texts = stale?.map(challengeText) ?? digestChallenges(scheme);
      for (const text of texts) challenges.push(`${scheme.name} ${text}`);
    }
  }
  return challenges;
}
