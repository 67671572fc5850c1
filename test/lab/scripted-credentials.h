/*
 * Of scripted-sspi.c: AcquireCredentialsHandleW, which checks the structures of each package, and the functions of crypt32,
 * advapi32 and ncrypt for certificates and their keys.
 */
struct blob { uint32_t size; uint8_t *data; };
struct store;
struct certificate { uint32_t encoding; uint8_t *encoded; uint32_t size; void *info; struct store *store; };
/* The certificate is the store's only one. `text` begins with its DER. */
struct store { struct certificate certificate; int keyed, machine, references; char text[64]; };
struct schannel_cred {
  uint32_t version, count; struct certificate **certificates; void *roots; uint32_t mappers; void *mapper;
  uint32_t algorithms; void *algorithm; uint32_t enabled, weakest, strongest, lifespan, flags, format;
};
struct tls_parameters { uint32_t alpns; void *alpn; uint32_t disabled, cryptos; void *crypto; uint32_t flags; };
struct sch_credentials {
  uint32_t version, format, count; struct certificate **certificates; void *roots; uint32_t mappers; void *mapper;
  uint32_t lifespan, flags, parameters; struct tls_parameters *parameter;
};
struct credssp_cred { uint32_t type; struct schannel_cred *schannel; void *spnego; };

static struct { uint32_t version, flags, protocols, type; } last_credential;
static uint32_t refused_version;
static struct store *stores[16];
static int keys;

static int known(const struct certificate *certificate)
{
  int i, found = 0;
  pthread_mutex_lock(&lock);
  for (i = 0; i < 16; i++) found |= stores[i] && certificate == &stores[i]->certificate && stores[i]->keyed;
  pthread_mutex_unlock(&lock);
  return found;
}

static int takes_schannel(const void *data)
{
  const struct schannel_cred *older = data;
  const struct sch_credentials *newer = data;
  if (!older || older->version == refused_version) return 0;
  if (older->version == 4) {
    last_credential.protocols = older->enabled, last_credential.flags = older->flags, last_credential.version = 4;
    return older->count == 1 && known(*older->certificates) && !older->roots && !older->mappers && !older->algorithms &&
           !older->weakest && !older->strongest && !older->format;
  }
  if (older->version != 5 || newer->parameters != 1) return 0;
  last_credential.protocols = ~newer->parameter->disabled, last_credential.flags = newer->flags, last_credential.version = 5;
  return newer->count == 1 && known(*newer->certificates) && !newer->roots && !newer->mappers && !newer->format &&
         !newer->parameter->alpns && !newer->parameter->cryptos && !newer->parameter->flags;
}

static int takes_identity(const struct identity *identity)
{
  uint32_t i;
  package_list[0] = 0;
  if (!identity) return 1;
  if (identity->version != 0x200 || identity->length != sizeof *identity || identity->flags != 2 || identity->user ||
      identity->domain || identity->password || identity->packages_length >= sizeof package_list)
    return 0;
  for (i = 0; i < identity->packages_length; i++) package_list[i] = (char)identity->packages[i];
  package_list[i] = 0;
  return 1;
}

int32_t AcquireCredentialsHandleW(const uint16_t *principal, const uint16_t *package, uint32_t use, void *logon,
                                  void *data, void *key, void *argument, SecHandle *credential, int64_t *expiry)
{
  const struct credssp_cred *both = data;
  int index = package_index(package);
  (void)use, (void)logon, (void)key, (void)argument;
  if (index < 0) return NOT_FOUND;
  if (index >= SCHANNEL && principal) return UNSUPPORTED;
  if (index == SCHANNEL && !takes_schannel(data)) return (int32_t)0x8009030d;
  if (index == CREDSSP && (!takes_schannel(both->schannel) || !takes_identity(both->spnego))) return (int32_t)0x8009030d;
  if (index == CREDSSP) last_credential.type = both->type;
  if (index < SCHANNEL && !takes_identity(data)) return UNSUPPORTED;
  *credential = issue(CREDENTIALS, malloc(1));
  *expiry = INT64_MAX;
  return 0;
}

