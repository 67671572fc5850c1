/*
 * The baseline of secur32-leg.bench.ts: the same calls from C. Opens a library with the interface of SSPI, makes the
 * first leg of NTLM with a fixed NEGOTIATE_MESSAGE as often as it is told, and prints the microseconds of processor time
 * of one: AcquireCredentialsHandleW, AcceptSecurityContext, DeleteSecurityContext, FreeCredentialsHandle.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

typedef struct { uintptr_t lower, upper; } SecHandle;
typedef struct { uint32_t size, type; void *data; } SecBuffer;
typedef struct { uint32_t version, count; SecBuffer *buffers; } SecBufferDesc;

static const uint16_t package[] = {'N', 'T', 'L', 'M', 0};

static double microseconds(void)
{
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

int main(int count, char **words)
{
  void *library = count == 4 ? dlopen(words[1], RTLD_NOW) : NULL;
  int32_t (*acquire)(const void *, const void *, uint32_t, void *, void *, void *, void *, SecHandle *, int64_t *);
  int32_t (*accept)(SecHandle *, SecHandle *, SecBufferDesc *, uint32_t, uint32_t, SecHandle *, SecBufferDesc *,
                    uint32_t *, int64_t *);
  int32_t (*delete)(SecHandle *), (*free_credentials)(SecHandle *);
  int rounds = count == 4 ? atoi(words[2]) : 0, round, byte;
  unsigned value;
  uint8_t token[256];
  size_t size = 0;
  double start;
  if (!library) return fprintf(stderr, "accept-leg LIBRARY ROUNDS TOKEN: %s\n", dlerror()), 2;
  *(void **)&acquire = dlsym(library, "AcquireCredentialsHandleW");
  *(void **)&accept = dlsym(library, "AcceptSecurityContext");
  *(void **)&delete = dlsym(library, "DeleteSecurityContext");
  *(void **)&free_credentials = dlsym(library, "FreeCredentialsHandle");
  for (byte = 0; size < sizeof token && sscanf(words[3] + byte, "%2x", &value) == 1; byte += 2) token[size++] = value;
  start = microseconds();
  for (round = 0; round < rounds; round++) {
    static uint8_t room[65536];
    SecHandle credential = {0, 0}, context = {0, 0};
    SecBuffer in = {size, 2, token}, out = {sizeof room, 2, room};
    SecBufferDesc input = {0, 1, &in}, output = {0, 1, &out};
    uint32_t attributes;
    int64_t expiry;
    if (acquire(NULL, package, 1, NULL, NULL, NULL, NULL, &credential, &expiry)) return 3;
    if (accept(&credential, NULL, &input, 0x800, 0x10, &context, &output, &attributes, &expiry) != 0x90312) return 4;
    delete(&context);
    free_credentials(&credential);
  }
  printf("%f\n", (microseconds() - start) / rounds);
  return 0;
}
