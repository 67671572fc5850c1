/** Negotiate in TypeScript: SPNEGO over Kerberos and NTLM, or over the one of them that is there. */
import { negotiatePackage } from '../../packages/negotiate/index.ts';
import type { NegotiateInnerPackage } from '../../packages/negotiate/index.ts';
import { ntlmPackage } from '../../packages/ntlm/index.ts';
import type { OfferedScheme } from '../offered-scheme.ts';
import type { SchemeSettings } from '../options.ts';
import { acquire, isMissing } from './availability.ts';
import type { Availability, Missing } from './availability.ts';
import { delegation, kerberosInside } from './kerberos.ts';
import { ntlmAuthData, ntlmCurrency, ntlmLeftOut } from './ntlm.ts';

export function negotiate(settings: SchemeSettings): Availability {
  const inner = negotiateInside(settings);
  if (isMissing(inner)) return inner;
  const { provider, packages, isCurrent } = inner;
  return {
    provider,
    boundTo: 'connection',
    packages: packages.map(({ package: { info } }) => info.name),
    requirements: delegation(settings),
    isCurrent,
    acquire: () => acquire(negotiatePackage, { packages }),
  };
}

/** What Negotiate is made of here. */
export interface NegotiateInside extends Pick<OfferedScheme, 'provider' | 'isCurrent'> {
  readonly packages: readonly NegotiateInnerPackage[];
}

/** The packages inside Negotiate, or why there are none. */
export function negotiateInside(settings: SchemeSettings): NegotiateInside | Missing {
  const kerberos = kerberosInside(settings);
  // Without Kerberos, Negotiate is only NTLM in a wrapping that half of the clients do not know. It is offered only if
  // option `schemes` names it.
  if (isMissing(kerberos) && settings.schemes === undefined) return kerberos;
  const ntlmData = ntlmAuthData(settings);
  const packages: NegotiateInnerPackage[] = [];
  if (!isMissing(kerberos)) packages.push({ package: kerberos.package, authData: kerberos.authData });
  if (!isMissing(ntlmData)) packages.push({ package: ntlmPackage, authData: ntlmData });
  // An operator who names a package relies on it, so Negotiate is not offered with only the other one.
  if (isMissing(kerberos) && settings.packages?.includes('Kerberos') === true) return kerberos;
  if (isMissing(ntlmData) && settings.packages?.includes('NTLM') === true) return ntlmData;
  if (packages.length === 0) return isMissing(kerberos) ? kerberos : ntlmLeftOut;
  return {
    provider: isMissing(kerberos) ? 'portable' : kerberos.provider,
    packages,
    isCurrent: isMissing(ntlmData) ? undefined : ntlmCurrency(settings),
  };
}