/* "pfx:PASSPHRASE,TEXT" */
struct store *PFXImportCertStore(struct blob *pfx, const uint16_t *passphrase, uint32_t flags)
{
  char text[64] = {0}, *comma;
  struct store *store;
  size_t i;
  memcpy(text, pfx->data, pfx->size < 63 ? pfx->size : 63);
  comma = strchr(text, ',');
  if (strncmp(text, "pfx:", 4) || !comma || (strstr(comma, "machine") && flags != 0x20)) return NULL;
  for (i = 0; passphrase[i]; i++)
    if (text[4 + i] != (char)passphrase[i]) return NULL;
  if (text + 4 + i != comma || (flags != 0x1000 && flags != 0x20)) return NULL;
  store = calloc(1, sizeof *store);
  strcpy(store->text, comma + 1);
  store->keyed = !strstr(store->text, "keyless");
  store->machine = flags == 0x20;
  store->certificate = (struct certificate){1, (uint8_t *)store->text, strlen(store->text), NULL, store};
  pthread_mutex_lock(&lock);
  for (i = 0; stores[i]; i++) continue;
  stores[i] = store;
  keys += store->keyed;
  counts[CERTIFICATES]++;
  pthread_mutex_unlock(&lock);
  return store;
}

int32_t CertFreeCertificateContext(struct certificate *certificate)
{
  struct store *store = certificate->store;
  if (--store->references < 0) count(WRONG, 1);
  count(CERTIFICATES, -1);
  if (certificate != &store->certificate) free(store);
  return 1;
}

/* Frees the one before. */
struct certificate *CertEnumCertificatesInStore(struct store *store, struct certificate *previous)
{
  if (previous) {
    CertFreeCertificateContext(previous);
    return NULL;
  }
  store->references++;
  count(CERTIFICATES, 1);
  return &store->certificate;
}

int32_t CertCloseStore(struct store *store, uint32_t flags)
{
  int i, found = 0;
  pthread_mutex_lock(&lock);
  for (i = 0; i < 16; i++)
    if (stores[i] == store) stores[i] = NULL, found = 1;
  counts[found && !flags && !store->references ? CERTIFICATES : WRONG] += found && !flags && !store->references ? -1 : 1;
  pthread_mutex_unlock(&lock);
  if (found) free(store);
  return found;
}

struct key_info { uint16_t *container, *provider; uint32_t type, flags, parameters; void *parameter; uint32_t spec; };
struct named_key { struct key_info info; uint16_t container[8], provider[8]; };

/* CERT_KEY_PROV_INFO_PROP_ID. The text of the certificate says whether its key is one of CNG. */
int32_t CertGetCertificateContextProperty(struct certificate *certificate, uint32_t property, struct named_key *info,
                                          uint32_t *size)
{
  struct store *store = certificate->store;
  if (property != 2 || !store->keyed) return 0;
  *size = sizeof *info;
  if (!info) return 1;
  *info = (struct named_key){{info->container, info->provider, strstr(store->text, "cng") ? 0 : 24,
                              store->machine ? 0x20 : 0, 0, NULL, 1}, {'k', 'e', 'y', 0}, {'p', 0}};
  return 1;
}

int32_t CryptAcquireContextW(uintptr_t *handle, const uint16_t *container, const uint16_t *provider, uint32_t type,
                             uint32_t flags)
{
  *handle = 0;
  if (units(container) != 3 || units(provider) != 1 || type != 24 || (flags & ~0x20u) != 0x10) count(WRONG, 1);
  else pthread_mutex_lock(&lock), keys--, pthread_mutex_unlock(&lock);
  return 1;
}

int32_t NCryptOpenStorageProvider(uintptr_t *handle, const uint16_t *provider, uint32_t flags)
{
  if (units(provider) != 1 || flags) count(WRONG, 1);
  *handle = 71;
  count(CERTIFICATES, 1);
  return 0;
}

int32_t NCryptOpenKey(uintptr_t storage, uintptr_t *handle, const uint16_t *container, uint32_t spec, uint32_t flags)
{
  if (storage != 71 || units(container) != 3 || spec || (flags & ~0x20u)) count(WRONG, 1);
  *handle = 72;
  count(CERTIFICATES, 1);
  return 0;
}

int32_t NCryptFreeObject(uintptr_t handle)
{
  count(handle == 71 || handle == 72 ? CERTIFICATES : WRONG, handle == 71 || handle == 72 ? -1 : 1);
  return 0;
}

int32_t NCryptDeleteKey(uintptr_t handle, uint32_t flags)
{
  if (handle != 72 || flags) count(WRONG, 1);
  pthread_mutex_lock(&lock);
  keys--;
  pthread_mutex_unlock(&lock);
  return NCryptFreeObject(handle);
}
