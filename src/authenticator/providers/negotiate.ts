/** Negotiate in TypeScript: SPNEGO over what there is of Kerberos and NTLM. */
import { kerberosPackage } from '../../native/gssapi/index.ts';
import { negotiatePackage } from '../../packages/negotiate/index.ts';
import type { NegotiateInnerPackage } from '../../packages/negotiate/index.ts';
import { ntlmPackage } from '../../packages/ntlm/index.ts';
import type { SchemeSettings } from '../options.ts';
import { acquire, isMissing } from './availability.ts';
import type { Availability } from './availability.ts';
import { delegation, kerberosAuthData } from './kerberos.ts';
import { ntlmAuthData, ntlmLeftOut } from './ntlm.ts';

export function negotiate(settings: SchemeSettings): Availability {
  const ticket = kerberosAuthData(settings);
  // Without Kerberos, Negotiate is NTLM with a wrapping that half of the clients cannot do: only to who asks for it.
  if (isMissing(ticket) && settings.schemes === undefined) return ticket;
  const response = ntlmAuthData(settings);
  const packages: NegotiateInnerPackage[] = [];
  if (!isMissing(ticket)) packages.push({ package: kerberosPackage, authData: ticket });
  if (!isMissing(response)) packages.push({ package: ntlmPackage, authData: response });
  // Who names a package means it: half of a policy is not what was asked for.
  if (isMissing(ticket) && settings.packages?.includes('Kerberos') === true) return ticket;
  if (isMissing(response) && settings.packages?.includes('NTLM') === true) return response;
  if (packages.length === 0) return isMissing(ticket) ? ticket : ntlmLeftOut;
  return {
    provider: isMissing(ticket) ? 'portable' : 'gssapi',
    boundTo: 'connection',
    packages: packages.map((inner) => inner.package.info.name),
    requirements: delegation(settings),
    acquire: () => acquire(negotiatePackage, { packages }),
  };
}
