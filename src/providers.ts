/**
 * Which security package comes from where on this machine. The only module that knows both the packages and the native
 * libraries; everything above it sees credentials.
 */
import type { AccountSource } from './accounts/account-source.ts';
import { SspiAuthError, OptionError } from './errors.ts';
import type { OfferedScheme } from './http/offered-scheme.ts';
import type { SchemeName, Settings } from './options.ts';
import { detectKerberos } from './native/gssapi/detect.ts';
import type { KerberosAuthData } from './native/gssapi/kerberos-auth-data.ts';
import { kerberosPackage } from './native/gssapi/kerberos.ts';
import { secur32Packages } from './native/secur32/index.ts';
import { digestPackage } from './packages/digest/index.ts';
import type { DigestAuthData } from './packages/digest/index.ts';
import { negotiatePackage } from './packages/negotiate/index.ts';
import type { NegotiateAuthData, NegotiateInnerPackage } from './packages/negotiate/index.ts';
import { ntlmPackage } from './packages/ntlm/ntlm-package.ts';
import type { NtlmAuthData } from './packages/ntlm/ntlm-auth-data.ts';
import { acquireCredentialsHandle, addSecurityPackage } from './sspi/index.ts';
import type { CredentialHandle, SecurityPackage } from './sspi/index.ts';

/** Adds the packages that need nothing but Node to those of this process. */
export function addPortablePackages(): void {
  addSecurityPackage(ntlmPackage);
  addSecurityPackage(digestPackage);
}

/** How one scheme could be judged here: a way to get its credential, or why there is none. */
type Availability =
  | {
      readonly provider: string;
      readonly boundTo: OfferedScheme['boundTo'];
      readonly acquire: () => CredentialHandle;
      /** Packages that may have run; undefined: any. */
      readonly packages?: readonly string[] | undefined;
      /** Targets a client may have meant; undefined: whatever its credential accepts. */
      readonly servicePrincipalNames?: readonly string[] | undefined;
    }
  | { readonly missing: string };

/** Strongest first: what is offered where the options name no schemes. */
const preference: readonly SchemeName[] = ['Negotiate', 'Kerberos', 'NTLM', 'Digest'];

/**
 * The schemes that options and machine allow, with their credentials.
 *
 * @throws OptionError where `schemes` names one that cannot be judged; SspiAuthError `ERR_SSPI_AUTH_NO_ACCEPTOR` where
 *   there is none at all
 */
export function offeredSchemes<R>(settings: Settings<R>): readonly OfferedScheme[] {
  const offered: OfferedScheme[] = [];
  const missing: string[] = [];
  for (const name of settings.schemes ?? preference) {
    const availability = availabilityOf(name, settings);
    if ('missing' in availability) {
      if (settings.schemes !== undefined) {
        throw new OptionError('schemes', `has "${name}", which nothing here can judge`, availability.missing);
      }
      missing.push(`${name}: ${availability.missing}`);
      continue;
    }
    const { acquire, ...judge } = availability;
    offered.push({ name, ...judge, requiredAttributes: settings.requiredAttributes, credential: acquire() });
  }
  if (offered.length === 0) {
    throw new SspiAuthError(
      'ERR_SSPI_AUTH_NO_ACCEPTOR',
      `sspi-auth: nothing here can judge a client, so nobody could be let in. Looked for:\n  ${missing.join('\n  ')}`,
    );
  }
  return offered;
}

function availabilityOf<R>(name: SchemeName, settings: Settings<R>): Availability {
  const { provider } = settings;
  const isWindows = process.platform === 'win32';
  if (name !== 'Digest' && (provider === 'secur32' || (provider === 'auto' && isWindows))) {
    return secur32(name, settings);
  }
  switch (name) {
    case 'NTLM':
      return ntlm(settings);
    case 'Digest':
      return digest(settings);
    case 'Negotiate':
      return negotiate(settings);
    case 'Kerberos':
      return kerberos(settings);
  }
}

