/*
 * A proxy secur32.dll for tests under Wine, and for nothing else.
 *
 * Wine's own secur32 verifies clients but answers SEC_E_UNSUPPORTED_FUNCTION to SECPKG_ATTR_NAMES,
 * QuerySecurityContextToken and ImpersonateSecurityContext. This library stands before it and supplies those, so that
 * the code that uses them runs; what it supplies is the process's own token and is no proof of Windows' behaviour.
 * It also counts what has not been given back, refuses handles that are not alive, and can be told to misbehave:
 *
 *   SSPI_SHIM_KERBEROS_NAME   name of the client of a Kerberos context
 *   SSPI_SHIM_FAIL_REVERT     RevertSecurityContext fails
 *   SSPI_SHIM_IDENTIFY        ImpersonateSecurityContext gives a token of level SecurityIdentification, as Windows does
 *                             where the process lacks SeImpersonatePrivilege
 *   SSPI_SHIM_LATENCY         milliseconds that AcceptSecurityContext takes longer
 *
 * The name of an NTLM client is read from its AUTHENTICATE_MESSAGE (MS-NLMP 2.2.1.3) after Wine has accepted it.
 * Every function that is not here is forwarded to secur32_wine.dll, a copy of Wine's own, by the .def file.
 */
#define SECURITY_WIN32
#include <windows.h>
#include <security.h>
#include <stdlib.h>
#include <string.h>

enum kind { A_CREDENTIAL, A_CONTEXT, A_BUFFER, KINDS };

struct live {
  struct live *next;
  enum kind kind;
  SecHandle handle;
  void *memory;
  WCHAR name[256];
};

static struct live *alive;
static LONG impersonations;
static CRITICAL_SECTION lock;
static PSecurityFunctionTableW wine;

static BOOL CALLBACK load_wine(INIT_ONCE *once, void *parameter, void **result)
{
  HMODULE module = LoadLibraryW(L"secur32_wine.dll");
  INIT_SECURITY_INTERFACE_W table = module ? (void *)GetProcAddress(module, "InitSecurityInterfaceW") : NULL;
  (void)once, (void)parameter, (void)result;
  wine = table ? table() : NULL;
  return wine != NULL;
}

static BOOL ready(void)
{
  static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
  return InitOnceExecuteOnce(&once, load_wine, NULL, NULL);
}

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved)
{
  (void)instance, (void)reserved;
  if (reason == DLL_PROCESS_ATTACH) InitializeCriticalSection(&lock);
  return TRUE;
}

/* The list is touched only between enter and leave. */
static struct live *find(enum kind kind, const SecHandle *handle, const void *memory)
{
  struct live *entry;
  for (entry = alive; entry; entry = entry->next) {
    if (entry->kind != kind) continue;
    if (handle ? entry->handle.dwLower == handle->dwLower && entry->handle.dwUpper == handle->dwUpper
               : entry->memory == memory)
      return entry;
  }
  return NULL;
}

static struct live *add(enum kind kind, const SecHandle *handle, void *memory)
{
  struct live *entry = calloc(1, sizeof *entry);
  entry->kind = kind;
  if (handle) entry->handle = *handle;
  entry->memory = memory;
  entry->next = alive;
  return alive = entry;
}

static BOOL drop(enum kind kind, const SecHandle *handle, const void *memory)
{
  struct live **link, *entry;
  BOOL found;
  EnterCriticalSection(&lock);
  entry = find(kind, handle, memory);
  found = entry != NULL;
  if (entry) {
    for (link = &alive; *link != entry; link = &(*link)->next) continue;
    *link = entry->next;
    free(entry);
  }
  LeaveCriticalSection(&lock);
  return found;
}

static BOOL is_alive(enum kind kind, const SecHandle *handle)
{
  BOOL found;
  if (!handle) return FALSE;
  EnterCriticalSection(&lock);
  found = find(kind, handle, NULL) != NULL;
  LeaveCriticalSection(&lock);
  return found;
}

/* Copies a payload field of an NTLM message as text; returns how many units, or -1. */
static int field(const BYTE *message, ULONG length, ULONG at, BOOL unicode, WCHAR *out, int room)
{
  USHORT size = *(const USHORT *)(message + at);
  ULONG offset = *(const ULONG *)(message + at + 4);
  int units = size / (unicode ? 2 : 1), i;
  if (offset > length || size > length - offset || units > room) return -1;
  for (i = 0; i < units; i++)
    out[i] = unicode ? ((const WCHAR *)(message + offset))[i] : message[offset + i];
  return units;
}

