/** NTLM in TypeScript, with an account source. */
import { ntlmOptions, ntlmPackage } from '../../packages/ntlm/index.ts';
import type { OfferedScheme } from '../offered-scheme.ts';
import type { SchemeSettings } from '../options.ts';
import { accountsMissing } from './accounts-missing.ts';
import { acquire, authDataFrom, isMissing } from './availability.ts';
import type { Availability, Missing } from './availability.ts';

export const ntlmLeftOut: Missing = { missing: 'option "packages" leaves NTLM out.' };

export function ntlm(settings: SchemeSettings): Availability {
  const authData = ntlmAuthData(settings);
  if (isMissing(authData)) return authData;
  return {
    provider: 'portable',
    boundTo: 'connection',
    isCurrent: ntlmCurrency(settings),
    acquire: () => acquire(ntlmPackage, authData),
  };
}

/** Asks the account source about users of NTLM, if it can tell. Users of Kerberos are none of its accounts. */
export function ntlmCurrency({ accounts }: SchemeSettings): OfferedScheme['isCurrent'] {
  if (accounts?.isCurrent === undefined) return undefined;
  return (user) => user.package !== ntlmPackage.info.name || accounts.isCurrent?.(user);
}

/** authData of the package NTLM, or why there is none. */
export function ntlmAuthData(settings: SchemeSettings): Readonly<Record<string, unknown>> | Missing {
  const { accounts, packages } = settings;
  if (packages?.includes('NTLM') === false) return ntlmLeftOut;
  if (accounts?.verifyNtlm === undefined) return { missing: accountsMissing(accounts?.description, 'NTLM') };
  return authDataFrom(ntlmOptions, settings);
}
