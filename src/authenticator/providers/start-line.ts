/** The line that says at start what was found and what is offered. It names no secret and is bounded. */
import type { KeytabEntry } from '../../formats/kerberos/keytab.ts';
import { encryptionTypeName } from '../../formats/kerberos/kerberos-token.ts';
import { printable } from '../../foundation/text.ts';
import { listed } from '../../identity/reasons/show.ts';
import { machineKeytab } from '../../native/gssapi/index.ts';
import type { StartFacts } from '../../kerberos/start-facts.ts';
import type { OfferedScheme } from '../offered-scheme.ts';
import type { SchemeSettings } from '../options.ts';
import { usesSecur32 } from './availability.ts';
import type { SchemeOffer } from './offered-schemes.ts';

/** UTF-16 units of a part of the line, of what Kerberos has, and of the whole. */
const MAX_PART = 500;
const MAX_KERBEROS = 1000;
/** A service with its types. */
const MAX_KEYS = 250;
const MAX_LINE = 2000;

/** The same facts for programs, and for people. */
export interface StartLine {
  readonly record: {
    /** Names of the schemes, in the order in which they are offered. */
    readonly schemes: readonly string[];
    /** Implementation, its release, keytab, keys and replay memory; undefined where Windows verifies Kerberos, or nothing does. */
    readonly kerberos: string | undefined;
    /** Description of the account source. */
    readonly accounts: string | undefined;
    readonly domain: string;
    /** Of Digest; undefined if that is not offered. */
    readonly realm: string | undefined;
    readonly channelBinding: string;
    readonly persistence: string;
    /** Schemes that are not offered, each with the reason why. */
    readonly notOffered: readonly string[];
  };
  readonly message: string;
}

/** What was found at start, in one line. */
export function startLine(settings: SchemeSettings, { schemes, kerberos, missing }: SchemeOffer): StartLine {
  const { accounts, channelBinding, persistence, domain } = settings;
  const names = schemes.map(({ name }) => name);
  const realm = names.includes('Digest') ? printable(settings.realm, MAX_PART) : undefined;
  const notOffered = missing.filter((why) => !isNoNews(why)).map((why) => printable(withMachineKeytab(why), MAX_PART));
  const record = {
    schemes: names,
    kerberos: kerberos === undefined ? undefined : kerberosText(kerberos),
    accounts: accounts === undefined ? undefined : accountsText(accounts.description),
    domain: printable(domain, MAX_PART),
    realm,
    channelBinding,
    persistence,
    notOffered,
  };
  const parts = [
    `offers ${schemes.map(schemeText).join(', ')}`,
    ...(usesSecur32(settings) ? ['verified by Windows with the account of this process'] : []),
    ...(record.kerberos === undefined ? [] : [`Kerberos: ${record.kerberos}`]),
    ...(record.accounts === undefined ? [] : [`accounts: ${record.accounts}`]),
    `domain ${record.domain}`,
    ...(realm === undefined ? [] : [`realm ${realm}`]),
    `channelBinding ${channelBinding}`,
    `persistence ${persistence}`,
    ...notOffered.map((why) => `not offered: ${why}`),
  ];
  return { record, message: `sspi-auth: ${parts.join('; ')}`.slice(0, MAX_LINE) };
}

function schemeText({ name, packages }: OfferedScheme): string {
  return packages === undefined || (packages.length === 1 && packages[0] === name)
    ? name
    : `${name} (${packages.join(', ')})`;
}

/** An own source may be plain JavaScript without a description. */
function accountsText(description: unknown): string {
  return typeof description === 'string' ? printable(description, MAX_PART) : 'a source without description';
}

function kerberosText({ implementation, library, keytab, entries, replay }: StartFacts): string {
  const parts = [
    library === undefined ? implementation : `${implementation} (${library})`,
    `keytab ${keytab} with ${listed(keysOf(entries), MAX_KEYS)}`,
    ...(replay === undefined ? [] : [replay]),
  ];
  return printable(parts.join(', '), MAX_KERBEROS);
}

/** One text for each service and version: `HTTP/web@R kvno 3 (aes256-…, aes128-…)`. */
function keysOf(entries: readonly KeytabEntry[]): readonly string[] {
  const types = new Map<string, string[]>();
  for (const { name, realm, keyVersion, encryptionType } of entries) {
    // Keys of a password fit every number, as those do that were written without one.
    const key = `${name}@${realm} kvno ${keyVersion === 0 ? 'any' : keyVersion}`;
    types.set(key, [...(types.get(key) ?? []), encryptionTypeName(encryptionType)]);
  }
  return [...types].map(([key, names]) => `${key} (${listed(names)})`);
}

/** The scheme Kerberos beside Negotiate is for few. */
function isNoNews(why: string): boolean {
  return why.startsWith('Kerberos: ');
}

/** Says where a keytab would be, if Kerberos was left out because accounts are given. */
function withMachineKeytab(why: string): string {
  if (!why.includes("the machine's keytab is not looked for")) return why;
  const found = machineKeytab();
  return found === undefined ? why : `${why} ${found.path} has ${listed(found.services)}: give it as option "keytab".`;
}