static void read_ntlm_name(const SecBufferDesc *input, WCHAR name[256])
{
  static const BYTE authenticate[] = "NTLMSSP\0\3\0\0";
  ULONG i, k;
  for (i = 0; input && i < input->cBuffers; i++) {
    const BYTE *token = input->pBuffers[i].pvBuffer;
    ULONG size = input->pBuffers[i].cbBuffer;
    if ((input->pBuffers[i].BufferType & 0xffff) != SECBUFFER_TOKEN) continue;
    for (k = 0; k + 64 <= size; k++) {
      const BYTE *message = token + k;
      BOOL unicode;
      int domain, user;
      if (memcmp(message, authenticate, 12)) continue;
      unicode = *(const ULONG *)(message + 60) & 1;
      domain = field(message, size - k, 28, unicode, name, 120);
      if (domain < 0) return;
      name[domain] = '\\';
      user = field(message, size - k, 36, unicode, name + domain + 1, 120);
      name[user < 0 ? 0 : domain + 1 + user] = 0;
      return;
    }
  }
}

SECURITY_STATUS WINAPI shim_AcquireCredentialsHandleW(SEC_WCHAR *principal, SEC_WCHAR *package, ULONG use, void *logon,
                                                      void *data, SEC_GET_KEY_FN key, void *argument,
                                                      CredHandle *credential, TimeStamp *expiry)
{
  SECURITY_STATUS status;
  if (!ready()) return SEC_E_INTERNAL_ERROR;
  status = wine->AcquireCredentialsHandleW(principal, package, use, logon, data, key, argument, credential, expiry);
  if (status == SEC_E_OK) {
    EnterCriticalSection(&lock);
    add(A_CREDENTIAL, credential, NULL);
    LeaveCriticalSection(&lock);
  }
  return status;
}

SECURITY_STATUS WINAPI shim_FreeCredentialsHandle(CredHandle *credential)
{
  if (!credential || !drop(A_CREDENTIAL, credential, NULL)) return SEC_E_INVALID_HANDLE;
  return wine->FreeCredentialsHandle(credential);
}

SECURITY_STATUS WINAPI shim_AcceptSecurityContext(CredHandle *credential, CtxtHandle *context, SecBufferDesc *input,
                                                  ULONG requirements, ULONG representation, CtxtHandle *new_context,
                                                  SecBufferDesc *output, ULONG *attributes, TimeStamp *expiry)
{
  CtxtHandle before = {0, 0};
  SECURITY_STATUS status;
  struct live *entry;
  WCHAR latency[16];
  if (!is_alive(A_CREDENTIAL, credential) || (context && !is_alive(A_CONTEXT, context))) return SEC_E_INVALID_HANDLE;
  if (GetEnvironmentVariableW(L"SSPI_SHIM_LATENCY", latency, 16)) Sleep(wcstoul(latency, NULL, 10));
  if (context) before = *context;
  status = wine->AcceptSecurityContext(credential, context, input, requirements, representation, new_context, output,
                                       attributes, expiry);
  if (status < 0) return status;
  EnterCriticalSection(&lock);
  entry = context ? find(A_CONTEXT, &before, NULL) : NULL;
  if (entry) entry->handle = *new_context;
  else entry = add(A_CONTEXT, new_context, NULL);
  read_ntlm_name(input, entry->name);
  LeaveCriticalSection(&lock);
  return status;
}

SECURITY_STATUS WINAPI shim_DeleteSecurityContext(CtxtHandle *context)
{
  if (!context || !drop(A_CONTEXT, context, NULL)) return SEC_E_INVALID_HANDLE;
  return wine->DeleteSecurityContext(context);
}

SECURITY_STATUS WINAPI shim_FreeContextBuffer(void *memory)
{
  if (!memory) return SEC_E_INVALID_HANDLE;
  if (drop(A_BUFFER, NULL, memory)) {
    free(memory);
    return SEC_E_OK;
  }
  return ready() ? wine->FreeContextBuffer(memory) : SEC_E_INTERNAL_ERROR;
}

