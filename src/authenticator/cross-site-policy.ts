/** Option `crossSite`: requests that pages of other sites have a browser send. */
import { crossSiteEvidence } from '../http/cross-site.ts';
import type { Exchange } from '../http/exchange.ts';
import { hasAuthorization } from '../http/authorization.ts';
import type { Clock } from '../foundation/clock.ts';
import type { Connection } from './connection.ts';
import type { Settings } from './options.ts';
import { hasOtherScheme } from './other-schemes.ts';
import type { SessionProof } from './session-proof.ts';

/**
 * What says that a request comes from another site, where that counts: not with credentials of the application, which no
 * browser adds by itself.
 */
export function crossSiteProblem(
  { rawHeaders }: Pick<Exchange, 'rawHeaders'>,
  { crossSite, otherSchemes }: Pick<Settings<never>, 'crossSite' | 'otherSchemes'>,
): string | undefined {
  // A request without a connection may be any object: a test or a serverless platform has made it.
  if (crossSite === 'allow' || !Array.isArray(rawHeaders)) return undefined;
  const evidence = crossSiteEvidence(rawHeaders, crossSite === 'refuse' ? [] : crossSite);
  return evidence === undefined || hasOtherScheme(otherSchemes, rawHeaders) ? undefined : evidence;
}

/** Whether a request has anything that a browser proves by itself: credentials, a cookie, or its connection. */
export function proves(
  exchange: Exchange,
  connection: Connection | undefined,
  clock: Clock,
  proof: SessionProof | undefined,
): boolean {
  if (!Array.isArray(exchange.rawHeaders)) return false;
  if (hasAuthorization(exchange) || proof?.hasCookie(exchange.rawHeaders) === true) return true;
  return connection !== undefined && (connection.busy || connection.standing(clock) !== undefined);
}
