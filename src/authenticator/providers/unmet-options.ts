/**
 * Refuses options that have no effect here. An error at start is better than to ignore an option on which somebody
 * relies.
 */
import { OptionError } from '../../foundation/errors.ts';
import { options } from '../options.ts';
import type { SchemeSettings } from '../options.ts';
import { isWindows, usesSecur32 } from './availability.ts';
import type { Offer } from './availability.ts';
import { concernsKerberosAlone, leavesKerberosOut, reliesOnKerberos } from './kerberos.ts';

/**
 * Refuses options that contradict the provider that will verify, or each other.
 *
 * @throws OptionError
 */
export function refuseContradictions(settings: SchemeSettings): void {
  const { provider, library, packages, schemes } = settings;
  const given = settings.given.find(
    (name) => concernsKerberosAlone(name, settings) && options[name].providers?.includes('secur32') !== true,
  );
  if (given !== undefined && (usesSecur32(settings) || isWindows(provider))) {
    throw new OptionError(
      given,
      'is given, but Windows verifies Kerberos with the keys of the service account',
      given === 'delegate'
        ? 'Leave it out, and give requiredAttributes: ASC_RET_DELEGATE: request.sspi.impersonate then acts with what the client has delegated (docs/windows.md).'
        : 'Leave it out.',
    );
  }
  if (given !== undefined && packages?.includes('Kerberos') === false) {
    throw new OptionError(given, 'is given, but option "packages" leaves Kerberos out', 'Leave one of the two out.');
  }
  if (given !== undefined && leavesKerberosOut(schemes)) {
    throw new OptionError(given, 'is given, but "schemes" names neither Negotiate nor Kerberos', 'Name one of them.');
  }
  if (settings.impersonation === true && !usesSecur32(settings)) {
    throw new OptionError(
      'impersonation',
      "is true, but only Windows' own packages can impersonate a client",
      'Leave it out.',
    );
  }
  if (settings.allowCredSspWithoutTls === true && settings.persistence === 'request') {
    throw new OptionError(
      'allowCredSspWithoutTls',
      'is true, but "persistence" is "request": a sign-in without TLS is for the later requests of its connection',
      'Leave one of the two out.',
    );
  }
  if (library !== undefined && provider === 'portable') {
    throw new OptionError(
      'library',
      'is given, but provider "portable" loads no library',
      "Name the provider it is for: 'secur32' or 'gssapi'.",
    );
  }
}

/**
 * Refuses options that rely on a scheme that is not offered: without it, only half of the operator's policy would hold.
 *
 * @param missing why the other schemes cannot be verified
 * @throws OptionError
 */
export function refuseUnmet(settings: SchemeSettings, available: readonly Offer[], missing: readonly string[]): void {
  const { packages, given } = settings;
  const reason = (scheme: string): string | undefined => missing.find((why) => why.startsWith(scheme));
  const relying =
    packages?.includes('Kerberos') === true
      ? 'packages'
      : given.find((name) => name === 'library' || reliesOnKerberos(name, settings));
  if (relying !== undefined && !available.some(verifiesKerberos)) {
    const why = reason('Negotiate') ?? '"schemes" names no scheme with Kerberos.';
    throw new OptionError(
      relying,
      'needs Kerberos, which nothing here can verify',
      `Leave it out, or fix this: ${why}`,
    );
  }
  if (given.includes('requireMic') && !available.some(verifiesNtlmHere)) {
    const why = available.some(({ how }) => how.provider === 'secur32')
      ? 'Windows verifies NTLM itself, and has no such setting.'
      : (reason('NTLM') ?? '"schemes" or "packages" leaves NTLM out.');
    throw new OptionError('requireMic', 'is given, but NTLM is not verified here', `Leave it out, or fix this: ${why}`);
  }
  for (const name of ['credssp', 'allowCredSspWithoutTls'] as const) {
    if (given.includes(name) && !available.some((offer) => offer.name === 'CredSSP')) {
      throw new OptionError(
        name,
        'is given, but CredSSP is not offered',
        'Leave it out, or name "CredSSP" in "schemes".',
      );
    }
  }
  if (given.includes('digest') && !available.some(({ name }) => name === 'Digest')) {
    const why = reason('Digest') ?? '"schemes" does not name Digest.';
    throw new OptionError('digest', 'is given, but Digest is not offered', `Leave it out, or fix this: ${why}`);
  }
}

/** Whether NTLM is verified by the package of this library. */
function verifiesNtlmHere({ name, how }: Offer): boolean {
  if (how.provider === 'secur32') return false;
  return name === 'NTLM' || ((name === 'Negotiate' || name === 'CredSSP') && how.packages?.includes('NTLM') === true);
}

function verifiesKerberos({ name, how }: Offer): boolean {
  return (
    how.provider === 'secur32' ||
    name === 'Kerberos' ||
    ((name === 'Negotiate' || name === 'CredSSP') && how.packages?.includes('Kerberos') !== false)
  );
}
