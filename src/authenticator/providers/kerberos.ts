/** Kerberos by the system's GSSAPI and a keytab. */
import { detectKerberos, kerberosOptions, kerberosPackage } from '../../native/gssapi/index.ts';
import { ASC_REQ_DELEGATE } from '../../sspi/index.ts';
import { options } from '../options.ts';
import type { SchemeSettings } from '../options.ts';
import { acquire, authDataFrom, isMissing, isWindows } from './availability.ts';
import type { Availability, Missing } from './availability.ts';

// Browsers know Kerberos by the name Negotiate: a scheme of its own is offered only to who asks for it.
export const kerberosNotNamed: Missing = {
  missing: 'as a scheme of its own it is offered only where "schemes" names it.',
};

export function kerberos(settings: SchemeSettings): Availability {
  if (settings.schemes === undefined) return kerberosNotNamed;
  const authData = kerberosAuthData(settings);
  if (isMissing(authData)) return authData;
  return {
    provider: 'gssapi',
    boundTo: 'connection',
    requirements: delegation(settings),
    acquire: () => acquire(kerberosPackage, authData),
  };
}

/** ASC_REQ_* bits: what a client forwards is asked for only where the operator wants it. */
export function delegation({ delegate }: SchemeSettings): number {
  return delegate === true ? ASC_REQ_DELEGATE : 0;
}

/** Whether an option has a meaning for Kerberos alone. */
export function concernsKerberosAlone(name: keyof typeof options): boolean {
  return options[name].schemes?.every((scheme) => scheme === 'Negotiate' || scheme === 'Kerberos') === true;
}

/** authData of the package Kerberos, or why there is none. */
export function kerberosAuthData(settings: SchemeSettings): Readonly<Record<string, unknown>> | Missing {
  const { provider, keytab, library, accounts, schemes, packages, given } = settings;
  if (packages?.includes('Kerberos') === false) return { missing: 'option "packages" leaves Kerberos out.' };
  if (provider === 'portable') return { missing: 'provider "portable" has no Kerberos.' };
  if (isWindows(provider)) {
    return { missing: `beside "accounts" Windows' own SSPI is not asked. Use provider 'secur32', or leave them out.` };
  }
  const authData = authDataFrom(kerberosOptions, settings);
  if (keytab !== undefined || provider === 'gssapi') return authData;
  const relied = given.some(concernsKerberosAlone) || packages?.includes('Kerberos') === true;
  if (accounts !== undefined && schemes === undefined && !relied) {
    return { missing: 'option "keytab" is not given; beside "accounts" the keytab of the machine is not looked for.' };
  }
  const detection = detectKerberos(library);
  if (detection.available) return { ...authData, keytab: detection.keytab };
  return {
    missing: `option "keytab" is not given, and ${detection.lookedFor}. Give keytab: '/path/http.keytab' with a key of HTTP/<host>.`,
  };
}
