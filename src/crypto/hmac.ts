/**
 * HMAC, RFC 2104, over the hashes of node:crypto.
 *
 * Not by `createHmac`: a short message costs a tenth to a quarter more with it, and on Node 24.18 to 24.21, where each of
 * its objects takes 10 µs, six times as much (bench/hmac.bench.ts). Pads of a key are not kept for its next use: to copy them
 * costs what it costs to make them.
 */
import { createHash, createHmac, getFips, hash } from 'node:crypto';

/** A hash that HMAC is made with here, as node:crypto calls it. */
export type HmacHash = 'md5' | 'sha1' | 'sha256' | 'sha384';

/** B and L of section 2: bytes that the hash takes at a time, and bytes that it gives. */
const sizes: Readonly<Record<HmacHash, { readonly blockBytes: number; readonly digestBytes: number }>> = {
  md5: { blockBytes: 64, digestBytes: 16 },
  sha1: { blockBytes: 64, digestBytes: 20 },
  sha256: { blockBytes: 64, digestBytes: 32 },
  sha384: { blockBytes: 128, digestBytes: 48 },
};

/** The bytes of ipad and opad, section 2. */
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** A longer message is hashed in pieces: to copy it and to wipe the copy would cost what one call saves. */
const COPIED_BYTES = 8192;

/**
 * Where the input of both hashes is put together. Between two calls it holds ipad, opad and nothing of anybody's. A call is
 * never interrupted, so one for each hash is enough.
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

/** Both hashes, with a key of one block at most. */
function compute(workspace: Workspace, key: Uint8Array, parts: readonly Uint8Array[]): Buffer {
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
    // As a string, for half of what a Buffer costs. It cannot be wiped, and is worth nothing without the key.
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
    return hash(name, outer, 'buffer');
  } finally {
    // The key leaves, and the message, which may be a secret as well.
    for (let at = 0; at < keyBytes; at++) {
      inner[at] = INNER_PAD;
      outer[at] = OUTER_PAD;
    }
    if (isCopied) inner.fill(0, blockBytes, end);
    outer.fill(0, blockBytes);
  }
}

/**
 * HMAC by OpenSSL itself, for the hash that FIPS forbids. `hash` of Node 20, 22 and 24.0 to 24.21 goes on with an MD5 in use
 * before `crypto.setFips(true)`; `createHmac` asks OpenSSL each time.
 */
function computeUnderFips(name: HmacHash, key: Uint8Array, parts: readonly Uint8Array[]): Buffer {
  const whole = createHmac(name, key);
  for (const part of parts) whole.update(part);
  return whole.digest();
}

/**
 * HMAC over several parts as one run.
 *
 * @param key of any length; one longer than the hash's block counts by its hash (section 2). Neither kept nor changed
 * @returns a new Buffer of the hash's whole length: 16 bytes with MD5, 20 with SHA-1, 32 with SHA-256, 48 with SHA-384
 * @throws Error of node:crypto where OpenSSL has not got the hash, as MD5 where FIPS is in force (ERR_OSSL_EVP_UNSUPPORTED)
 */
export function hmac(name: HmacHash, key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  if (name === 'md5' && getFips() !== 0) return computeUnderFips(name, key, parts);
  const workspace = workspaceOf(name);
  if (key.byteLength <= workspace.blockBytes) return compute(workspace, key, parts);
  const hashedKey = hash(name, key, 'buffer');
  try {
    return compute(workspace, hashedKey, parts);
  } finally {
    hashedKey.fill(0);
  }
}
