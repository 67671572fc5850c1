/** The computations of HTTP Digest, RFC 7616 section 3.4: A1, A2 and the response. All hashes as lower-case hex. */
import { hash, timingSafeEqual } from 'node:crypto';

/** One algorithm. */
interface DigestAlgorithmRow {
  /** The hash as node:crypto calls it. */
  readonly hash: string;
  /** Offered where the options name no algorithms. */
  readonly byDefault: boolean;
}

/**
 * The algorithms of Digest by the names that RFC 7616 section 6.1 registers, the preferred one first. The type, the
 * option and the offered challenges follow from this table, and the tests require vectors for each row.
 */
export const digestAlgorithms = {
  'SHA-256': { hash: 'sha256', byDefault: true },
  MD5: { hash: 'md5', byDefault: true },
} as const satisfies Readonly<Record<string, DigestAlgorithmRow>>;

/** `algorithm` of a challenge, as registered. */
export type DigestAlgorithm = keyof typeof digestAlgorithms;

/** The names of all algorithms, the preferred one first. */
export const digestAlgorithmNames = Object.freeze(Object.keys(digestAlgorithms)) as readonly DigestAlgorithm[];

/** H of section 3.3: hex digest of a text in UTF-8. */
function hexHash(algorithm: DigestAlgorithm, text: string): string {
  return hash(digestAlgorithms[algorithm].hash, text, 'hex');
}

/**
 * H(A1), section 3.4.2: `unq(username) ":" unq(realm) ":" passwd`. A secret: it is as good as the password for this
 * realm.
 */
export function hashedA1(algorithm: DigestAlgorithm, userName: string, realm: string, password: string): string {
  return hexHash(algorithm, `${userName}:${realm}:${password}`);
}

/** The parts of a request that its response is computed from. */
export interface DigestResponseInput {
  readonly algorithm: DigestAlgorithm;
  readonly method: string;
  readonly uri: string;
  readonly nonce: string;
  readonly nonceCount: string;
  readonly clientNonce: string;
  readonly qualityOfProtection: 'auth';
}

/** The response, section 3.4.1: KD(H(A1), nonce:nc:cnonce:qop:H(A2)), A2 = method:uri. @param a1 H(A1) */
export function digestResponse(a1: string, input: DigestResponseInput): string {
  const { algorithm, nonce, nonceCount, clientNonce, qualityOfProtection } = input;
  const a2 = hexHash(algorithm, `${input.method}:${input.uri}`);
  return hexHash(algorithm, `${a1}:${nonce}:${nonceCount}:${clientNonce}:${qualityOfProtection}:${a2}`);
}

/**
 * Whether the response of a client is the one computed with H(A1). The comparison takes constant time.
 *
 * @param a1 H(A1)
 * @param response as received: hexadecimal digits in upper or lower case. Another length than the algorithm's is
 *   refused
 */
export function verifyDigestResponse(a1: string, input: DigestResponseInput, response: string): boolean {
  const expected = Buffer.from(digestResponse(a1, input), 'latin1');
  const received = Buffer.from(response.toLowerCase(), 'latin1');
  return received.length === expected.length && timingSafeEqual(received, expected);
}
