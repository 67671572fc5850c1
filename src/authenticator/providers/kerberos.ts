/** Kerberos: of the system's GSSAPI, or this library's own. */
import { OptionError } from '../../foundation/errors.ts';
import type { StartFacts } from '../../kerberos/start-facts.ts';
import {
  detectKerberos,
  gssapiAbsence,
  kerberosFacts,
  kerberosOptions,
  kerberosPackage,
} from '../../native/gssapi/index.ts';
import { keySource } from '../../packages/kerberos/keys/key-source.ts';
import { portableKerberosOptions, portableKerberosPackage } from '../../packages/kerberos/index.ts';
import { ASC_REQ_DELEGATE } from '../../sspi/index.ts';
import type { SecurityPackage } from '../../sspi/index.ts';
import { auditOf } from '../audit.ts';
import { options } from '../options.ts';
import type { SchemeSettings } from '../options.ts';
import { acquire, authDataFrom, isMissing, isWindows } from './availability.ts';
import type { Availability, Missing } from './availability.ts';
import { detectKeytab } from './machine-keytab.ts';
import { portableFacts } from './portable-facts.ts';
import { replayMemory } from './replay-memory.ts';
import { warningReceiver } from './warnings.ts';

// Browsers use Kerberos through Negotiate. The scheme Kerberos is offered only if option `schemes` names it.
export const kerberosNotNamed: Missing = {
  missing: 'it is offered as a scheme of its own only if option "schemes" names it.',
};

export function kerberos(settings: SchemeSettings): Availability {
  if (settings.schemes === undefined) return kerberosNotNamed;
  const inside = kerberosInside(settings);
  if (isMissing(inside)) return inside;
  const { provider, package: itsPackage, authData, facts } = inside;
  return {
    provider,
    boundTo: 'connection',
    requirements: delegation(settings),
    kerberos: facts,
    acquire: () => acquire(itsPackage, authData),
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

/** The package Kerberos, where it comes from, and its authData. */
export interface KerberosInside {
  readonly provider: 'gssapi' | 'portable';
  readonly package: SecurityPackage;
  readonly authData: Readonly<Record<string, unknown>>;
  /** What was found, once the credential is acquired. */
  readonly facts: () => StartFacts | undefined;
}

/**
 * The package Kerberos, or why there is none.
 *
 * @throws OptionError if an option is not for the provider that is taken
 * @throws SspiAuthError `ERR_SSPI_AUTH_NATIVE_LIBRARY` if a library is there and cannot be used: none takes its place
 */
export function kerberosInside(settings: SchemeSettings): KerberosInside | Missing {
  const { provider, packages } = settings;
  if (packages?.includes('Kerberos') === false) return { missing: 'option "packages" leaves Kerberos out.' };
  if (isWindows(provider)) {
    return {
      missing: `Windows' own SSPI is not used if "accounts" is given. Use provider 'secur32', or leave "accounts" out.`,
    };
  }
  const lookedFor = isLookedFor(settings);
  // With accounts and no word of Kerberos, not even the library is looked for.
  if (!lookedFor && provider !== 'gssapi') return notLookedFor;
  return usesGssapi(settings) ? gssapiKerberos(settings) : portableKerberos(settings);
}

const notLookedFor: Missing = {
  missing: `option "keytab" is not given, and the machine's keytab is not looked for if "accounts" is given.`,
};

/** Whether a keytab is given, or that of the machine is to be used. */
function isLookedFor(settings: SchemeSettings): boolean {
  const { keytab, accounts, schemes, packages, given } = settings;
  if (keytab !== undefined || accounts === undefined || schemes !== undefined) return true;
  return given.some((name) => reliesOnKerberos(name, settings)) || packages?.includes('Kerberos') === true;
}

/** Whether Kerberos is that of a GSSAPI library: where one is installed, unless the options say otherwise. */
function usesGssapi(settings: SchemeSettings): boolean {
  const { provider, keytab, library } = settings;
  if (provider !== 'auto') return provider === 'gssapi';
  if (library !== undefined) return true;
  if (keytab !== undefined && typeof keytab !== 'string') {
    tellChoice(settings, 'because option "keytab" is no path, which is all that GSSAPI takes');
    return false;
  }
  const absence = gssapiAbsence();
  if (absence === undefined) return true;
  tellChoice(settings, `because no GSSAPI library is installed (${absence})`);
  return false;
}

function gssapiKerberos(settings: SchemeSettings): KerberosInside | Missing {
  const { keytab, library, provider } = settings;
  refuseOthersOptions(settings, 'gssapi');
  if (keytab !== undefined && typeof keytab !== 'string') {
    throw new OptionError('keytab', 'is no path, which is all that GSSAPI takes', "Use provider 'portable'.");
  }
  const authData = { ...authDataFrom(kerberosOptions, settings), onWarning: warningReceiver(settings) };
  const inside = (data: KerberosInside['authData']): KerberosInside => ({
    provider: 'gssapi',
    package: kerberosPackage,
    authData: data,
    facts: () => kerberosFacts(data),
  });
  if (keytab !== undefined || provider === 'gssapi') return inside(authData);
  const detection = detectKerberos(library);
  if (detection.available) return inside({ ...authData, keytab: detection.keytab });
  return keytabMissing(detection.lookedFor);
}

function portableKerberos(settings: SchemeSettings): KerberosInside | Missing {
  const { keytab, clock } = settings;
  refuseOthersOptions(settings, 'portable');
  if (keytab === undefined) {
    const detection = detectKeytab();
    if (!detection.available) return keytabMissing(detection.lookedFor);
  }
  const onWarning = warningReceiver(settings);
  const authData = {
    ...authDataFrom(portableKerberosOptions, settings),
    onWarning,
    keys: keySource(keytab, { clock, onWarning, option: 'authData.keytab' }),
    replay: replayMemory(settings),
  };
  return {
    provider: 'portable',
    package: portableKerberosPackage,
    authData,
    facts: () => portableFacts(settings),
  };
}

function keytabMissing(lookedFor: string): Missing {
  return {
    missing: `option "keytab" is not given, and ${lookedFor}. Give keytab: '/path/http.keytab' with a key of HTTP/<host>.`,
  };
}

/** Options of Kerberos that only the other provider has. */
function refuseOthersOptions(settings: SchemeSettings, provider: 'gssapi' | 'portable'): void {
  const other = settings.given.find((name) => {
    // The library has a replay cache of its own. The store may be for Digest.
    if (name === 'store') return provider === 'gssapi' && !verifiesDigest(settings);
    const { schemes, providers } = options[name];
    return (
      schemes?.includes('Kerberos') === true && providers?.includes(provider) === false && name !== 'impersonation'
    );
  });
  if (other === undefined) return;
  const [is, wanted] =
    provider === 'gssapi' ? ['that of the GSSAPI library', 'portable'] : ["this library's own", 'gssapi'];
  throw new OptionError(
    other,
    `is given, but Kerberos is ${is}, which has no such option`,
    `Leave it out, or use provider '${wanted}'.`,
  );
}

const told = new WeakSet<object>();

/** Says once which provider was taken. */
function tellChoice(settings: SchemeSettings, reason: string): void {
  // Several schemes ask with settings of their own; they share the list of what was given.
  if (told.has(settings.given)) return;
  told.add(settings.given);
  auditOf(settings).told(`sspi-auth: Kerberos is this library's own (provider 'portable'), ${reason}`);
}

function verifiesDigest({ accounts, schemes }: SchemeSettings): boolean {
  return accounts?.verifyDigest !== undefined && schemes?.includes('Digest') !== false;
}
