/** Negotiate in TypeScript: SPNEGO over Kerberos and NTLM, or over the one of them that is there. */
import { kerberosFacts, kerberosPackage } from '../../native/gssapi/index.ts';
import { negotiatePackage } from '../../packages/negotiate/index.ts';
import type { NegotiateInnerPackage } from '../../packages/negotiate/index.ts';
import { ntlmPackage } from '../../packages/ntlm/index.ts';
import type { OfferedScheme } from '../offered-scheme.ts';
import type { SchemeSettings } from '../options.ts';
import { acquire, isMissing } from './availability.ts';
import type { Availability, Missing } from './availability.ts';
import { delegation, kerberosAuthData } from './kerberos.ts';
import { ntlmAuthData, ntlmCurrency, ntlmLeftOut } from './ntlm.ts';

export function negotiate(settings: SchemeSettings): Availability {
  const inner = negotiateInside(settings);
  if (isMissing(inner)) return inner;
  const { provider, packages, isCurrent } = inner;
  const kerberosData = packages.find((candidate) => candidate.package === kerberosPackage)?.authData;
  return {
    provider,
    boundTo: 'connection',
    packages: packages.map(({ package: { info } }) => info.name),
    requirements: delegation(settings),
    isCurrent,
    kerberos: kerberosData === undefined ? undefined : () => kerberosFacts(kerberosData),
    acquire: () => acquire(negotiatePackage, { packages }),
  };
}

/** What Negotiate is made of here. */
export interface NegotiateInside extends Pick<OfferedScheme, 'provider' | 'isCurrent'> {
  readonly packages: readonly NegotiateInnerPackage[];
}

/** The packages inside Negotiate, or why there are none. */
export function negotiateInside(settings: SchemeSettings): NegotiateInside | Missing {
  const kerberosData = kerberosAuthData(settings);
  // Without Kerberos, Negotiate is only NTLM in a wrapping that half of the clients do not know. It is offered only if
  // option `schemes` names it.
  if (isMissing(kerberosData) && settings.schemes === undefined) return kerberosData;
  const ntlmData = ntlmAuthData(settings);
  const packages: NegotiateInnerPackage[] = [];
  if (!isMissing(kerberosData)) packages.push({ package: kerberosPackage, authData: kerberosData });
  if (!isMissing(ntlmData)) packages.push({ package: ntlmPackage, authData: ntlmData });
  // An operator who names a package relies on it, so Negotiate is not offered with only the other one.
  if (isMissing(kerberosData) && settings.packages?.includes('Kerberos') === true) return kerberosData;
  if (isMissing(ntlmData) && settings.packages?.includes('NTLM') === true) return ntlmData;
  if (packages.length === 0) return isMissing(kerberosData) ? kerberosData : ntlmLeftOut;
  return {
    provider: isMissing(kerberosData) ? 'portable' : 'gssapi',
    packages,
    isCurrent: isMissing(ntlmData) ? undefined : ntlmCurrency(settings),
  };
}
