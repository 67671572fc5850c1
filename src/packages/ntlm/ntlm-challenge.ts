/** The first leg: the CHALLENGE_MESSAGE that answers a NEGOTIATE_MESSAGE, MS-NLMP section 3.2.5.1.1. */
import { encodeTargetInfo } from '../../formats/ntlm/av-pairs.ts';
import { filetimeOf } from '../../formats/filetime.ts';
import { encodeChallengeMessage, SERVER_CHALLENGE_BYTES } from '../../formats/ntlm/challenge-message.ts';
import {
  NTLM_NEGOTIATE_OEM,
  NTLMSSP_NEGOTIATE_128,
  NTLMSSP_NEGOTIATE_56,
  NTLMSSP_NEGOTIATE_ALWAYS_SIGN,
  NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY,
  NTLMSSP_NEGOTIATE_IDENTIFY,
  NTLMSSP_NEGOTIATE_KEY_EXCH,
  NTLMSSP_NEGOTIATE_NTLM,
  NTLMSSP_NEGOTIATE_SEAL,
  NTLMSSP_NEGOTIATE_SIGN,
  NTLMSSP_NEGOTIATE_TARGET_INFO,
  NTLMSSP_NEGOTIATE_UNICODE,
  NTLMSSP_NEGOTIATE_VERSION,
  NTLMSSP_REQUEST_TARGET,
  NTLMSSP_TARGET_TYPE_DOMAIN,
  NTLMSSP_TARGET_TYPE_SERVER,
} from '../../formats/ntlm/negotiate-flags.ts';
import type { NtlmVersion } from '../../formats/ntlm/version.ts';
import { equalIgnoringCase } from '../../formats/uppercase.ts';
import { encodeUtf16le } from '../../formats/utf16.ts';
import type { NtlmSettings } from './ntlm-auth-data.ts';

/** A challenge that was sent, with what is needed to verify the response to it. */
export interface IssuedChallenge {
  /** NEGOTIATE_MESSAGE and CHALLENGE_MESSAGE as they were on the wire: the MIC covers them. */
  readonly negotiateMessage: Uint8Array;
  readonly challengeMessage: Uint8Array;
  /** Eight bytes. */
  readonly serverChallenge: Uint8Array;
  /** Flags of the challenge. The client can use no others. */
  readonly flags: number;
}

/**
 * Flags granted whenever the client asks for them. VERSION is one of them because of WinPR: it takes a challenge
 * without VERSION to be eight bytes shorter than it is, and computes its MIC over only a part of it.
 */
const GRANTED = NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY | NTLMSSP_NEGOTIATE_IDENTIFY | NTLMSSP_NEGOTIATE_VERSION;
/** For debugging only (section 2.2.2.10): nothing may depend on it. Revision 15 is the only one there is. */
const VERSION: NtlmVersion = Object.freeze({ major: 10, minor: 0, build: 0, revision: 15 });
/** Flags that have a meaning only for message protection. */
const PROTECTION =
  NTLMSSP_NEGOTIATE_SIGN |
  NTLMSSP_NEGOTIATE_SEAL |
  NTLMSSP_NEGOTIATE_KEY_EXCH |
  NTLMSSP_NEGOTIATE_128 |
  NTLMSSP_NEGOTIATE_56;
/** Flags every challenge has. */
const ALWAYS =
  NTLMSSP_REQUEST_TARGET | NTLMSSP_NEGOTIATE_NTLM | NTLMSSP_NEGOTIATE_ALWAYS_SIGN | NTLMSSP_NEGOTIATE_TARGET_INFO;

/**
 * Flags of the challenge for the flags that a client offers.
 *
 * Message protection is granted only with extended session security: the older form has one key for both directions
 * and a CRC as checksum. LM_KEY and DATAGRAM are never granted.
 *
 * @returns undefined if the client can read neither Unicode nor OEM strings (SEC_E_INVALID_TOKEN)
 */
function challengeFlags(offered: number): number | undefined {
  let flags = ALWAYS | (offered & GRANTED);
  if ((offered & NTLMSSP_NEGOTIATE_UNICODE) !== 0) flags |= NTLMSSP_NEGOTIATE_UNICODE;
  else if ((offered & NTLM_NEGOTIATE_OEM) !== 0) flags |= NTLM_NEGOTIATE_OEM;
  else return undefined;
  const extended = (offered & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY) !== 0;
  const protects = (offered & (NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL)) !== 0;
  if (extended && protects) flags |= offered & PROTECTION;
  return flags >>> 0;
}

/**
 * Makes the challenge.
 *
 * MsvAvTimestamp is always sent. With it clients send a MIC and leave out the LM response (section 3.1.5.1.2), and they
 * use this time instead of their own clock.
 *
 * @param negotiateMessage the NEGOTIATE_MESSAGE as received; copied
 * @param offered flags of the NEGOTIATE_MESSAGE
 * @returns undefined if there is no common character set (SEC_E_INVALID_TOKEN)
 */
export function issueChallenge(
  settings: NtlmSettings,
  negotiateMessage: Uint8Array,
  offered: number,
): IssuedChallenge | undefined {
  const flags = challengeFlags(offered);
  if (flags === undefined) return undefined;
  const { domain, computerName } = settings;
  const standsAlone = equalIgnoringCase(domain, computerName);
  const targetName = encodeTargetName(domain, (flags & NTLMSSP_NEGOTIATE_UNICODE) !== 0);
  const targetType = standsAlone ? NTLMSSP_TARGET_TYPE_SERVER : NTLMSSP_TARGET_TYPE_DOMAIN;
  const serverChallenge = new Uint8Array(settings.random(SERVER_CHALLENGE_BYTES));
  if (serverChallenge.byteLength !== SERVER_CHALLENGE_BYTES) {
    throw new RangeError('the random source gave the wrong number of bytes');
  }
  const grantedFlags = (flags | targetType) >>> 0;
  const challengeMessage = encodeChallengeMessage({
    flags: grantedFlags,
    serverChallenge,
    targetName,
    version: VERSION,
    targetInfo: encodeTargetInfo({
      nbDomainName: domain,
      nbComputerName: computerName,
      dnsDomainName: settings.dnsDomain,
      dnsComputerName: settings.dnsComputerName,
      timestamp: filetimeOf(settings.clock.now()),
    }),
  });
  return { negotiateMessage: new Uint8Array(negotiateMessage), challengeMessage, serverChallenge, flags: grantedFlags };
}

/** TargetName in the agreed character set. Empty if OEM cannot represent the name: TargetInfo has it as well. */
function encodeTargetName(name: string, unicode: boolean): Uint8Array {
  if (unicode) return encodeUtf16le(name);
  return /^[\x20-\x7e]*$/u.test(name) ? Buffer.from(name, 'latin1') : new Uint8Array(0);
}
