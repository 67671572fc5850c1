/**
 * Which security package comes from where on this machine. The only module that knows both the packages and the native
 * libraries; everything above it sees credentials.
 */
import { SspiAuthError, OptionError } from '../../foundation/errors.ts';
import type { OfferedScheme } from '../offered-scheme.ts';
import { detectKerberos, kerberosPackage } from '../../native/gssapi/index.ts';
import type { KerberosAuthData } from '../../native/gssapi/index.ts';
import { secur32Packages } from '../../native/secur32/index.ts';
import type { SchemeName, Settings } from '../options.ts';
import { digestPackage, grantableAttributes } from '../../packages/digest/index.ts';
import type { DigestAuthData } from '../../packages/digest/index.ts';
import { negotiatePackage } from '../../packages/negotiate/index.ts';
import type { NegotiateInnerPackage } from '../../packages/negotiate/index.ts';
import type { NtlmAuthData } from '../../packages/ntlm/ntlm-auth-data.ts';
import { ntlmPackage } from '../../packages/ntlm/ntlm-package.ts';
import {
  acquireCredentialsHandle,
  addSecurityPackages,
  ASC_REQ_DELEGATE,
  freeCredentialsHandle,
} from '../../sspi/index.ts';
import type { CredentialHandle, SecurityPackage } from '../../sspi/index.ts';

export { liveNativeHandles } from '../../native/secur32/index.ts';

/** Adds the packages of this machine to those of the process: Windows' own on Windows, ours elsewhere. */
export function addMachinePackages(): void {
  addSecurityPackages(() => [ntlmPackage, digestPackage, negotiatePackage, kerberosPackage]);
  if (process.platform === 'win32') addSecurityPackages(() => secur32Packages());
}

/** Why something cannot be verified here, and what would help. */
interface Missing {
  readonly missing: string;
}

/** How a scheme can be verified here: a way to get its credential, and what else is known of it. */
interface Available extends Omit<OfferedScheme, 'name' | 'credential' | 'requiredAttributes'> {
  readonly acquire: () => CredentialHandle;
}

type Availability = Available | Missing;

/** A scheme that will be offered. */
interface Offer {
  readonly name: SchemeName;
  readonly how: Available;
}

function isMissing(value: object): value is Missing {
  return 'missing' in value;
}

/** Strongest first: what is offered where the options name no schemes. */
const preference: readonly SchemeName[] = ['Negotiate', 'Kerberos', 'NTLM', 'Digest'];

/**
 * The schemes that options and machine allow, with their credentials.
 *
 * @throws OptionError where `schemes` names one that cannot be verified, or an option concerns a provider that is not used;
 *   SspiAuthError `ERR_SSPI_AUTH_NO_ACCEPTOR` where there is none at all
 */
export function offeredSchemes<R>(settings: Settings<R>): readonly OfferedScheme[] {
  contradictions(settings);
  const available: Offer[] = [];
  const missing: string[] = [];
  for (const name of settings.schemes ?? preference) {
    const availability = availabilityOf(name, settings);
    if (!isMissing(availability)) {
      available.push({ name, how: availability });
    } else if (settings.schemes !== undefined) {
      throw new OptionError('schemes', `has "${name}", which nothing here can verify`, availability.missing);
    } else {
      missing.push(`${name}: ${availability.missing}`);
    }
  }
  if (available.length === 0) {
    throw new SspiAuthError(
      'ERR_SSPI_AUTH_NO_ACCEPTOR',
      `sspi-auth: nothing here can verify a client, so nobody could be let in. Looked for:\n  ${missing.join('\n  ')}`,
    );
  }
  kerberosUnmet(settings, available, missing);
  digestUnmet(settings, available, missing);
  const offered: OfferedScheme[] = [];
  try {
    for (const { name, how } of available) {
      const { acquire, ...offer } = how;
      offered.push({ name, ...offer, requiredAttributes: settings.requiredAttributes, credential: acquire() });
    }
  } catch (error) {
    // Nobody will close an authenticator that never came to be.
    for (const { credential } of offered) freeCredentialsHandle(credential);
    throw error;
  }
  return offered;
}

/** Whose accounts are given, means those: Windows would let in its own. */
function usesSecur32<R>({ provider, accounts }: Settings<R>): boolean {
  return provider === 'secur32' || (isWindows(provider) && accounts === undefined);
}

function isWindows(provider: Settings['provider']): boolean {
  return provider === 'auto' && process.platform === 'win32';
}

