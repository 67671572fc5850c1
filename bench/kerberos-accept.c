/*
 * The baseline of kerberos-accept.bench.ts: gss_accept_sec_context in C, with one credential of a MEMORY keytab and a
 * replay cache, and gss_display_name of the client.
 *
 * kerberos-accept KEYTAB RCACHE TOKENS [identity]: TOKENS holds tokens, each after its length in four bytes,
 * little-endian. With `identity` the verified PAC is asked for as well, by the call that the package makes; it is not
 * parsed. Prints the microseconds of processor time of one accept.
 */
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <krb5.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static double microseconds(void)
{
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static gss_cred_id_t acquire(const char *file, const char *replay_cache)
{
  krb5_context context;
  krb5_keytab source, target;
  krb5_kt_cursor cursor;
  krb5_keytab_entry entry;
  gss_key_value_element_desc elements[2] = {{"keytab", "MEMORY:bench"}, {"rcache", replay_cache}};
  gss_key_value_set_desc store = {2, elements};
  gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;
  OM_uint32 minor;
  if (krb5_init_context(&context) || krb5_kt_resolve(context, file, &source)) exit(3);
  if (krb5_kt_resolve(context, "MEMORY:bench", &target) || krb5_kt_start_seq_get(context, source, &cursor)) exit(3);
  while (!krb5_kt_next_entry(context, source, &entry, &cursor)) krb5_kt_add_entry(context, target, &entry);
  krb5_kt_end_seq_get(context, source, &cursor);
  if (gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, GSS_C_NO_OID_SET, GSS_C_ACCEPT, &store,
                            &credential, NULL, NULL))
    exit(4);
  return credential;
}

int main(int count, char **words)
{
  gss_buffer_desc *tokens = calloc(1 << 20, sizeof *tokens);
  FILE *file = count == 4 || count == 5 ? fopen(words[3], "rb") : NULL;
  gss_cred_id_t credential;
  uint32_t length;
  size_t size = 0, index;
  gss_buffer_desc attribute = {10, "urn:mspac:"};
  int identity = count == 5 && !strcmp(words[4], "identity");
  double start;
  if (!file || !tokens) return 2;
  credential = acquire(words[1], words[2]);
  while (size < 1 << 20 && fread(&length, 4, 1, file) == 1) {
    tokens[size].length = length;
    tokens[size].value = malloc(length);
    if (fread(tokens[size].value, 1, length, file) != length) return 2;
    size++;
  }
  start = microseconds();
  for (index = 0; index < size; index++) {
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_name_t client = GSS_C_NO_NAME;
    gss_buffer_desc output = GSS_C_EMPTY_BUFFER, name = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor, flags;
    gss_OID mechanism, type;
    if (gss_accept_sec_context(&minor, &context, credential, &tokens[index], GSS_C_NO_CHANNEL_BINDINGS, &client,
                               &mechanism, &output, &flags, NULL, NULL))
      return 5;
    gss_display_name(&minor, client, &name, &type);
    gss_release_buffer(&minor, &name);
    if (identity) {
      gss_buffer_desc value = GSS_C_EMPTY_BUFFER, text = GSS_C_EMPTY_BUFFER;
      int authenticated = 0, complete, more = -1;
      if (gss_get_name_attribute(&minor, client, &attribute, &authenticated, &complete, &value, &text, &more) ||
          !authenticated)
        return 6;
      gss_release_buffer(&minor, &value);
      gss_release_buffer(&minor, &text);
    }
    gss_release_buffer(&minor, &output);
    gss_release_name(&minor, &client);
    gss_delete_sec_context(&minor, &context, NULL);
  }
  printf("%f\n", (microseconds() - start) / size);
  return 0;
}
