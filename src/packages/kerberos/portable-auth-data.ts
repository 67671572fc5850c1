/** The options of acquireCredentialsHandle for Kerberos without a library, and the settings that are made from them. */
import { systemClock, systemRandom } from '../../foundation/clock.ts';
import type { Clock, RandomSource } from '../../foundation/clock.ts';
import { OptionError } from '../../foundation/errors.ts';
import { defaulted, optional, readOptions, required } from '../../foundation/option-table.ts';
import type { AuthDataOf } from '../../foundation/option-table.ts';
import { callable, clock, flag, listOf, shown } from '../../foundation/option-values.ts';
import type { Reader } from '../../foundation/option-values.ts';
import { processWarning } from '../../foundation/process-warning.ts';
import { servicePrincipalName } from '../../formats/kerberos/service-principal-name.ts';
import { serviceNames } from '../../kerberos/accepted-services.ts';
import type { ExchangePolicy } from '../../kerberos/exchange.ts';
import type { PacPolicy } from '../../kerberos/ticket-account.ts';
import type { ReplayMemory } from './replay.ts';
import type { KeySource } from './service-keys.ts';

/** The allowed clock skew of libkrb5 and Windows. */
const DEFAULT_SKEW = 300_000;
/** More than this would make a replay memory useless. */
const MAX_SKEW = 86_400_000;

const replayMemory: Reader<ReplayMemory | false> = (value, option) => {
  const given = value as Partial<ReplayMemory> | false | null;
  if (given === false) return false;
  if (typeof given === 'object' && given !== null && typeof given.claim === 'function') return given as ReplayMemory;
  throw new OptionError(option, shown(value), 'Give an object with a function "claim", or false.');
};

const clockSkew: Reader<number> = (value, option) => {
  if (typeof value === 'number' && value >= 0 && value <= MAX_SKEW) return value;
  throw new OptionError(
    option,
    shown(value),
    `Give milliseconds from 0 to ${MAX_SKEW} (a day). The usual value is 300000.`,
  );
};

export const portableKerberosOptions = {
  /** Makes the keys of the service. */
  keys: required(callable<KeySource>(), 'Give a function that makes the keys of the service.'),
  /** Remembers authenticators. False: none, so that a token can be used again while its time is right. */
  replay: required(replayMemory, 'Give a replay memory, or false.'),
  /**
   * Services whose tickets are accepted, such as `HTTP/web.example.com` or `HTTP/web.example.com@EXAMPLE.COM`. Case is
   * ignored.
   */
  servicePrincipalNames: optional(listOf(servicePrincipalName, 'names'), {
    otherwise: 'every `HTTP/…` service that there is a key for',
  }),
  /** Refuse tickets without a PAC. The PAC has the SIDs of the account and of its groups. */
  requirePac: defaulted(flag, false),
  /**
   * Take nothing from the PAC: the account is the principal, without SID and groups. A PAC whose signature does not
   * verify is still refused.
   */
  ignorePac: defaulted(flag, false),
  /** Accept tickets and keys of RC4 (arcfour-hmac), which can be broken offline. */
  allowRc4: defaulted(flag, false),
  /** Keep forwarded tickets for the application, if the call requires it (ASC_REQ_DELEGATE). */
  delegate: defaulted(flag, false),
  /** How far the clocks of client, KDC and server may differ, in milliseconds. */
  clockSkewMilliseconds: defaulted(clockSkew, DEFAULT_SKEW),
  /** Called with a message if something is wrong, although clients can still be verified. */
  onWarning: defaulted(callable<(message: string) => void>(), processWarning, { otherwise: 'a process warning' }),
  /** Source of the current time. */
  clock: defaulted(clock, systemClock, { otherwise: "the machine's" }),
  /** Source of keys, numbers and confounders. */
  random: defaulted(callable<RandomSource>(), systemRandom, { otherwise: "the machine's" }),
};

/** authData of acquireCredentialsHandle for the package Kerberos without a library. */
export type PortableKerberosAuthData = AuthDataOf<typeof portableKerberosOptions>;

/** PortableKerberosAuthData in the form in which it is used. */
export interface PortableSettings extends ExchangePolicy, PacPolicy {
  readonly keys: KeySource;
  /** Undefined: none. */
  readonly replay: ReplayMemory | undefined;
  readonly clockSkewMilliseconds: number;
  readonly onWarning: (message: string) => void;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** Those of RFC 8009 and RFC 3962. DES and Camellia are not there at all (attack D06). */
const STRONG_ENCRYPTION_TYPES = [20, 19, 18, 17];
const RC4 = 23;

/**
 * Reads and verifies authData.
 *
 * @param principal pszPrincipal of acquireCredentialsHandle: a service to accept, besides option
 *   `servicePrincipalNames`
 * @throws OptionError `ERR_SSPI_AUTH_OPTION` with the path of the option, such as `authData.keys`
 */
export function portableSettings(authData: unknown, principal: string | undefined): PortableSettings {
  const options = readOptions(portableKerberosOptions, authData, 'authData');
  if (options.requirePac && options.ignorePac) {
    throw new OptionError('authData.ignorePac', 'is true, and so is requirePac', 'Leave one of the two out.');
  }
  const named = [
    ...(options.servicePrincipalNames ?? []),
    ...(principal === undefined ? [] : [servicePrincipalName(principal, 'principal')]),
  ];
  return Object.freeze({
    ...serviceNames(named),
    keys: options.keys,
    replay: options.replay === false ? undefined : options.replay,
    encryptionTypes: new Set(options.allowRc4 ? [...STRONG_ENCRYPTION_TYPES, RC4] : STRONG_ENCRYPTION_TYPES),
    requirePac: options.requirePac,
    ignorePac: options.ignorePac,
    delegate: options.delegate,
    // A replay memory may give a promise.
    asynchronous: true,
    clockSkewMilliseconds: options.clockSkewMilliseconds,
    onWarning: options.onWarning,
    clock: options.clock,
    random: options.random,
  });
}
