/**
 * Functions that a server needs and that only Heimdal has, and Apple's GSS.framework, which is derived from Heimdal.
 */
import type { FunctionTable } from './layout.ts';

/**
 * Functions of gssapi.h and gssapi_krb5.h of Heimdal that Apple exports under the same names. Apple does not export
 * gss_krb5_import_cred. Inside Heimdal it calls gss_set_cred_option with an OID of its own, and that is exported.
 */
export const heimdalGssFunctions = {
  setCredOption: ['gss_set_cred_option', 4],
  exportName: ['gss_export_name', 3],
  krb5CopyCcache: ['gss_krb5_copy_ccache', 3],
} as const satisfies FunctionTable;

/** Functions of krb5-protos.h of Heimdal. */
export const heimdalKrb5Functions = {
  getMaxTimeSkew: ['krb5_get_max_time_skew', 1],
  pacParse: ['krb5_pac_parse', 4],
  pacVerify: ['krb5_pac_verify', 6],
  pacFree: ['krb5_pac_free', 2],
  parseName: ['krb5_parse_name', 3],
  xfree: ['krb5_xfree', 1],
  freePrincipal: ['krb5_free_principal', 2],
  cryptoInit: ['krb5_crypto_init', 4],
  cryptoDestroy: ['krb5_crypto_destroy', 2],
  decrypt: ['krb5_decrypt', 6],
  dataFree: ['krb5_data_free', 1],
  ccResolve: ['krb5_cc_resolve', 3],
  ccClose: ['krb5_cc_close', 2],
} as const satisfies FunctionTable;

/** Exported variables with a gss_OID_desc (gssapi_oid.h). They are used because the OIDs differ between versions. */
export const heimdalOids = {
  importCred: '__gss_krb5_import_cred_x_oid_desc',
  authorizationData: '__gss_krb5_extract_authz_data_from_sec_context_x_oid_desc',
  authenticationTime: '__gss_krb5_get_authtime_x_oid_desc',
  serviceKey: '__gss_krb5_get_service_keyblock_x_oid_desc',
  messageKey: '__gss_krb5_get_subkey_x_oid_desc',
  initiatorSubkey: '__gss_krb5_get_initiator_subkey_x_oid_desc',
} as const;
