/**
 * Which security package comes from where on this machine. The only module that knows both the packages and the native
 * libraries; everything above it sees credentials.
 */
import { SspiAuthError, OptionError } from './errors.ts';
import type { OfferedScheme } from './http/offered-scheme.ts';
import type { SchemeName, Settings } from './options.ts';
import { detectKerberos, kerberosPackage } from './native/gssapi/index.ts';
import type { KerberosAuthData } from './native/gssapi/index.ts';
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
  addSecurityPackage(negotiatePackage);
  addSecurityPackage(kerberosPackage);
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
      readonly delegate?: boolean | undefined;
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

/** The package Kerberos with its authData, or why there is none. */
function kerberosPart<R>(settings: Settings<R>): NegotiateInnerPackage | { readonly missing: string } {
  const { provider, keytab, library, servicePrincipalNames, requirePac, delegate, clock } = settings;
  if (provider === 'portable') return { missing: "provider 'portable' has no Kerberos." };
  if (keytab === undefined) {
    const { available, lookedFor } = detectKerberos(library);
    if (!available) return { missing: `${lookedFor}. Give option "keytab" with a key of HTTP/<host name>.` };
  }
  const authData: KerberosAuthData = { keytab, library, servicePrincipalNames, requirePac, delegate, clock };
  return { package: kerberosPackage, authData };
}

/** Browsers know Kerberos by the name Negotiate: a scheme of its own is offered only to who asks for it. */
function kerberos<R>(settings: Settings<R>): Availability {
  if (settings.schemes === undefined) return { missing: 'not offered unless "schemes" names it.' };
  const part = kerberosPart(settings);
  if ('missing' in part) return part;
  return {
    provider: 'gssapi',
    boundTo: 'connection',
    packages: ['Kerberos'],
    delegate: settings.delegate,
    acquire: () => acquire(part.package, part.authData),
  };
}

/** SPNEGO over what there is: Kerberos by a keytab, NTLM by an account source. */
function negotiate<R>(settings: Settings<R>): Availability {
  const { accounts, packages, domain, computerName, clock, random } = settings;
  const inner: NegotiateInnerPackage[] = [];
  const missing: string[] = [];
  for (const name of packages ?? (['Kerberos', 'NTLM'] as const)) {
    if (name === 'Kerberos') {
      const part = kerberosPart(settings);
      if ('missing' in part) missing.push(part.missing);
      else inner.push(part);
    } else if (accounts?.judgeNtlm === undefined) {
      missing.push(accountsMissing(accounts?.description, 'NTLM'));
    } else {
      const authData: NtlmAuthData = { accounts, domain, computerName, clock, random };
      inner.push({ package: ntlmPackage, authData });
    }
  }
  // Over NTLM alone it would only be in the way of clients that take Negotiate for Kerberos: who wants it names it.
  const kerberosRuns = inner.some((part) => part.package === kerberosPackage);
  if (settings.schemes === undefined && !kerberosRuns) return { missing: missing.join(' ') };
  // Who names a package means it: half of a policy is not what was asked for.
  if (inner.length === 0 || (packages !== undefined && missing.length > 0)) return { missing: missing.join(' ') };
  const authData: NegotiateAuthData = { packages: inner };
  return {
    provider: kerberosRuns ? 'gssapi' : 'portable',
    boundTo: 'connection',
    packages: inner.map((part) => part.package.info.name),
    delegate: settings.delegate,
    acquire: () => acquire(negotiatePackage, authData),
  };
}

function ntlm<R>({ accounts, domain, computerName, clock, random, packages }: Settings<R>): Availability {
  if (packages?.includes('NTLM') === false) return { missing: 'option "packages" leaves NTLM out.' };
  if (accounts?.judgeNtlm === undefined) return { missing: accountsMissing(accounts?.description, 'NTLM') };
  const authData: NtlmAuthData = { accounts, domain, computerName, clock, random };
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
