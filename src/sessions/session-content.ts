/**
 * What a session cookie holds, as JSON. It was sealed by this library, but perhaps by another version of it or with other
 * options, so its form is checked all the same.
 */
import type { Group, Identity } from '../identity/identity.ts';
import type { SecurityContextFacts } from '../identity/security-context-info.ts';
import type { SessionSettings } from './session-options.ts';

/** Groups that are not in the cookie: where the store has them, and the hash of what it has. */
export interface GroupReference {
  readonly key: string;
  /** SHA-256, base64url. */
  readonly hash: string;
}

/** A session as it stands in its cookie. Times are milliseconds since 1970-01-01 UTC. */
export interface SessionContent {
  readonly audience: string;
  /** Random, base64url. */
  readonly id: string;
  /** When its user signed in. */
  readonly signedInAt: number;
  /** When it was sealed last. */
  readonly sealedAt: number;
  /** When it ends at the latest. */
  readonly endsAt: number;
  readonly facts: Omit<SecurityContextFacts, 'channelBound'>;
  /** Without its groups, if those are in the store. */
  readonly user: Identity;
  readonly groups?: GroupReference;
}

const VERSION = 1;

type Json = Readonly<Record<string, unknown>>;

/** The identity with what a cookie keeps of it. */
export function keptIdentity(user: Identity, fields: SessionSettings['fields']): Identity {
  const { name, userName, domain, userPrincipalName, displayName, sid, groups } = user;
  const keeps = (field: SessionSettings['fields'][number]): boolean => fields.includes(field);
  return {
    name,
    userName,
    package: user.package,
    groups: keeps('groups') ? groups : [],
    ...(domain === undefined ? undefined : { domain }),
    ...(sid !== undefined && keeps('sid') ? { sid } : undefined),
    // Of an account without a domain it is part of the name.
    ...(userPrincipalName !== undefined && (keeps('userPrincipalName') || domain === undefined)
      ? { userPrincipalName }
      : undefined),
    ...(displayName !== undefined && keeps('displayName') ? { displayName } : undefined),
  };
}

/** A group as an array, which is shorter: SID, name, attributes, denyOnly. */
export function encodeGroups(groups: readonly Group[]): Uint8Array {
  const rows = groups.map(({ sid, name, attributes, denyOnly }) => [sid ?? 0, name ?? 0, attributes, denyOnly ? 1 : 0]);
  return Buffer.from(JSON.stringify(rows));
}

/** @returns undefined if they do not have their form */
export function decodeGroups(bytes: Uint8Array): readonly Group[] | undefined {
  return groupsOf(parsed(bytes));
}

export function encodeContent(content: SessionContent): Uint8Array {
  const { facts, user, groups } = content;
  const { name, userName, domain, userPrincipalName, displayName, sid } = user;
  return Buffer.from(
    JSON.stringify({
      v: VERSION,
      aud: content.audience,
      id: content.id,
      at: content.signedInAt,
      iat: content.sealedAt,
      end: content.endsAt,
      scheme: facts.scheme,
      package: facts.package,
      provider: facts.provider,
      attributes: facts.attributes,
      expiry: facts.expiry?.getTime(),
      user: { name, userName, domain, userPrincipalName, displayName, sid },
      ...(groups === undefined
        ? { groups: JSON.parse(Buffer.from(encodeGroups(user.groups)).toString()) as unknown }
        : { stored: [groups.key, groups.hash] }),
    }),
  );
}

/** @returns undefined if it does not have its form */
export function decodeContent(bytes: Uint8Array): SessionContent | undefined {
  const json = parsed(bytes);
  if (!isRecord(json) || json['v'] !== VERSION || !isRecord(json['user'])) return undefined;
  const { aud, id, at, iat, end, scheme, provider, attributes, expiry, stored } = json;
  const user = identityOf(json['user'], json['package']);
  const groups = stored === undefined ? groupsOf(json['groups']) : [];
  if (!isText(aud) || !isText(id) || !isText(scheme) || !isText(provider)) return undefined;
  if (!isTime(at) || !isTime(iat) || !isTime(end) || !(expiry === undefined || isTime(expiry))) return undefined;
  if (typeof attributes !== 'number' || user === undefined || groups === undefined) return undefined;
  const reference = stored === undefined ? undefined : referenceOf(stored);
  if (stored !== undefined && reference === undefined) return undefined;
  return {
    audience: aud,
    id,
    signedInAt: at,
    sealedAt: iat,
    endsAt: end,
    facts: {
      scheme,
      package: user.package,
      provider,
      attributes,
      expiry: expiry === undefined ? undefined : new Date(expiry),
    },
    user: { ...user, groups },
    ...(reference === undefined ? undefined : { groups: reference }),
  };
}

function identityOf(given: Json, packageName: unknown): Identity | undefined {
  const { name, userName, domain, userPrincipalName, displayName, sid } = given;
  if (!isText(name) || !isText(userName) || !isText(packageName)) return undefined;
  const optional = { domain, userPrincipalName, displayName, sid };
  const kept: Record<string, string> = {};
  for (const [field, value] of Object.entries(optional)) {
    if (value === undefined) continue;
    if (typeof value !== 'string') return undefined;
    kept[field] = value;
  }
  return { name, userName, groups: [], package: packageName, ...kept };
}

function groupsOf(given: unknown): readonly Group[] | undefined {
  if (!Array.isArray(given)) return undefined;
  const groups: Group[] = [];
  for (const row of given as readonly unknown[]) {
    if (!Array.isArray(row)) return undefined;
    const [sid, name, attributes, denyOnly] = row as readonly unknown[];
    if (typeof attributes !== 'number' || (denyOnly !== 0 && denyOnly !== 1)) return undefined;
    if ((sid !== 0 && !isText(sid)) || (name !== 0 && !isText(name))) return undefined;
    groups.push(
      Object.freeze({
        ...(sid === 0 ? undefined : { sid }),
        ...(name === 0 ? undefined : { name }),
        attributes,
        denyOnly: denyOnly === 1,
      }),
    );
  }
  return Object.freeze(groups);
}

function referenceOf(given: unknown): GroupReference | undefined {
  const [key, hash] = Array.isArray(given) ? (given as readonly unknown[]) : [];
  return isText(key) && isText(hash) ? { key, hash } : undefined;
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
