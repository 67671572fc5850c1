/** What the demo tells a client about its own sign-in, as data. The page, the text and the JSON are made from it. */
import type { Identity, SecurityContextInfo } from '../index.ts';
import * as requirements from '../sspi/requirements.ts';
import type { RecordedHandshake } from './recorded-handshake.ts';

/** One sign-in. */
export interface SignIn {
  readonly user: Identity;
  readonly scheme: string;
  readonly package: string;
  readonly provider: string;
  /** Names of the ASC_RET_* bits. */
  readonly attributes: readonly string[];
  readonly channelBound: boolean;
  /** ISO 8601. Undefined: the sign-in ends with the connection, or with the request. */
  readonly expiry: string | undefined;
  /** `address:port` of the client. */
  readonly peer: string;
  readonly handshake: RecordedHandshake;
}

const attributeTable: readonly (readonly [bit: number, name: string])[] = Object.entries(requirements)
  .filter(([name]) => name.startsWith('ASC_RET_'))
  .map(([name, bit]) => [bit, name] as const)
  .sort(([a], [b]) => a - b);

/** Names of the attributes that are set, lowest bit first; unknown ones come last, as one `0x…` word. */
export function attributeNames(attributes: number): readonly string[] {
  let rest = attributes >>> 0;
  const names: string[] = [];
  for (const [bit, name] of attributeTable) {
    if ((rest & bit) === 0) continue;
    names.push(name);
    rest = (rest & ~bit) >>> 0;
  }
  return rest === 0 ? names : [...names, `0x${rest.toString(16)}`];
}

/** Makes a SignIn from what a request carries and what was recorded. */
export function signInOf(
  user: Identity,
  sspi: SecurityContextInfo,
  peer: string,
  handshake: RecordedHandshake,
): SignIn {
  return {
    user,
    scheme: sspi.scheme,
    package: sspi.package,
    provider: sspi.provider,
    attributes: attributeNames(sspi.attributes),
    channelBound: sspi.channelBound,
    expiry: sspi.expiry?.toISOString(),
    peer,
    handshake,
  };
}