/** Options that mean nothing with the provider that will verify: better to say so than to ignore what somebody relies on. */
function contradictions<R>(settings: Settings<R>): void {
  const { provider, kerberos, library, packages, schemes } = settings;
  const given = settings.keytab === undefined ? Object.keys(kerberos)[0] : 'keytab';
  if (given !== undefined && (usesSecur32(settings) || isWindows(provider))) {
    throw new OptionError(
      given,
      'is given, but Windows verifies Kerberos with the keys of the service account',
      'Leave it out.',
    );
  }
  if (given !== undefined && provider === 'portable') {
    throw new OptionError(
      given,
      `is given, but provider "portable" has no Kerberos`,
      "Use provider 'auto' or 'gssapi'.",
    );
  }
  if (given !== undefined && packages?.includes('Kerberos') === false) {
    throw new OptionError(given, 'is given, but option "packages" leaves Kerberos out', 'Leave one of the two out.');
  }
  if (given !== undefined && schemes?.some((name) => name === 'Negotiate' || name === 'Kerberos') === false) {
    throw new OptionError(given, 'is given, but "schemes" names neither Negotiate nor Kerberos', 'Name one of them.');
  }
  if (library !== undefined && provider === 'portable') {
    throw new OptionError(
      'library',
      'is given, but provider "portable" loads none',
      "Name the provider it is for: 'secur32' or 'gssapi'.",
    );
  }
}

/** Options that rely on Kerberos where nothing will verify it: half of a policy is not what was asked for. */
function kerberosUnmet<R>(settings: Settings<R>, available: readonly Offer[], missing: readonly string[]): void {
  const { packages, servicePrincipalNames, library } = settings;
  const verifiesKerberos = available.some(
    ({ name, how }) =>
      how.provider === 'secur32' ||
      name === 'Kerberos' ||
      (name === 'Negotiate' && how.packages?.includes('Kerberos') !== false),
  );
  if (verifiesKerberos) return;
  const relying = [
    packages?.includes('Kerberos') === true ? 'packages' : undefined,
    servicePrincipalNames === undefined ? undefined : 'servicePrincipalNames',
    Object.keys(settings.kerberos)[0],
    library === undefined ? undefined : 'library',
  ].find((option) => option !== undefined);
  if (relying === undefined) return;
  const why = missing.find((reason) => reason.startsWith('Negotiate')) ?? 'schemes: no scheme of it is named.';
  throw new OptionError(relying, 'needs Kerberos, which nothing here can verify', `Leave it out, or see to ${why}`);
}

/** Options of Digest where nobody is offered it. */
function digestUnmet<R>({ digest }: Settings<R>, available: readonly Offer[], missing: readonly string[]): void {
  if (Object.keys(digest).length === 0 || available.some(({ name }) => name === 'Digest')) return;
  const why = missing.find((reason) => reason.startsWith('Digest')) ?? 'schemes: Digest is not named.';
  throw new OptionError('digest', 'is given, but Digest is not offered', `Leave it out, or see to ${why}`);
}

function availabilityOf<R>(name: SchemeName, settings: Settings<R>): Availability {
  if (name === 'Digest') return digest(settings);
  if (usesSecur32(settings)) return secur32(name, settings);
  switch (name) {
    case 'Negotiate':
      return negotiate(settings);
    case 'Kerberos':
      return kerberos(settings);
    case 'NTLM':
      return ntlm(settings);
  }
}

// Browsers know Kerberos by the name Negotiate: a scheme of its own is offered only to who asks for it.
const kerberosNotNamed: Missing = {
  missing: 'as a scheme of its own it is offered only where "schemes" names it.',
};
const ntlmLeftOut: Missing = { missing: 'option "packages" leaves NTLM out.' };

/** The operating system's own packages, and those of a library with the same interface. */
function secur32<R>(name: Exclude<SchemeName, 'Digest'>, settings: Settings<R>): Availability {
  const { schemes, library, servicePrincipalNames, packages } = settings;
  if (settings.channelBinding === 'always' && process.platform !== 'win32') {
    throw new OptionError(
      'channelBinding',
      'is "always", which a library of SSPI other than Windows\' does not enforce',
      "Use another provider, or 'whenSupported'.",
    );
  }
  if (name === 'Kerberos' && schemes === undefined) return kerberosNotNamed;
  if (name === 'NTLM' && packages?.includes('NTLM') === false) return ntlmLeftOut;
  const found = secur32Packages(library).find(({ info }) => info.name === name);
  if (found === undefined) return { missing: `the library has no security package ${name}.` };
  return {
    provider: 'secur32',
    boundTo: 'connection',
    packages: name === 'Negotiate' ? packages : [name],
    servicePrincipalNames,
    acquire: () => acquire(found, undefined),
  };
}

