/** NEGOTIATE flags of the NTLM messages, MS-NLMP section 2.2.2.5, and their names. */

/** Strings are UTF-16LE. */
export const NTLMSSP_NEGOTIATE_UNICODE = 0x00000001;
/** Strings are in the OEM character set. */
export const NTLM_NEGOTIATE_OEM = 0x00000002;
/** The challenge must name its target. */
export const NTLMSSP_REQUEST_TARGET = 0x00000004;
/** Messages can be signed. */
export const NTLMSSP_NEGOTIATE_SIGN = 0x00000010;
/** Messages can be sealed. */
export const NTLMSSP_NEGOTIATE_SEAL = 0x00000020;
/** Connectionless; not supported here. */
export const NTLMSSP_NEGOTIATE_DATAGRAM = 0x00000040;
/** LAN Manager session key; never granted here. */
export const NTLMSSP_NEGOTIATE_LM_KEY = 0x00000080;
export const NTLMSSP_NEGOTIATE_NTLM = 0x00000200;
/** The client is anonymous. */
export const NTLMSSP_NEGOTIATE_ANONYMOUS = 0x00000800;
export const NTLMSSP_NEGOTIATE_OEM_DOMAIN_SUPPLIED = 0x00001000;
export const NTLMSSP_NEGOTIATE_OEM_WORKSTATION_SUPPLIED = 0x00002000;
export const NTLMSSP_NEGOTIATE_ALWAYS_SIGN = 0x00008000;
/** TargetName of the challenge is a domain. */
export const NTLMSSP_TARGET_TYPE_DOMAIN = 0x00010000;
/** TargetName of the challenge is a computer. */
export const NTLMSSP_TARGET_TYPE_SERVER = 0x00020000;
/** Session security with separate keys for each direction, section 3.4. */
export const NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY = 0x00080000;
export const NTLMSSP_NEGOTIATE_IDENTIFY = 0x00100000;
export const NTLMSSP_REQUEST_NON_NT_SESSION_KEY = 0x00400000;
/** The challenge carries TargetInfo. */
export const NTLMSSP_NEGOTIATE_TARGET_INFO = 0x00800000;
/** The Version field is filled in. */
export const NTLMSSP_NEGOTIATE_VERSION = 0x02000000;
export const NTLMSSP_NEGOTIATE_128 = 0x20000000;
/** The client sends a session key of its own, encrypted. */
export const NTLMSSP_NEGOTIATE_KEY_EXCH = 0x40000000;
export const NTLMSSP_NEGOTIATE_56 = 0x80000000;

/** Every flag with its name, lowest bit first. Bits that are not here are reserved. */
export const ntlmFlagTable: readonly (readonly [flag: number, name: string])[] = Object.freeze([
  [NTLMSSP_NEGOTIATE_UNICODE, 'NTLMSSP_NEGOTIATE_UNICODE'],
  [NTLM_NEGOTIATE_OEM, 'NTLM_NEGOTIATE_OEM'],
  [NTLMSSP_REQUEST_TARGET, 'NTLMSSP_REQUEST_TARGET'],
  [NTLMSSP_NEGOTIATE_SIGN, 'NTLMSSP_NEGOTIATE_SIGN'],
  [NTLMSSP_NEGOTIATE_SEAL, 'NTLMSSP_NEGOTIATE_SEAL'],
  [NTLMSSP_NEGOTIATE_DATAGRAM, 'NTLMSSP_NEGOTIATE_DATAGRAM'],
  [NTLMSSP_NEGOTIATE_LM_KEY, 'NTLMSSP_NEGOTIATE_LM_KEY'],
  [NTLMSSP_NEGOTIATE_NTLM, 'NTLMSSP_NEGOTIATE_NTLM'],
  [NTLMSSP_NEGOTIATE_ANONYMOUS, 'NTLMSSP_NEGOTIATE_ANONYMOUS'],
  [NTLMSSP_NEGOTIATE_OEM_DOMAIN_SUPPLIED, 'NTLMSSP_NEGOTIATE_OEM_DOMAIN_SUPPLIED'],
  [NTLMSSP_NEGOTIATE_OEM_WORKSTATION_SUPPLIED, 'NTLMSSP_NEGOTIATE_OEM_WORKSTATION_SUPPLIED'],
  [NTLMSSP_NEGOTIATE_ALWAYS_SIGN, 'NTLMSSP_NEGOTIATE_ALWAYS_SIGN'],
  [NTLMSSP_TARGET_TYPE_DOMAIN, 'NTLMSSP_TARGET_TYPE_DOMAIN'],
  [NTLMSSP_TARGET_TYPE_SERVER, 'NTLMSSP_TARGET_TYPE_SERVER'],
  [NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY, 'NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY'],
  [NTLMSSP_NEGOTIATE_IDENTIFY, 'NTLMSSP_NEGOTIATE_IDENTIFY'],
  [NTLMSSP_REQUEST_NON_NT_SESSION_KEY, 'NTLMSSP_REQUEST_NON_NT_SESSION_KEY'],
  [NTLMSSP_NEGOTIATE_TARGET_INFO, 'NTLMSSP_NEGOTIATE_TARGET_INFO'],
  [NTLMSSP_NEGOTIATE_VERSION, 'NTLMSSP_NEGOTIATE_VERSION'],
  [NTLMSSP_NEGOTIATE_128, 'NTLMSSP_NEGOTIATE_128'],
  [NTLMSSP_NEGOTIATE_KEY_EXCH, 'NTLMSSP_NEGOTIATE_KEY_EXCH'],
  [NTLMSSP_NEGOTIATE_56, 'NTLMSSP_NEGOTIATE_56'],
]);

/** The names of the flags that are set, lowest bit first; reserved bits that are set come last, as one `0x…` word. */
export function ntlmFlagNames(flags: number): readonly string[] {
  const names: string[] = [];
  let rest = flags >>> 0;
  for (const [flag, name] of ntlmFlagTable) {
    if ((rest & flag) === 0) continue;
    names.push(name);
    rest = (rest & ~flag) >>> 0;
  }
  if (rest !== 0) names.push(`0x${rest.toString(16).padStart(8, '0')}`);
  return names;
}
