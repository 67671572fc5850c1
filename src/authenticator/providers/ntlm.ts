/** NTLM in TypeScript, with an account source. */
import { ntlmOptions, ntlmPackage } from '../../packages/ntlm/index.ts';
import type { SchemeSettings } from '../options.ts';
import { accountsMissing } from './accounts-missing.ts';
import { acquire, authDataFrom, isMissing } from './availability.ts';
import type { Availability, Missing } from './availability.ts';

export const ntlmLeftOut: Missing = { missing: 'option "packages" leaves NTLM out.' };

export function ntlm(settings: SchemeSettings): Availability {
  const authData = ntlmAuthData(settings);
  if (isMissing(authData)) return authData;
  return { provider: 'portable', boundTo: 'connection', acquire: () => acquire(ntlmPackage, authData) };
}

/** authData of the package NTLM, or why there is none. */
export function ntlmAuthData(settings: SchemeSettings): Readonly<Record<string, unknown>> | Missing {
  const { accounts, packages } = settings;
  if (packages?.includes('NTLM') === false) return ntlmLeftOut;
  if (accounts?.verifyNtlm === undefined) return { missing: accountsMissing(accounts?.description, 'NTLM') };
  return authDataFrom(ntlmOptions, settings);
}
