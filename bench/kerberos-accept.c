/*
 * The baseline of kerberos-accept.bench.ts: gss_accept_sec_context in C, with one credential of a MEMORY keytab and a
 * replay cache, and gss_display_name of the client.
 *
 * kerberos-accept KEYTAB RCACHE [identity]: reads paths of token files from standard input, one a line; such a file holds
 * tokens, each after its length in four bytes, little-endian. Answers each with the microseconds of processor time of
 * one accept. With `identity` the verified PAC is asked for as well, by the call that the package makes; it is not parsed.
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

struct tokens {
  gss_buffer_desc *list;
  size_t size;
};

static struct tokens read_tokens(const char *path)
{
  struct tokens tokens = {NULL, 0};
  FILE *file = fopen(path, "rb");
  uint32_t length;
  if (!file) exit(2);
  while (fread(&length, 4, 1, file) == 1) {
    if (tokens.size % 1024 == 0) tokens.list = realloc(tokens.list, (tokens.size + 1024) * sizeof *tokens.list);
    tokens.list[tokens.size].length = length;
    tokens.list[tokens.size].value = malloc(length);
    if (fread(tokens.list[tokens.size].value, 1, length, file) != length) exit(2);
    tokens.size++;
  }
  fclose(file);
  return tokens;
}

static void accept_token(gss_cred_id_t credential, gss_buffer_t token, int identity)
{
  gss_buffer_desc attribute = {10, "urn:mspac:"};
  gss_ctx_id_t context = GSS_C_NO_CONTEXT;
  gss_name_t client = GSS_C_NO_NAME;
  gss_buffer_desc output = GSS_C_EMPTY_BUFFER, name = GSS_C_EMPTY_BUFFER;
  OM_uint32 minor, flags;
  gss_OID mechanism, type;
  if (gss_accept_sec_context(&minor, &context, credential, token, GSS_C_NO_CHANNEL_BINDINGS, &client, &mechanism,
                             &output, &flags, NULL, NULL))
    exit(5);
  gss_display_name(&minor, client, &name, &type);
  gss_release_buffer(&minor, &name);
  if (identity) {
    gss_buffer_desc value = GSS_C_EMPTY_BUFFER, text = GSS_C_EMPTY_BUFFER;
    int authenticated = 0, complete, more = -1;
    if (gss_get_name_attribute(&minor, client, &attribute, &authenticated, &complete, &value, &text, &more) ||
        !authenticated)
      exit(6);
    gss_release_buffer(&minor, &value);
    gss_release_buffer(&minor, &text);
  }
  gss_release_buffer(&minor, &output);
  gss_release_name(&minor, &client);
  gss_delete_sec_context(&minor, &context, NULL);
}

int main(int count, char **words)
{
  int identity = count == 4 && !strcmp(words[3], "identity");
  gss_cred_id_t credential;
  char path[4096];
  if (count != 3 && !identity) return 2;
  credential = acquire(words[1], words[2]);
  while (scanf("%4095s", path) == 1) {
    struct tokens tokens = read_tokens(path);
    double start = microseconds();
    size_t index;
    for (index = 0; index < tokens.size; index++) accept_token(credential, &tokens.list[index], identity);
    printf("%f\n", (microseconds() - start) / tokens.size);
    fflush(stdout);
    for (index = 0; index < tokens.size; index++) free(tokens.list[index].value);
    free(tokens.list);
  }
  return 0;
}
