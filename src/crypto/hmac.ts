/**
 * HMAC, RFC 2104, over the hashes of node:crypto.
 *
 * It does not use `createHmac`. With that a short message takes a tenth to a quarter longer, and six times as long on
 * Node 24.18 to 24.21, where each Hmac object takes 10 µs (bench/hmac.bench.ts). The pads of a key are not kept for its
 * next use, because copying them takes as long as making them.
 */
import { createHash, createHmac, getFips, hash } from 'node:crypto';

/** A hash that HMAC is made with here, as node:crypto calls it. */
export type HmacHash = 'md5' | 'sha1' | 'sha256' | 'sha384';

/** B and L of section 2: block size and digest size of the hash, in bytes. */
const sizes: Readonly<Record<HmacHash, { readonly blockBytes: number; readonly digestBytes: number }>> = {
  md5: { blockBytes: 64, digestBytes: 16 },
  sha1: { blockBytes: 64, digestBytes: 20 },
  sha256: { blockBytes: 64, digestBytes: 32 },
  sha384: { blockBytes: 128, digestBytes: 48 },
};

/** The bytes of ipad and opad, section 2. */
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** A longer message is hashed in pieces: to copy it and wipe the copy would take the time that a single call saves. */
const COPIED_BYTES = 8192;

/**
 * Buffers in which the input of both hashes is put together. Between two calls they hold ipad and opad, and no data of
 * a caller. A call is never interrupted, so one workspace for each hash is enough.
 */
interface Workspace {
  readonly name: HmacHash;
  readonly blockBytes: number;
  /** ipad, then room for the message. */
  readonly inner: Buffer;
  /** opad, then room for the inner hash. */
  readonly outer: Buffer;
}

const workspaces = new Map<HmacHash, Workspace>();

function workspaceOf(name: HmacHash): Workspace {
  const known = workspaces.get(name);
  if (known !== undefined) return known;
  const { blockBytes, digestBytes } = sizes[name];
  const made: Workspace = {
    name,
    blockBytes,
    inner: Buffer.alloc(blockBytes + COPIED_BYTES).fill(INNER_PAD, 0, blockBytes),
    outer: Buffer.alloc(blockBytes + digestBytes).fill(OUTER_PAD, 0, blockBytes),
  };
  workspaces.set(name, made);
  return made;
}

/** Computes both hashes. The key has at most the length of a block. */
function compute(workspace: Workspace, key: Uint8Array, parts: readonly Uint8Array[], output: 'buffer'): Buffer;
function compute(workspace: Workspace, key: Uint8Array, parts: readonly Uint8Array[], output: 'binary'): string;
function compute(
  workspace: Workspace,
  key: Uint8Array,
  parts: readonly Uint8Array[],
  output: 'buffer' | 'binary',
): Buffer | string {
  const { name, blockBytes, inner, outer } = workspace;
  const keyBytes = key.byteLength;
  let end = blockBytes;
  for (const part of parts) end += part.byteLength;
  const isCopied = end <= inner.byteLength;
  try {
    for (let at = 0; at < keyBytes; at++) {
      const byte = key[at] ?? 0;
      inner[at] = byte ^ INNER_PAD;
      outer[at] = byte ^ OUTER_PAD;
    }
    // A string, because it takes half the time of a Buffer. It cannot be wiped, but it is useless without the key.
    let innerHash: string;
    if (isCopied) {
      let at = blockBytes;
      for (const part of parts) {
        inner.set(part, at);
        at += part.byteLength;
      }
      innerHash = hash(name, inner.subarray(0, end), 'binary');
    } else {
      const pieces = createHash(name).update(inner.subarray(0, blockBytes));
      for (const part of parts) pieces.update(part);
      innerHash = pieces.digest('binary');
    }
    outer.write(innerHash, blockBytes, 'latin1');
    return hash(name, outer, output);
  } finally {
    // Wipes the key, and the message, which may be secret as well.
    for (let at = 0; at < keyBytes; at++) {
      inner[at] = INNER_PAD;
      outer[at] = OUTER_PAD;
    }
    if (isCopied) inner.fill(0, blockBytes, end);
    outer.fill(0, blockBytes);
  }
}

/**
 * HMAC by OpenSSL itself, for MD5, which FIPS forbids. The function `hash` of Node 20, 22 and 24.0 to 24.21 still
 * computes MD5 after `crypto.setFips(true)` if MD5 was used before; `createHmac` asks OpenSSL each time.
 */
function computeUnderFips(name: HmacHash, key: Uint8Array, parts: readonly Uint8Array[]): Buffer {
  const whole = createHmac(name, key);
  for (const part of parts) whole.update(part);
  return whole.digest();
}

/**
 * HMAC over several parts, as if they were one message.
 *
 * @param key any length; a key longer than the hash's block is replaced by its hash (section 2). Neither kept nor
 *   changed
 * @returns a new Buffer of the hash's whole length: 16 bytes with MD5, 20 with SHA-1, 32 with SHA-256, 48 with SHA-384
 * @throws Error of node:crypto (ERR_OSSL_EVP_UNSUPPORTED) if OpenSSL does not offer the hash, such as MD5 under FIPS
 */
export function hmac(name: HmacHash, key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  if (name === 'md5' && getFips() !== 0) return computeUnderFips(name, key, parts);
  const workspace = workspaceOf(name);
  if (key.byteLength <= workspace.blockBytes) return compute(workspace, key, parts, 'buffer');
  const hashedKey = hash(name, key, 'buffer');
  try {
    return compute(workspace, hashedKey, parts, 'buffer');
  } finally {
    hashedKey.fill(0);
  }
}

/**
 * Writes the first bytes of an HMAC over two parts, for messages of which a server has many: without a Buffer of its own
 * it takes half the time. For what everybody may see, since the string in between cannot be wiped.
 *
 * @param key at most a block of the hash, 64 bytes, or 128 with SHA-384
 * @param at offset in `target`
 * @param bytes how many are written
 */
export function writeMac(
  target: Buffer,
  at: number,
  bytes: number,
  name: Exclude<HmacHash, 'md5'>,
  key: Uint8Array,
  first: Uint8Array,
  second: Uint8Array,
): void {
  const workspace = workspaceOf(name);
  if (key.byteLength > workspace.blockBytes) throw new RangeError(`writeMac: a key of ${key.byteLength} bytes`);
  target.write(compute(workspace, key, [first, second], 'binary'), at, bytes, 'latin1');
}