/* Whether the package that ran is Kerberos, by what Wine itself says. */
static BOOL is_kerberos(CtxtHandle *context)
{
  SecPkgContext_NegotiationInfoW info;
  BOOL kerberos;
  if (wine->QueryContextAttributesW(context, SECPKG_ATTR_NEGOTIATION_INFO, &info)) return FALSE;
  kerberos = !lstrcmpiW(info.PackageInfo->Name, L"Kerberos");
  wine->FreeContextBuffer(info.PackageInfo);
  return kerberos;
}

SECURITY_STATUS WINAPI shim_QueryContextAttributesW(CtxtHandle *context, ULONG attribute, void *buffer)
{
  WCHAR name[256] = {0}, *copy;
  struct live *entry;
  if (!is_alive(A_CONTEXT, context)) return SEC_E_INVALID_HANDLE;
  if (attribute != SECPKG_ATTR_NAMES) return wine->QueryContextAttributesW(context, attribute, buffer);
  if (is_kerberos(context)) {
    GetEnvironmentVariableW(L"SSPI_SHIM_KERBEROS_NAME", name, 256);
  } else {
    EnterCriticalSection(&lock);
    if ((entry = find(A_CONTEXT, context, NULL))) lstrcpyW(name, entry->name);
    LeaveCriticalSection(&lock);
  }
  if (!name[0]) return SEC_E_UNSUPPORTED_FUNCTION;
  copy = malloc((lstrlenW(name) + 1) * sizeof *copy);
  lstrcpyW(copy, name);
  EnterCriticalSection(&lock);
  add(A_BUFFER, NULL, copy);
  LeaveCriticalSection(&lock);
  ((SecPkgContext_NamesW *)buffer)->sUserName = copy;
  return SEC_E_OK;
}

/* The process's own token; its administrators, where it has them, for denying only. */
SECURITY_STATUS WINAPI shim_QuerySecurityContextToken(CtxtHandle *context, void **token)
{
  SID_IDENTIFIER_AUTHORITY authority = {SECURITY_NT_AUTHORITY};
  SID_AND_ATTRIBUTES administrators = {NULL, 0};
  HANDLE own, restricted = NULL;
  BOOL made;
  if (!is_alive(A_CONTEXT, context)) return SEC_E_INVALID_HANDLE;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &own)) return SEC_E_INTERNAL_ERROR;
  AllocateAndInitializeSid(&authority, 2, SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_ADMINS, 0, 0, 0, 0, 0, 0,
                           &administrators.Sid);
  made = CreateRestrictedToken(own, 0, 1, &administrators, 0, NULL, 0, NULL, &restricted);
  FreeSid(administrators.Sid);
  CloseHandle(own);
  if (!made) return SEC_E_INTERNAL_ERROR;
  *token = restricted;
  return SEC_E_OK;
}

SECURITY_STATUS WINAPI shim_ImpersonateSecurityContext(CtxtHandle *context)
{
  WCHAR value[2];
  if (!is_alive(A_CONTEXT, context)) return SEC_E_INVALID_HANDLE;
  if (!ImpersonateSelf(GetEnvironmentVariableW(L"SSPI_SHIM_IDENTIFY", value, 2) ? SecurityIdentification
                                                                                 : SecurityImpersonation))
    return SEC_E_NO_IMPERSONATION;
  InterlockedIncrement(&impersonations);
  return SEC_E_OK;
}

SECURITY_STATUS WINAPI shim_RevertSecurityContext(CtxtHandle *context)
{
  WCHAR value[2];
  if (!is_alive(A_CONTEXT, context)) return SEC_E_INVALID_HANDLE;
  if (GetEnvironmentVariableW(L"SSPI_SHIM_FAIL_REVERT", value, 2)) return SEC_E_INTERNAL_ERROR;
  RevertToSelf();
  InterlockedDecrement(&impersonations);
  return SEC_E_OK;
}

/* Live credentials, contexts and buffers, and impersonations that were not reverted. */
__declspec(dllexport) void WINAPI SspiShimCounts(int counts[4])
{
  struct live *entry;
  memset(counts, 0, 4 * sizeof *counts);
  EnterCriticalSection(&lock);
  for (entry = alive; entry; entry = entry->next) counts[entry->kind]++;
  LeaveCriticalSection(&lock);
  counts[KINDS] = impersonations;
}
