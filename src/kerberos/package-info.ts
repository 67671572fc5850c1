/** The SecPkgInfo of the package Kerberos. */
import type { SecurityPackageInfo } from '../sspi/attributes.ts';

/** SECPKG_FLAG_* (sspi.h): integrity, privacy, connection, extended error, mutual authentication, delegation, GSS. */
const INTEGRITY = 0x1;
const PRIVACY = 0x2;
const CONNECTION = 0x10;
const EXTENDED_ERROR = 0x80;
const NEGOTIABLE = 0x800;
const GSS_COMPATIBLE = 0x1000;
const MUTUAL_AUTH = 0x10000;
const DELEGATION = 0x20000;

/** RPC_C_AUTHN_GSS_KERBEROS. */
const RPC_ID = 16;

/** Largest token that is accepted, in bytes (attack A05). The limit of Windows for Kerberos is 48 000. */
export const MAX_TOKEN_BYTES = 65536;

/** @param comment who verifies */
function packageInfo(comment: string): SecurityPackageInfo {
  return Object.freeze({
    name: 'Kerberos',
    comment,
    capabilities:
      INTEGRITY | PRIVACY | CONNECTION | EXTENDED_ERROR | NEGOTIABLE | GSS_COMPATIBLE | MUTUAL_AUTH | DELEGATION,
    version: 1,
    rpcId: RPC_ID,
    maxToken: MAX_TOKEN_BYTES,
  });
}

/** Kerberos over GSSAPI. */
export const kerberosPackageInfo = packageInfo('Kerberos 5 of the system GSSAPI, with a keytab');
/** Kerberos of this library. */
export const portableKerberosPackageInfo = packageInfo('Kerberos 5 without a library, with a keytab');
