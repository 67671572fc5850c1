/** The first leg: what a NEGOTIATE_MESSAGE is answered with, MS-NLMP section 3.2.5.1.1. */
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

/** A challenge on its way: what verifying the answer to it needs. */
export interface IssuedChallenge {
  /** NEGOTIATE_MESSAGE and CHALLENGE_MESSAGE as they were on the wire: the MIC covers them. */
  readonly negotiateMessage: Uint8Array;
  readonly challengeMessage: Uint8Array;
  /** Eight bytes. */
  readonly serverChallenge: Uint8Array;
  /** Flags of the challenge: the client cannot have more. */
  readonly flags: number;
}

/**
 * Flags granted whenever the client asks. VERSION among them because WinPR takes a challenge without it for eight bytes
 * shorter than it is, and then computes its MIC over a part of it.
 */
const GRANTED = NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY | NTLMSSP_NEGOTIATE_IDENTIFY | NTLMSSP_NEGOTIATE_VERSION;
/** Nothing may depend on it (section 2.2.2.10); revision 15 is the only one there is. */
const VERSION: NtlmVersion = Object.freeze({ major: 10, minor: 0, build: 0, revision: 15 });
/** Flags that only mean something for message protection. */
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
 * Flags of the challenge for an offer.
 *
 * Message protection is granted only with extended session security: the older form has one key for both directions
 * and a CRC for a checksum. LM_KEY and DATAGRAM are never granted.
 *
 * @returns undefined where the client can read neither Unicode nor OEM strings (SEC_E_INVALID_TOKEN)
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
 * MsvAvTimestamp is always told: it makes clients send a MIC and leave the LM response out (section 3.1.5.1.2), and spares
 * them a clock of their own.
 *
 * @param negotiateMessage raw bytes; copied
 * @param offered their flags
 * @returns undefined where there is no character set in common
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
    throw new RangeError('the random source gave too few bytes');
  }
  const answered = (flags | targetType) >>> 0;
  const challengeMessage = encodeChallengeMessage({
    flags: answered,
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
  return { negotiateMessage: new Uint8Array(negotiateMessage), challengeMessage, serverChallenge, flags: answered };
}

/** TargetName in the agreed character set; left empty where OEM cannot say it, for TargetInfo says it too. */
function encodeTargetName(name: string, unicode: boolean): Uint8Array {
  if (unicode) return encodeUtf16le(name);
  return /^[\x20-\x7e]*$/u.test(name) ? Buffer.from(name, 'latin1') : new Uint8Array(0);
}
