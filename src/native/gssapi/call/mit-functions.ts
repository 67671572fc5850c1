/** Functions that a server needs and that only MIT krb5 has. */
import type { FunctionTable } from './layout.ts';

/** Functions of gssapi_ext.h and gssapi_krb5.h of MIT krb5. */
export const mitGssFunctions = {
  acquireCredFrom: ['gss_acquire_cred_from', 9],
  setAllowableEnctypes: ['gss_krb5_set_allowable_enctypes', 4],
  getNameAttribute: ['gss_get_name_attribute', 8],
  storeCredInto: ['gss_store_cred_into', 9],
} as const satisfies FunctionTable;

/** Functions of krb5.h and profile.h of MIT krb5. */
export const mitKrb5Functions = {
  freeUnparsedName: ['krb5_free_unparsed_name', 2],
  cDecrypt: ['krb5_c_decrypt', 6],
  isPermittedEnctype: ['krb5_is_permitted_enctype', 2],
  getProfile: ['krb5_get_profile', 2],
  profileGetString: ['profile_get_string', 6],
  profileReleaseString: ['profile_release_string', 1],
  profileRelease: ['profile_release', 1],
} as const satisfies FunctionTable;
