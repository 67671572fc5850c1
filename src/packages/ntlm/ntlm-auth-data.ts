/** What acquireCredentialsHandle takes for NTLM (pAuthData). */
import { accountSourceFor } from '../../accounts/account-source.ts';
import type { ServerNames } from '../../accounts/account-source.ts';
import { dnsName } from '../../formats/dns-name.ts';
import { namesTarget, servicePrincipalName } from '../../formats/kerberos/service-principal-name.ts';
import { netBiosName } from '../../formats/netbios-name.ts';
import { systemClock, systemRandom } from '../../foundation/clock.ts';
import { defaulted, optional, readOptions, required } from '../../foundation/option-table.ts';
import type { AuthDataOf, SettingsOf } from '../../foundation/option-table.ts';
import { clock, flag, listOf, random, wholeNumber } from '../../foundation/option-values.ts';

const DEFAULT_LIFETIME_MILLISECONDS = 36 * 60 * 60 * 1000;

export const ntlmOptions = {
  /** Who verifies responses; must have `verifyNtlm`. */
  accounts: required(accountSourceFor('verifyNtlm'), 'Give an account source, such as memoryAccounts([...]).'),
  /** NetBIOS name of the domain that the server belongs to; equal to `computerName` for a stand-alone server. */
  domain: required(netBiosName, 'Give the NetBIOS name of the domain.'),
  /** NetBIOS name of the server. */
  computerName: required(netBiosName, 'Give the NetBIOS name of the server.'),
  /** DNS name of the domain, sent in the challenge. Clients may name the domain by it. */
  dnsDomain: optional(dnsName),
  /** DNS name of the server, sent in the challenge. */
  dnsComputerName: optional(dnsName),
  /** Where the time comes from. */
  clock: defaulted(clock, systemClock, { otherwise: "the machine's" }),
  /** Where challenges come from. */
  random: defaulted(random, systemRandom, { otherwise: "the machine's" }),
  /** How much the time in a response may differ from the server's, in milliseconds (MS-NLMP note <39>). */
  maxLifetimeMilliseconds: defaulted(wholeNumber(1, Number.MAX_SAFE_INTEGER), DEFAULT_LIFETIME_MILLISECONDS),
  /** Refuse clients that send no MIC, such as curl and Firefox. A MIC that a client sends is always checked. */
  requireMic: defaulted(flag, false),
  /**
   * Services of this server, such as `HTTP/web.example.com`. A client must name one of them as its target
   * (MsvAvTargetName); one that names none, or says that its target is not to be trusted, is refused
   * (SEC_E_WRONG_PRINCIPAL). Case and realm are ignored, a port as well unless it is given here. Left out: a client may
   * name any.
   */
  servicePrincipalNames: optional(listOf(servicePrincipalName, 'names')),
  /** Refuse clients that do not negotiate 128-bit keys (SEC_E_UNSUPPORTED_FUNCTION). */
  require128: defaulted(flag, false),
};

/** authData of acquireCredentialsHandle for the package NTLM. */
export type NtlmAuthData = AuthDataOf<typeof ntlmOptions>;

/** NtlmAuthData, checked and complete. */
export type NtlmSettings = SettingsOf<typeof ntlmOptions>;

/** Whether the target that a client named is a service of this server. NTLM knows no realms. */
export function acceptsTarget({ servicePrincipalNames }: NtlmSettings, target: string): boolean {
  if (servicePrincipalNames === undefined) return true;
  return servicePrincipalNames.some((name) => namesTarget(name.replace(/@.*$/, ''), target));
}

/**
 * Checks pAuthData.
 *
 * @param principal pszPrincipal: a service of this server, besides those of `servicePrincipalNames`
 * @throws OptionError that names the option, such as `authData.accounts`, or an account that the source refuses at this
 *   server
 */
export function ntlmSettings(authData: unknown, principal?: string): NtlmSettings {
  const read = readOptions(ntlmOptions, authData, 'authData');
  const named = [
    ...(read.servicePrincipalNames ?? []),
    ...(principal === undefined ? [] : [servicePrincipalName(principal, 'principal')]),
  ];
  const settings = Object.freeze({ ...read, servicePrincipalNames: named.length === 0 ? undefined : named });
  settings.accounts.checkServerNames?.(serverNames(settings));
  return settings;
}

/** The names of the server, for the account source. */
export function serverNames({ domain, computerName, dnsDomain }: NtlmSettings): ServerNames {
  return { serverDomain: domain, serverName: computerName, serverDnsDomain: dnsDomain };
}
