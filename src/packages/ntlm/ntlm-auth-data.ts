/** What acquireCredentialsHandle takes for NTLM (pAuthData), checked once. */
import type { AccountSource } from '../../accounts/account-source.ts';
import { OptionError } from '../../foundation/errors.ts';
import { systemClock, systemRandom } from '../../foundation/clock.ts';
import type { Clock, RandomSource } from '../../foundation/clock.ts';
import { hasLoneSurrogate } from '../../foundation/text.ts';

/** Options of an NTLM credential. */
export interface NtlmAuthData {
  /** Who verifies responses; must have `verifyNtlm`. */
  readonly accounts: AccountSource;
  /** NetBIOS name of the domain the server belongs to; equal to `computerName` for a server of its own. */
  readonly domain: string;
  /** NetBIOS name of the server. */
  readonly computerName: string;
  /** DNS names that the challenge tells besides; left out where not given. */
  readonly dnsDomain?: string | undefined;
  readonly dnsComputerName?: string | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: RandomSource | undefined;
  /** How far the time in a response may be from the server's, in milliseconds; default 36 hours (MS-NLMP note <39>). */
  readonly maxLifetimeMilliseconds?: number | undefined;
  /** Refuse clients that send no MIC, such as curl and Firefox. Default false: a MIC is checked where there is one. */
  readonly requireMic?: boolean | undefined;
  /** Refuse clients that do not negotiate 128-bit keys (SEC_E_UNSUPPORTED_FUNCTION). Default false. */
  readonly require128?: boolean | undefined;
}

/** NtlmAuthData, checked and complete. */
export interface NtlmSettings {
  readonly accounts: AccountSource & Required<Pick<AccountSource, 'verifyNtlm'>>;
  readonly domain: string;
  readonly computerName: string;
  readonly dnsDomain: string | undefined;
  readonly dnsComputerName: string | undefined;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly maxLifetimeMilliseconds: number;
  readonly requireMic: boolean;
  readonly require128: boolean;
}

const DEFAULT_LIFETIME_MILLISECONDS = 36 * 60 * 60 * 1000;
/** NetBIOS names have 16 bytes, the last of which is the suffix (RFC 1001 section 14). */
const NETBIOS_NAME_UNITS = 15;
/** RFC 1035 section 2.3.4. */
const DNS_NAME_UNITS = 255;

/**
 * @throws OptionError naming the option
 */
export function ntlmSettings(authData: unknown): NtlmSettings {
  if (typeof authData !== 'object' || authData === null) {
    throw new OptionError('authData', 'is missing', 'Give NTLM an NtlmAuthData: accounts, domain, computerName.');
  }
  const given = authData as Partial<Record<keyof NtlmAuthData, unknown>>;
  return Object.freeze({
    accounts: verify(given.accounts),
    domain: name('domain', given.domain, NETBIOS_NAME_UNITS),
    computerName: name('computerName', given.computerName, NETBIOS_NAME_UNITS),
    dnsDomain: given.dnsDomain === undefined ? undefined : name('dnsDomain', given.dnsDomain, DNS_NAME_UNITS),
    dnsComputerName:
      given.dnsComputerName === undefined ? undefined : name('dnsComputerName', given.dnsComputerName, DNS_NAME_UNITS),
    clock: clock(given.clock),
    random: random(given.random),
    maxLifetimeMilliseconds: lifetime(given.maxLifetimeMilliseconds),
    requireMic: flag('requireMic', given.requireMic),
    require128: flag('require128', given.require128),
  });
}

function verify(value: unknown): NtlmSettings['accounts'] {
  const source = value as Partial<AccountSource> | null | undefined;
  if (typeof source !== 'object' || source === null) {
    throw new OptionError('accounts', 'is missing', 'Give an account source, such as memoryAccounts([...]).');
  }
  if (typeof source.verifyNtlm !== 'function') {
    throw new OptionError(
      'accounts',
      `cannot verify NTLM: ${String(source.description)}`,
      'Use a source that knows NT hashes or asks a domain controller.',
    );
  }
  return source as NtlmSettings['accounts'];
}

function name(option: string, value: unknown, limit: number): string {
  if (typeof value !== 'string' || value === '') {
    throw new OptionError(
      option,
      value === '' ? 'is empty' : 'is not a string',
      'Give the name of the server or domain.',
    );
  }
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (value.length > limit || hasLoneSurrogate(value) || /[\u0000-\u001f\u007f-\u009f\\/]/u.test(value)) {
    throw new OptionError(option, `is ${JSON.stringify(value)}`, `Give a name of at most ${limit} characters.`);
  }
  return value;
}

function clock(value: unknown): Clock {
  if (value === undefined) return systemClock;
  const given = typeof value === 'object' && value !== null ? (value as Partial<Record<keyof Clock, unknown>>) : {};
  if (typeof given.now !== 'function' || typeof given.elapsed !== 'function') {
    throw new OptionError('clock', 'has no now() and elapsed()', "Leave it out to use the machine's clock.");
  }
  return value as Clock;
}

function random(value: unknown): RandomSource {
  if (value === undefined) return systemRandom;
  if (typeof value !== 'function') {
    throw new OptionError('random', 'is not a function', "Leave it out to use the machine's generator.");
  }
  return value as RandomSource;
}

function lifetime(value: unknown): number {
  if (value === undefined) return DEFAULT_LIFETIME_MILLISECONDS;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value <= 0) {
    throw new OptionError(
      'maxLifetimeMilliseconds',
      `is ${typeof value === 'number' ? value : typeof value}`,
      'Give a positive whole number.',
    );
  }
  return value;
}

function flag(option: string, value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value !== 'boolean') throw new OptionError(option, 'is not a boolean', 'Give true or false.');
  return value;
}
