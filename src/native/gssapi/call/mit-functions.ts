/** What MIT krb5 exports beyond RFC 2744 and what all implementations share, as a server needs it. */
import type { FunctionTable } from './layout.ts';

/** gssapi_ext.h and gssapi_krb5.h of MIT krb5. */
export const mitGssFunctions = {
  acquireCredFrom: ['gss_acquire_cred_from', 9],
  setAllowableEnctypes: ['gss_krb5_set_allowable_enctypes', 4],
  getNameAttribute: ['gss_get_name_attribute', 8],
  storeCredInto: ['gss_store_cred_into', 9],
} as const satisfies FunctionTable;

/** krb5.h of MIT krb5. */
export const mitKrb5Functions = {
  freeUnparsedName: ['krb5_free_unparsed_name', 2],
  cDecrypt: ['krb5_c_decrypt', 6],
} as const satisfies FunctionTable;
