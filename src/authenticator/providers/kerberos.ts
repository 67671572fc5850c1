/** Kerberos by the system's GSSAPI and a keytab. */
import { detectKerberos, kerberosFacts, kerberosOptions, kerberosPackage } from '../../native/gssapi/index.ts';
import { ASC_REQ_DELEGATE } from '../../sspi/index.ts';
import { options } from '../options.ts';
import type { SchemeSettings } from '../options.ts';
import { acquire, authDataFrom, isMissing, isWindows } from './availability.ts';
import type { Availability, Missing } from './availability.ts';
import { warningReceiver } from './warnings.ts';

// Browsers use Kerberos through Negotiate. The scheme Kerberos is offered only if option `schemes` names it.
export const kerberosNotNamed: Missing = {
  missing: 'it is offered as a scheme of its own only if option "schemes" names it.',
};

export function kerberos(settings: SchemeSettings): Availability {
  if (settings.schemes === undefined) return kerberosNotNamed;
  const authData = kerberosAuthData(settings);
  if (isMissing(authData)) return authData;
  return {
    provider: 'gssapi',
    boundTo: 'connection',
    requirements: delegation(settings),
    kerberos: () => kerberosFacts(authData),
    acquire: () => acquire(kerberosPackage, authData),
  };
}

/** ASC_REQ_* bits to request. Forwarded tickets are requested only if option `delegate` is true. */
export function delegation({ delegate }: SchemeSettings): number {
  return delegate === true ? ASC_REQ_DELEGATE : 0;
}

/** The schemes that Kerberos may run in. */
const kerberosSchemes: readonly string[] = ['Negotiate', 'Kerberos', 'CredSSP'];

/** Whether an option applies to Kerberos only. `delegate` is for the passwords of CredSSP as well. */
export function concernsKerberosAlone(
  name: keyof typeof options,
  { schemes }: Pick<SchemeSettings, 'schemes'>,
): boolean {
  if (name === 'delegate' && schemes?.includes('CredSSP') === true) return false;
  const concerned = options[name].schemes;
  return concerned?.includes('Kerberos') === true && concerned.every((scheme) => kerberosSchemes.includes(scheme));
}

/** Whether schemes are named, and none in which Kerberos may run. */
export function leavesKerberosOut(schemes: SchemeSettings['schemes']): boolean {
  return schemes?.some((scheme) => kerberosSchemes.includes(scheme)) === false;
}

/** Whether an option that was given relies on Kerberos. `servicePrincipalNames` does unless NTLM alone is asked for. */
export function reliesOnKerberos(
  name: keyof typeof options,
  { provider, packages, schemes }: Pick<SchemeSettings, 'provider' | 'packages' | 'schemes'>,
): boolean {
  if (name !== 'servicePrincipalNames') return concernsKerberosAlone(name, { schemes });
  const isLeftOut = packages?.includes('Kerberos') === false || leavesKerberosOut(schemes);
  return provider !== 'portable' && !isLeftOut;
}

/** authData of the package Kerberos, or why there is none. */
export function kerberosAuthData(settings: SchemeSettings): Readonly<Record<string, unknown>> | Missing {
  const { provider, keytab, library, accounts, schemes, packages, given } = settings;
  if (packages?.includes('Kerberos') === false) return { missing: 'option "packages" leaves Kerberos out.' };
  if (provider === 'portable') return { missing: 'provider "portable" has no Kerberos.' };
  if (isWindows(provider)) {
    return {
      missing: `Windows' own SSPI is not used if "accounts" is given. Use provider 'secur32', or leave "accounts" out.`,
    };
  }
  const authData = { ...authDataFrom(kerberosOptions, settings), onWarning: warningReceiver(settings) };
  if (keytab !== undefined || provider === 'gssapi') return authData;
  const asksForKerberos =
    given.some((name) => reliesOnKerberos(name, settings)) || packages?.includes('Kerberos') === true;
  if (accounts !== undefined && schemes === undefined && !asksForKerberos) {
    return {
      missing: `option "keytab" is not given, and the machine's keytab is not looked for if "accounts" is given.`,
    };
  }
  const detection = detectKerberos(library);
  if (detection.available) return { ...authData, keytab: detection.keytab };
  return {
    missing: `option "keytab" is not given, and ${detection.lookedFor}. Give keytab: '/path/http.keytab' with a key of HTTP/<host>.`,
  };
}