/** SPNEGO over what there is of Kerberos and NTLM. */
function negotiate<R>(settings: Settings<R>): Availability {
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

function kerberos<R>(settings: Settings<R>): Availability {
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

function delegation<R>({ kerberos: { delegate } }: Settings<R>): number {
  return delegate === true ? ASC_REQ_DELEGATE : 0;
}

function kerberosAuthData<R>(settings: Settings<R>): KerberosAuthData | Missing {
  const { provider, keytab, library, servicePrincipalNames, clock, accounts, schemes, packages } = settings;
  if (packages?.includes('Kerberos') === false) return { missing: 'option "packages" leaves Kerberos out.' };
  if (provider === 'portable') return { missing: 'provider "portable" has no Kerberos.' };
  if (isWindows(provider)) {
    return { missing: `beside "accounts" Windows' own SSPI is not asked. Use provider 'secur32', or leave them out.` };
  }
  const authData: KerberosAuthData = { ...settings.kerberos, keytab, library, servicePrincipalNames, clock };
  if (keytab !== undefined || provider === 'gssapi') return authData;
  const relied = Object.keys(settings.kerberos).length > 0 || packages?.includes('Kerberos') === true;
  if (accounts !== undefined && schemes === undefined && !relied && servicePrincipalNames === undefined) {
    return { missing: 'option "keytab" is not given; beside "accounts" the keytab of the machine is not looked for.' };
  }
  const detection = detectKerberos(library);
  if (detection.available) return { ...authData, keytab: detection.keytab };
  return {
    missing: `option "keytab" is not given, and ${detection.lookedFor}. Give keytab: '/path/http.keytab' with a key of HTTP/<host>.`,
  };
}

function ntlm<R>(settings: Settings<R>): Availability {
  const authData = ntlmAuthData(settings);
  if (isMissing(authData)) return authData;
  return { provider: 'portable', boundTo: 'connection', acquire: () => acquire(ntlmPackage, authData) };
}

function ntlmAuthData<R>(settings: Settings<R>): NtlmAuthData | Missing {
  const { accounts, domain, computerName, clock, random, packages } = settings;
  if (packages?.includes('NTLM') === false) return ntlmLeftOut;
  if (accounts?.verifyNtlm === undefined) return { missing: accountsMissing(accounts?.description, 'NTLM') };
  return { accounts, domain, computerName, clock, random };
}

function digest<R>(settings: Settings<R>): Availability {
  const { accounts, domain, realm, clock, random, channelBinding, requiredAttributes } = settings;
  if (accounts?.verifyDigest === undefined) return { missing: accountsMissing(accounts?.description, 'Digest') };
  if (channelBinding === 'always') {
    // A relay of TLS would choose the one scheme whose clients cannot tell it from the server (attack C17).
    return { missing: `option "channelBinding" is 'always', and Digest cannot carry bindings.` };
  }
  if ((requiredAttributes & ~grantableAttributes) !== 0) {
    return {
      missing: 'option "requiredAttributes" has bits that no context of Digest has, such as ASC_RET_INTEGRITY.',
    };
  }
  const authData: DigestAuthData = { accounts, realm, domain, clock, random, ...settings.digest };
  return { provider: 'portable', boundTo: 'request', acquire: () => acquire(digestPackage, authData) };
}

function accountsMissing(description: string | undefined, scheme: 'NTLM' | 'Digest'): string {
  if (description !== undefined) {
    return `option "accounts" is ${description}, which cannot verify ${scheme}. Give an account source that can.`;
  }
  const file = scheme === 'NTLM' ? ' or smbpasswdFile(path)' : '';
  return `option "accounts" is not given. Give accounts: memoryAccounts([{ userName, password }])${file}.`;
}

function acquire(securityPackage: SecurityPackage, authData: unknown): CredentialHandle {
  const credential = acquireCredentialsHandle({ package: securityPackage, credentialUse: 'inbound', authData });
  if (credential instanceof Promise) {
    throw new TypeError(`sspi-auth: package ${securityPackage.info.name} must give its credential synchronously`);
  }
  return credential;
}
