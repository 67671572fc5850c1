/**
 * Seals and opens the content of a session cookie: JWE Compact Serialization (RFC 7516 section 7.1), `dir` with
 * `A256GCM` (RFC 7518 sections 4.5 and 5.3), by jose. Nothing of a cookie is looked at before it is opened, but its length and
 * its header, which has to be one of our own to the byte: so no other algorithm, no compression and no further parameter
 * comes to jose (RFC 8725 section 3.1, attack H03).
 */
import { hkdfSync } from 'node:crypto';
import type { Secret } from '../foundation/secret.ts';
import { loadJose } from './jose.ts';

/** A key, and the header of what it seals. */
interface SealKey {
  readonly header: { readonly alg: 'dir'; readonly enc: 'A256GCM'; readonly kid: string; readonly typ: string };
  /** The header as it stands in a cookie. */
  readonly encoded: string;
  readonly key: Uint8Array;
}

/** Says what the bytes are for: a secret that also serves something else seals nothing that could be mistaken. */
const PURPOSE = 'sspi-auth session';
const KEY_BYTES = 32;
const KID_BYTES = 9;

/** Seals with the first of several secrets, opens with any. */
export class SessionSeal {
  readonly #jose = loadJose();
  readonly #first: SealKey;
  readonly #byHeader: ReadonlyMap<string, SealKey>;

  /** @param secrets at least one; each of at least 32 random bytes */
  constructor(secrets: readonly Secret[]) {
    const keys = secrets.map(sealKey);
    const [first] = keys;
    if (first === undefined) throw new TypeError('no secret to seal with');
    this.#first = first;
    this.#byHeader = new Map(keys.map((key) => [key.encoded, key] as const).reverse());
  }

  /** Whether what this opened was sealed by another secret than the first. */
  isOld(sealed: string): boolean {
    return !sealed.startsWith(`${this.#first.encoded}.`);
  }

  /** @returns five parts of base64url with dots between them */
  seal(content: Uint8Array): Promise<string> {
    return new this.#jose.CompactEncrypt(content).setProtectedHeader(this.#first.header).encrypt(this.#first.key);
  }

  /** @returns the content; undefined if it was not sealed by one of the secrets, or was changed. Never rejects */
  async open(sealed: string): Promise<Uint8Array | undefined> {
    const parts = sealed.split('.');
    const key = this.#byHeader.get(parts[0] ?? '');
    // The second part is the encrypted key, which `dir` does not have.
    if (key === undefined || parts.length !== 5 || parts[1] !== '' || !parts.every(isCanonical)) return undefined;
    try {
      const { plaintext } = await this.#jose.compactDecrypt(sealed, key.key, {
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
      });
      return plaintext;
    } catch {
      return undefined;
    }
  }
}

/** Base64url has spare bits in its last letter (RFC 4648 section 3.5): other letters would give the same bytes. */
function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part;
}

function sealKey(secret: Secret): SealKey {
  const bytes = secret.copy();
  const derive = (info: string, length: number): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', bytes, new Uint8Array(0), `${PURPOSE} ${info}`, length));
  const kid = Buffer.from(derive('kid', KID_BYTES)).toString('base64url');
  const header = { alg: 'dir', enc: 'A256GCM', kid, typ: 'sspi-auth+jwe' } as const;
  const key = derive('A256GCM', KEY_BYTES);
  bytes.fill(0);
  return { header, encoded: Buffer.from(JSON.stringify(header)).toString('base64url'), key };
}
