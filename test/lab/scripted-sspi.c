/*
 * A library with the interface of SSPI that does what its tokens say, for tests and benches only: it shows how the
 * provider treats a package of the operating system that answers slowly, wrongly or unheard-of things.
 *
 * A token is text, words separated by blanks:
 *   status=HEX   what AcceptSecurityContext answers (default 0)
 *   complete=HEX what CompleteAuthToken answers on this context afterwards (default 0)
 *   out=TEXT     the output token
 *   claim=N      says that the output has N bytes, whatever was written
 *   new=1        another context handle in place of the one that came in
 *   begin=1      leaves a context behind although the first leg fails
 *   sleep=N      takes N milliseconds
 *   flags=HEX    pfContextAttr
 *   name=TEXT    SECPKG_ATTR_NAMES of the context; without it there is none
 *
 * ScriptedCounts gives what has not been given back, and how often a handle was given back that was not alive.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <pthread.h>

typedef struct { uintptr_t lower, upper; } SecHandle;
typedef struct { uint32_t size, type; void *data; } SecBuffer;
typedef struct { uint32_t version, count; SecBuffer *buffers; } SecBufferDesc;
typedef struct { uint32_t capabilities; uint16_t version, rpc; uint32_t token; uint16_t *name, *comment; } SecPkgInfoW;

enum { CREDENTIALS, CONTEXTS, BUFFERS, WRONG, OVERLAPS, KINDS };
enum { INVALID_HANDLE = (int)0x80090301, UNSUPPORTED = (int)0x80090302, NOT_FOUND = (int)0x80090305 };

struct context { uint32_t complete; int busy; char name[64]; };

static int counts[KINDS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static SecHandle alive[65536];
static int places;

static void count(int kind, int change)
{
  pthread_mutex_lock(&lock);
  counts[kind] += change;
  pthread_mutex_unlock(&lock);
}

static SecHandle issue(int kind, void *state)
{
  SecHandle handle = {(uintptr_t)state, (uintptr_t)(kind + 1)};
  int i;
  pthread_mutex_lock(&lock);
  for (i = 0; i < places && alive[i].upper; i++) continue;
  if (i == places) places++;
  alive[i] = handle;
  counts[kind]++;
  pthread_mutex_unlock(&lock);
  return handle;
}

static int is_alive(int kind, const SecHandle *handle)
{
  int i, found = 0;
  pthread_mutex_lock(&lock);
  for (i = 0; handle && i < places; i++)
    found |= alive[i].lower == handle->lower && alive[i].upper == handle->upper && handle->upper == (uintptr_t)kind + 1;
  pthread_mutex_unlock(&lock);
  return found;
}

static int give_back(int kind, const SecHandle *handle)
{
  int i, found = 0;
  pthread_mutex_lock(&lock);
  for (i = 0; handle && i < places && !found; i++) {
    if (alive[i].lower != handle->lower || alive[i].upper != handle->upper || !handle->upper) continue;
    alive[i].upper = 0;
    found = 1;
  }
  counts[found ? kind : WRONG] += found ? -1 : 1;
  pthread_mutex_unlock(&lock);
  return found ? 0 : INVALID_HANDLE;
}

static uint16_t *wide(const char *text)
{
  size_t length = strlen(text), i;
  uint16_t *copy = malloc((length + 1) * sizeof *copy);
  for (i = 0; i <= length; i++) copy[i] = (unsigned char)text[i];
  return copy;
}

static uint16_t name[] = {'N', 'T', 'L', 'M', 0}, comment[] = {'S', 'c', 'r', 'i', 'p', 't', 'e', 'd', 0};

static void *packages(void)
{
  SecPkgInfoW *info = calloc(1, sizeof *info);
  info->capabilities = 3;
  info->version = 1;
  info->rpc = 10;
  info->token = 256;
  info->name = name;
  info->comment = comment;
  count(BUFFERS, 1);
  return info;
}

int32_t EnumerateSecurityPackagesW(uint32_t *number, void **infos)
{
  *number = 1;
  *infos = packages();
  return 0;
}

int32_t QuerySecurityPackageInfoW(const uint16_t *wanted, void **info)
{
  if (memcmp(wanted, name, sizeof name)) return NOT_FOUND;
  *info = packages();
  return 0;
}

int32_t AcquireCredentialsHandleW(const uint16_t *principal, const uint16_t *package, uint32_t use, void *logon,
                                  void *data, void *key, void *argument, SecHandle *credential, int64_t *expiry)
{
  (void)principal, (void)package, (void)use, (void)logon, (void)data, (void)key, (void)argument;
  *credential = issue(CREDENTIALS, malloc(1));
  *expiry = INT64_MAX;
  return 0;
}

int32_t FreeCredentialsHandle(SecHandle *credential) { return give_back(CREDENTIALS, credential); }
int32_t DeleteSecurityContext(SecHandle *context) { return give_back(CONTEXTS, context); }

int32_t FreeContextBuffer(void *memory)
{
  free(memory);
  count(BUFFERS, -1);
  return 0;
}

static const char *word(const char *script, const char *key, char *value, size_t room)
{
  const char *at = strstr(script, key);
  size_t length;
  if (!at) return NULL;
  at += strlen(key);
  length = strcspn(at, " ");
  if (length >= room) length = room - 1;
  memcpy(value, at, length);
  value[length] = 0;
  return value;
}

int32_t AcceptSecurityContext(SecHandle *credential, SecHandle *context, SecBufferDesc *input, uint32_t requirements,
                              uint32_t representation, SecHandle *new_context, SecBufferDesc *output,
                              uint32_t *attributes, int64_t *expiry)
{
  char script[1024] = {0}, value[64];
  struct context *state;
  uint32_t status = 0;
  (void)requirements, (void)representation;
  if (!is_alive(CREDENTIALS, credential) || (context && !is_alive(CONTEXTS, context))) return INVALID_HANDLE;
  memcpy(script, input->buffers[0].data, input->buffers[0].size < 1023 ? input->buffers[0].size : 1023);
  state = context ? (struct context *)context->lower : calloc(1, sizeof *state);
  if (__atomic_exchange_n(&state->busy, 1, __ATOMIC_SEQ_CST)) count(OVERLAPS, 1);
  if (word(script, "sleep=", value, sizeof value)) {
    struct timespec time = {atoi(value) / 1000, atoi(value) % 1000 * 1000000L};
    nanosleep(&time, NULL);
  }
  if (word(script, "status=", value, sizeof value)) status = strtoul(value, NULL, 16);
  if (word(script, "complete=", value, sizeof value)) state->complete = strtoul(value, NULL, 16);
  word(script, "name=", state->name, sizeof state->name);
  output->buffers[0].size = 0;
  if (word(script, "out=", value, sizeof value)) {
    output->buffers[0].size = strlen(value);
    memcpy(output->buffers[0].data, value, strlen(value));
  }
  if (word(script, "claim=", value, sizeof value)) output->buffers[0].size = atoi(value);
  *attributes = word(script, "flags=", value, sizeof value) ? strtoul(value, NULL, 16) : 0;
  *expiry = INT64_MAX;
  __atomic_store_n(&state->busy, 0, __ATOMIC_SEQ_CST);
  if ((int32_t)status < 0 && !strstr(script, "begin=1")) {
    if (!context) free(state);
    return (int32_t)status;
  }
  if (!context) *new_context = issue(CONTEXTS, state);
  else if (strstr(script, "new=1")) {
    give_back(CONTEXTS, context);
    *new_context = issue(CONTEXTS, memcpy(malloc(sizeof *state), state, sizeof *state));
  } else *new_context = *context;
  return (int32_t)status;
}

int32_t CompleteAuthToken(SecHandle *context, SecBufferDesc *token)
{
  (void)token;
  return is_alive(CONTEXTS, context) ? (int32_t)((struct context *)context->lower)->complete : INVALID_HANDLE;
}

int32_t QueryContextAttributesW(SecHandle *context, uint32_t attribute, void *buffer)
{
  struct context *state;
  if (!is_alive(CONTEXTS, context)) return INVALID_HANDLE;
  state = (struct context *)context->lower;
  if (attribute != 1 || !state->name[0]) return UNSUPPORTED;
  *(uint16_t **)buffer = wide(state->name);
  count(BUFFERS, 1);
  return 0;
}

int32_t QuerySecurityContextToken(SecHandle *context, void **token) { (void)context, (void)token; return UNSUPPORTED; }
int32_t ImpersonateSecurityContext(SecHandle *context) { (void)context; return UNSUPPORTED; }
int32_t RevertSecurityContext(SecHandle *context) { (void)context; return UNSUPPORTED; }
int32_t MakeSignature(SecHandle *c, uint32_t q, SecBufferDesc *m, uint32_t s) { (void)c, (void)q, (void)m, (void)s; return UNSUPPORTED; }
int32_t VerifySignature(SecHandle *c, SecBufferDesc *m, uint32_t s, uint32_t *q) { (void)c, (void)m, (void)s, (void)q; return UNSUPPORTED; }
int32_t EncryptMessage(SecHandle *c, uint32_t q, SecBufferDesc *m, uint32_t s) { (void)c, (void)q, (void)m, (void)s; return UNSUPPORTED; }
int32_t DecryptMessage(SecHandle *c, SecBufferDesc *m, uint32_t s, uint32_t *q) { (void)c, (void)m, (void)s, (void)q; return UNSUPPORTED; }

/* Live credentials, contexts and buffers; handles given back that were not alive; calls that overlapped on a context. */
void ScriptedCounts(int out[KINDS])
{
  pthread_mutex_lock(&lock);
  memcpy(out, counts, sizeof counts);
  pthread_mutex_unlock(&lock);
}