/** The operating system's own packages, and those of a library with the same interface. */
function secur32<R>(
  name: Exclude<SchemeName, 'Digest'>,
  { schemes, library, servicePrincipalNames, packages }: Settings<R>,
): Availability {
  // Browsers know Kerberos by the name Negotiate: a scheme of its own is offered only to who asks for it.
  if (name === 'Kerberos' && schemes === undefined) return { missing: 'not offered unless "schemes" names it.' };
  if (name === 'NTLM' && packages?.includes('NTLM') === false) return { missing: 'option "packages" leaves NTLM out.' };
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

/**
 * SPNEGO over what there is: Kerberos with a keytab, NTLM with accounts. NTLM alone is offered by its own name, unless
 * `schemes` asks for Negotiate.
 */
function negotiate<R>(settings: Settings<R>): Availability {
  const { schemes, packages = ['Kerberos', 'NTLM'], accounts } = settings;
  const inner: NegotiateInnerPackage[] = [];
  const ticket = kerberosAuthData(settings);
  if (!('missing' in ticket)) inner.push({ package: kerberosPackage, authData: ticket });
  if (packages.includes('NTLM') && accounts?.judgeNtlm !== undefined && (schemes !== undefined || inner.length > 0)) {
    inner.push({ package: ntlmPackage, authData: ntlmAuthData(settings, accounts) });
  }
  if (inner.length === 0) return { missing: 'missing' in ticket ? ticket.missing : accountsMissing(undefined, 'NTLM') };
  const authData: NegotiateAuthData = { packages: inner };
  return {
    provider: 'missing' in ticket ? 'portable' : 'gssapi',
    boundTo: 'connection',
    packages: inner.map(({ package: { info } }) => info.name),
    acquire: () => acquire(negotiatePackage, authData),
  };
}

/** Kerberos without SPNEGO, under its own name: no browser asks for it. */
function kerberos<R>(settings: Settings<R>): Availability {
  if (settings.schemes === undefined) return { missing: 'not offered unless "schemes" names it.' };
  const authData = kerberosAuthData(settings);
  if ('missing' in authData) return authData;
  return {
    provider: 'gssapi',
    boundTo: 'connection',
    packages: ['Kerberos'],
    acquire: () => acquire(kerberosPackage, authData),
  };
}

/** What Kerberos judges with, or why it cannot. Without the option it takes the default keytab that has an HTTP key. */
function kerberosAuthData<R>(settings: Settings<R>): KerberosAuthData | { readonly missing: string } {
  const { provider, packages, library, servicePrincipalNames, clock } = settings;
  if (provider === 'portable') return { missing: 'option "provider" is "portable", which has no Kerberos.' };
  if (packages?.includes('Kerberos') === false) return { missing: 'option "packages" leaves Kerberos out.' };
  let { keytab } = settings;
  if (keytab === undefined) {
    const detected = detectKerberos(library);
    if (!detected.available) {
      return { missing: `option "keytab" is not given, and ${detected.lookedFor}. Give keytab: '/etc/http.keytab'.` };
    }
    keytab = detected.keytab;
  }
  return { keytab, servicePrincipalNames, library, clock };
}

function ntlmAuthData<R>(settings: Settings<R>, accounts: AccountSource): NtlmAuthData {
  const { domain, computerName, clock, random } = settings;
  return { accounts, domain, computerName, clock, random };
}

function ntlm<R>(settings: Settings<R>): Availability {
  const { accounts } = settings;
  if (accounts?.judgeNtlm === undefined) return { missing: accountsMissing(accounts?.description, 'NTLM') };
  const authData = ntlmAuthData(settings, accounts);
  return { provider: 'portable', boundTo: 'connection', acquire: () => acquire(ntlmPackage, authData) };
}

function digest<R>({ accounts, domain, realm, clock, random }: Settings<R>): Availability {
  if (accounts?.judgeDigest === undefined) return { missing: accountsMissing(accounts?.description, 'Digest') };
  const authData: DigestAuthData = { accounts, realm, domain, clock, random };
  return { provider: 'portable', boundTo: 'request', acquire: () => acquire(digestPackage, authData) };
}

function accountsMissing(description: string | undefined, scheme: string): string {
  return description === undefined
    ? `option "accounts" is not given. Give accounts: memoryAccounts([{ userName, password }])${scheme === 'NTLM' ? ' or smbpasswdFile(path)' : ''}.`
    : `option "accounts" is ${description}, which cannot judge ${scheme}. Give an account source that can.`;
}

function acquire(securityPackage: SecurityPackage, authData: unknown): CredentialHandle {
  const credential = acquireCredentialsHandle({ package: securityPackage, credentialUse: 'inbound', authData });
  if (credential instanceof Promise) {
    throw new TypeError(`sspi-auth: package ${securityPackage.info.name} must give its credential synchronously`);
  }
  return credential;
}
