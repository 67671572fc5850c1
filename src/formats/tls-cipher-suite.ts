/** What the name of a cipher suite says (IANA registry "TLS Cipher Suites"), and what its records add to the data. */

/** A cipher suite in parts. */
export interface TlsCipherSuite {
  /** Such as `ECDHE`, `DHE`, `RSA`; empty in TLS 1.3, where the suite does not name it. */
  readonly exchange: string;
  /** Such as `AES`, `CHACHA20`, `CAMELLIA`. */
  readonly cipher: string;
  /** Length of the key in bits. */
  readonly keyBits: number;
  /** `GCM`, `CCM`, `CCM_8`, `CBC` or `POLY1305`. */
  readonly mode: string;
  /** `SHA`, `SHA256` or `SHA384`. */
  readonly hash: string;
}

const form =
  /^TLS_(?:(.+)_WITH_)?(AES|ARIA|CAMELLIA|CHACHA20)_(?:(128|256)_)?(GCM|CCM_8|CCM|CBC|POLY1305)(?:_(SHA\d*))?$/;

/**
 * Takes the name of a cipher suite apart.
 *
 * @param name such as `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`
 * @returns undefined for a name of another form
 */
export function tlsCipherSuite(name: string): TlsCipherSuite | undefined {
  const [whole, key = '', cipher = '', bits = '256', mode = '', hash = 'SHA256'] = form.exec(name) ?? [];
  if (whole === undefined) return undefined;
  const [exchange = ''] = key.split('_');
  return { exchange, cipher, keyBits: Number(bits), mode, hash };
}

/** Bytes that a record has around its data. */
export interface TlsRecordOverhead {
  /** Record header, and the nonce or IV that TLS 1.2 sends. */
  readonly header: number;
  /** MAC or tag, padding, and the content type that TLS 1.3 encrypts. At most. */
  readonly trailer: number;
  /** 1 for a stream of bytes. */
  readonly blockSize: number;
}

const macBytes: Readonly<Record<string, number>> = { SHA: 20, SHA256: 32, SHA384: 48 };

/** What a record adds to its data (RFC 8446 section 5.2; RFC 5246 section 6.2.3, RFC 5288, RFC 7905). */
export function tlsRecordOverhead(suite: TlsCipherSuite, isTls13: boolean): TlsRecordOverhead {
  const tag = suite.mode === 'CCM_8' ? 8 : 16;
  if (isTls13) return { header: 5, trailer: tag + 1, blockSize: 1 };
  if (suite.mode === 'POLY1305') return { header: 5, trailer: tag, blockSize: 1 };
  if (suite.mode !== 'CBC') return { header: 5 + 8, trailer: tag, blockSize: 1 };
  const blockSize = 16;
  return { header: 5 + blockSize, trailer: (macBytes[suite.hash] ?? 64) + blockSize, blockSize };
}
