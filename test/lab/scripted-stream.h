/* Of scripted-sspi.c: the attributes and messages of Schannel and CREDSSP. */
/* SEC_CHANNEL_BINDINGS with a text. */
static void *bindings_of(const char *text, uint32_t *size)
{
  uint32_t *memory = calloc(1, 32 + strlen(text));
  memory[6] = strlen(text), memory[7] = 32;
  memcpy(memory + 8, text, strlen(text));
  *size = 32 + strlen(text);
  count(BUFFERS, 1);
  return memory;
}

/* A certificate that belongs to nobody but its holder. */
static struct certificate *certificate_of(const char *text)
{
  struct store *store = calloc(1, sizeof *store + sizeof(struct certificate));
  struct certificate *certificate = (struct certificate *)(store + 1);
  strcpy(store->text, text);
  store->references = 1;
  *certificate = (struct certificate){1, (uint8_t *)store->text, strlen(text), NULL, store};
  count(CERTIFICATES, 1);
  return certificate;
}

static void wide_into(uint16_t *to, const char *text)
{
  while ((*to++ = (unsigned char)*text++)) continue;
}

/* Those of Schannel; -1 for others. */
static int32_t stream_attribute(struct context *state, uint32_t attribute, void *buffer)
{
  struct { uint32_t version, protocol, suite, base; uint16_t suite_name[64], cipher[64]; uint32_t bits, block;
           uint16_t hash[64]; uint32_t hash_bits; uint16_t exchange[64]; } *cipher = buffer;
  struct { uint32_t status, extension; uint8_t size, text[255]; } *protocol = buffer;
  struct { uint32_t flags, size; uint8_t id[32]; } *session = buffer;
  struct { uint32_t size; void *bindings; } *bindings = buffer;
  switch (attribute) {
  case 4: memcpy(buffer, (uint32_t[]){HEADER_BYTES, TAIL_BYTES + 7, MOST_BYTES, 4, 16}, 20); return 0;
  case 0x53:
    if (!state->cert[0]) return (int32_t)0x8009030e;
    *(struct certificate **)buffer = certificate_of(state->cert);
    return 0;
  case 0x54: *(struct certificate **)buffer = certificate_of("the server's"); return 0;
  case 25: bindings->bindings = bindings_of("tls-unique:abc", &bindings->size); return 0;
  case 26: bindings->bindings = bindings_of("tls-server-end-point:abcd", &bindings->size); return 0;
  case 35:
    protocol->status = state->proto[0] != 0, protocol->extension = state->proto[0] ? 2 : 0;
    protocol->size = strlen(state->proto);
    memcpy(protocol->text, state->proto, protocol->size);
    return 0;
  case 0x5a: memcpy(buffer, (uint32_t[]){0x400, 0x660e, 128, 0x800c, 0, 0xae06, 255}, 28); return 0;
  case 0x5d: session->flags = 1, session->size = 3; memcpy(session->id, "sid", 3); return 0;
  case 0x64:
    cipher->version = 1, cipher->protocol = 0x303, cipher->bits = 256;
    wide_into(cipher->suite_name, "TLS_SUITE"), wide_into(cipher->cipher, "AES");
    wide_into(cipher->hash, "SHA384"), wide_into(cipher->exchange, "ECDHE");
    return 0;
  default: return -1;
  }
}

/* HEADER, DATA, TRAILER and EMPTY, one behind the other; NTLM and Negotiate cannot. */
int32_t EncryptMessage(SecHandle *c, uint32_t q, SecBufferDesc *m, uint32_t s)
{
  SecBuffer *b = m->buffers;
  uint8_t *bytes = b[1].data;
  uint32_t i;
  (void)q;
  if (!is_alive(CONTEXTS, c)) return INVALID_HANDLE;
  if (m->count != 4 || b[0].type != HEADER || b[1].type != DATA || b[2].type != TRAILER || b[3].type != EMPTY || s)
    return UNSUPPORTED;
  if (((struct context *)c->lower)->shut) return (int32_t)0x80090317;
  if ((uint8_t *)b[0].data + b[0].size != bytes || bytes + b[1].size != b[2].data) return INVALID_HANDLE;
  if (b[0].size < HEADER_BYTES || b[2].size < TAIL_BYTES) return (int32_t)0x80090321;
  for (i = 0; i < b[1].size; i++) bytes[i] ^= 0xff;
  i = b[1].size + TAIL_BYTES;
  memcpy(b[0].data, (uint8_t[]){0x17, 3, 3, i >> 8, i}, HEADER_BYTES);
  memcpy(b[2].data, "TAIL", TAIL_BYTES);
  b[2].size = TAIL_BYTES;
  return 0;
}

/* One record. */
int32_t DecryptMessage(SecHandle *c, SecBufferDesc *m, uint32_t s, uint32_t *q)
{
  SecBuffer *b = m->buffers;
  uint8_t *bytes = b[0].data;
  uint32_t given = b[0].size, length, i, status;
  char script[64] = {0};
  (void)s, (void)q;
  if (!is_alive(CONTEXTS, c)) return INVALID_HANDLE;
  if (m->count != 4 || b[0].type != DATA) return UNSUPPORTED;
  length = given < HEADER_BYTES ? HEADER_BYTES : HEADER_BYTES + (bytes[3] << 8 | bytes[4]);
  if (given < length) {
    b[1] = (SecBuffer){length - given, MISSING, NULL};
    return (int32_t)0x80090318;
  }
  if (bytes[0] != 0x17) return (int32_t)0x80090308;
  if (length < HEADER_BYTES + TAIL_BYTES || memcmp(bytes + length - TAIL_BYTES, "TAIL", TAIL_BYTES)) return (int32_t)0x8009030f;
  for (i = HEADER_BYTES; i < length - TAIL_BYTES; i++) bytes[i] ^= 0xff;
  if (given > length) b[3] = (SecBuffer){given - length, EXTRA, bytes + length};
  length -= HEADER_BYTES + TAIL_BYTES;
  memcpy(script, bytes + HEADER_BYTES, length < 63 ? length : 63);
  if ((status = number(script, "status=", 16, 0))) return (int32_t)status;
  b[0] = (SecBuffer){HEADER_BYTES, HEADER, bytes};
  b[1] = (SecBuffer){length, DATA, bytes + HEADER_BYTES};
  b[2] = (SecBuffer){TAIL_BYTES, TRAILER, bytes + HEADER_BYTES + length};
  if (strstr(script, "astray=1")) b[1].data = bytes - 64;
  if (strstr(script, "more=1")) b[3] = (SecBuffer){given + 1, EXTRA, bytes};
  return 0;
}
