/**
 * The functions that a server needs and that all GSSAPI libraries with Kerberos have, and the types of their arguments.
 */
import type { FunctionTable } from './layout.ts';

/** Functions of RFC 2744, and gss_inquire_sec_context_by_oid of draft-engert-ggf-gss-extensions. */
export const gssFunctions = {
  acceptSecContext: ['gss_accept_sec_context', 11],
  releaseCred: ['gss_release_cred', 2],
  displayName: ['gss_display_name', 4],
  releaseName: ['gss_release_name', 2],
  releaseBuffer: ['gss_release_buffer', 2],
  deleteSecContext: ['gss_delete_sec_context', 3],
  displayStatus: ['gss_display_status', 6],
  inquireContext: ['gss_inquire_context', 9],
  inquireSecContextByOid: ['gss_inquire_sec_context_by_oid', 4],
  releaseBufferSet: ['gss_release_buffer_set', 2],
  getMic: ['gss_get_mic', 5],
  verifyMic: ['gss_verify_mic', 5],
  wrap: ['gss_wrap', 7],
  unwrap: ['gss_unwrap', 6],
} as const satisfies FunctionTable;

/** Functions of krb5.h. */
export const krb5Functions = {
  initContext: ['krb5_init_context', 1],
  freeContext: ['krb5_free_context', 1],
  ktDefaultName: ['krb5_kt_default_name', 3],
  ktResolve: ['krb5_kt_resolve', 3],
  ktClose: ['krb5_kt_close', 2],
  ktStartSeqGet: ['krb5_kt_start_seq_get', 3],
  ktNextEntry: ['krb5_kt_next_entry', 4],
  ktEndSeqGet: ['krb5_kt_end_seq_get', 3],
  ktAddEntry: ['krb5_kt_add_entry', 3],
  ktFreeEntry: ['krb5_kt_free_entry', 2],
  unparseName: ['krb5_unparse_name', 3],
} as const satisfies FunctionTable;

/** The arguments that are numbers, by index. All other arguments are addresses. */
export const numberArguments: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  gss_acquire_cred_from: { 2: 'uint32_t', 4: 'int' },
  gss_krb5_set_allowable_enctypes: { 2: 'uint32_t' },
  gss_display_status: { 1: 'uint32_t', 2: 'int' },
  gss_store_cred_into: { 2: 'int', 4: 'uint32_t', 5: 'uint32_t' },
  gss_get_mic: { 2: 'uint32_t' },
  gss_wrap: { 2: 'int', 3: 'uint32_t' },
  krb5_c_decrypt: { 2: 'int32_t' },
  krb5_is_permitted_enctype: { 1: 'int32_t' },
  krb5_pac_parse: { 2: 'size_t' },
  krb5_pac_verify: { 2: 'int64_t' },
  krb5_crypto_init: { 2: 'int32_t' },
  krb5_decrypt: { 2: 'uint32_t', 4: 'size_t' },
};

/**
 * Result types of the functions that do not return an error code. time_t has 64 bits on all machines supported here.
 */
export const results: Readonly<Record<string, string>> = {
  krb5_get_max_time_skew: 'int64_t',
  krb5_is_permitted_enctype: 'uint32_t',
  krb5_pac_free: 'void',
  krb5_free_principal: 'void',
  krb5_data_free: 'void',
  krb5_free_unparsed_name: 'void',
  krb5_xfree: 'void',
  krb5_free_context: 'void',
  profile_get_string: 'int64_t',
  profile_release_string: 'void',
  profile_release: 'void',
};
