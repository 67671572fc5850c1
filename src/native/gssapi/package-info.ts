/** The SecPkgInfo of the package Kerberos. */
import type { SecurityPackageInfo } from '../../sspi/attributes.ts';

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

export const kerberosPackageInfo: SecurityPackageInfo = Object.freeze({
  name: 'Kerberos',
  comment: 'Kerberos 5 of the system GSSAPI, with a keytab',
  capabilities:
    INTEGRITY | PRIVACY | CONNECTION | EXTENDED_ERROR | NEGOTIABLE | GSS_COMPATIBLE | MUTUAL_AUTH | DELEGATION,
  version: 1,
  rpcId: RPC_ID,
  maxToken: 65536,
});
