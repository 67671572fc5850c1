/** Option `crossSite`: requests that pages of other sites have a browser send. */
import { crossSiteEvidence } from '../http/cross-site.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Settings } from './options.ts';
import { hasOtherScheme } from './other-schemes.ts';

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
