/**
 * Decides which security package verifies which scheme on this machine. Only this folder knows both the packages and
 * the native libraries; everything above it knows only credentials.
 */
import { SspiAuthError, OptionError } from '../../foundation/errors.ts';
import type { StartFacts } from '../../kerberos/start-facts.ts';
import { freeCredentialsHandle } from '../../sspi/index.ts';
import type { OfferedScheme } from '../offered-scheme.ts';
import type { SchemeName, SchemeSettings } from '../options.ts';
import { isMissing, usesSecur32 } from './availability.ts';
import type { Availability, Offer } from './availability.ts';
import { credssp } from './credssp.ts';
import { digest } from './digest.ts';
import { kerberos } from './kerberos.ts';
import { applyNativeCalls } from './native-calls.ts';
import { negotiate } from './negotiate.ts';
import { ntlm } from './ntlm.ts';
import { secur32 } from './secur32.ts';
import { refuseContradictions, refuseUnmet } from './unmet-options.ts';

/** Strongest first: what is offered where the options name no schemes. Never CredSSP, whose clients give passwords away. */
const preference: readonly SchemeName[] = ['Negotiate', 'Kerberos', 'NTLM', 'Digest'];

/**
 * The schemes that options and machine allow, with their credentials.
 *
 * @throws OptionError if `schemes` names one that cannot be verified, or an option needs a provider that is not used
 * @throws SspiAuthError `ERR_SSPI_AUTH_NO_ACCEPTOR` if no scheme can be verified
 */
export function offeredSchemes(settings: SchemeSettings): readonly OfferedScheme[] {
  return offerOf(settings).schemes;
}

/** What is offered, and what was found for it. */
export interface SchemeOffer {
  readonly schemes: readonly OfferedScheme[];
  /** What Kerberos has found; undefined where Windows verifies it, or nothing does. */
  readonly kerberos: StartFacts | undefined;
  /** Schemes that could be offered and are not, each with the reason why: `Digest: …`. */
  readonly missing: readonly string[];
}

/** The same as offeredSchemes, with what was found. */
export function offerOf(settings: SchemeSettings): SchemeOffer {
  refuseContradictions(settings);
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
  refuseUnmet(settings, available, missing);
  applyNativeCalls(settings);
  return { ...acquireAll(available, settings.requiredAttributes), missing };
}

/** Acquires all credentials. If one fails, those already acquired are freed. */
function acquireAll(available: readonly Offer[], requiredAttributes: number): Omit<SchemeOffer, 'missing'> {
  const offered: OfferedScheme[] = [];
  let found: StartFacts | undefined;
  try {
    for (const { name, how } of available) {
      const { acquire, kerberos, ...offer } = how;
      const credential = acquire();
      const facts = kerberos?.();
      found ??= facts;
      offered.push({ name, ...offer, requiredAttributes, credential, serviceHosts: hostsOf(facts) });
    }
  } catch (error) {
    // No authenticator will be made, so nothing else will free these.
    for (const { credential } of offered) freeCredentialsHandle(credential);
    throw error;
  }
  return { schemes: offered, kerberos: found };
}

/** The hosts of `HTTP/host`, for the log. */
function hostsOf(facts: StartFacts | undefined): readonly string[] | undefined {
  if (facts === undefined) return undefined;
  return [...new Set(facts.entries.map(({ name }) => name.slice(name.indexOf('/') + 1).toLowerCase()))];
}

function availabilityOf(name: SchemeName, settings: SchemeSettings): Availability {
  if (name === 'Digest') return digest(settings);
  if (name === 'CredSSP') return credssp(settings);
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
