/** Reads from an X.509 certificate (RFC 5280) what Node does not tell: the hash function of its signature. */
import { Reader } from './reader.ts';

/** The hash of each signature algorithm, by the content of its OID in hexadecimal; RFC 4055, RFC 5758, RFC 8017. */
const hashOfSignature: ReadonlyMap<string, string> = new Map([
  ['2a864886f70d010104', 'md5'], // md5WithRSAEncryption
  ['2a864886f70d010105', 'sha1'], // sha1WithRSAEncryption
  ['2a864886f70d01010e', 'sha224'],
  ['2a864886f70d01010b', 'sha256'],
  ['2a864886f70d01010c', 'sha384'],
  ['2a864886f70d01010d', 'sha512'],
  ['2a8648ce3d0401', 'sha1'], // ecdsa-with-SHA1
  ['2a8648ce3d040301', 'sha224'],
  ['2a8648ce3d040302', 'sha256'],
  ['2a8648ce3d040303', 'sha384'],
  ['2a8648ce3d040304', 'sha512'],
  ['2a8648ce380403', 'sha1'], // dsa-with-sha1
  ['608648016503040302', 'sha256'], // dsa-with-sha256
]);

/** RSASSA-PSS names its hash in its parameters: RFC 4055 section 3.1. */
const RSASSA_PSS = '2a864886f70d01010a';

const hashByOid: ReadonlyMap<string, string> = new Map([
  ['2b0e03021a', 'sha1'],
  ['608648016503040204', 'sha224'],
  ['608648016503040201', 'sha256'],
  ['608648016503040202', 'sha384'],
  ['608648016503040203', 'sha512'],
]);

/**
 * The hash of a certificate's signature algorithm.
 *
 * @param certificate DER, as Node gives it: OpenSSL has already checked its form
 * @returns the hash's name in node:crypto; undefined if the algorithm is unknown or has no single hash (Ed25519, Ed448)
 * @throws MalformedTokenError if the bytes are not a certificate
 */
export function certificateSignatureHash(certificate: Uint8Array): string | undefined {
  const fields = element(new Reader(certificate), 'Certificate').content;
  element(fields, 'tbsCertificate');
  const algorithm = element(fields, 'signatureAlgorithm').content;
  const oid = element(algorithm, 'algorithm').content;
  const name = hex(oid);
  if (name !== RSASSA_PSS) return hashOfSignature.get(name);
  return pssHash(algorithm);
}

/** RSASSA-PSS-params: hashAlgorithm [0], by default SHA-1. */
function pssHash(algorithm: Reader): string | undefined {
  if (algorithm.remaining === 0) return 'sha1';
  const parameters = element(algorithm, 'parameters').content;
  if (parameters.remaining === 0) return 'sha1';
  const first = element(parameters, 'hashAlgorithm');
  if (first.tag !== 0xa0) return 'sha1';
  const hash = element(first.content, 'hashAlgorithm').content;
  return hashByOid.get(hex(element(hash, 'hashAlgorithm.algorithm').content));
}

/** One DER element: its tag and a reader over its content. */
function element(reader: Reader, field: string): { readonly tag: number; readonly content: Reader } {
  const tag = reader.u8(field);
  let length = reader.u8(field);
  if (length > 0x80) {
    let bytes = length - 0x80;
    length = 0;
    while (bytes-- > 0) length = length * 256 + reader.u8(field);
  }
  return { tag, content: reader.sub(length, field) };
}

function hex(reader: Reader): string {
  return Buffer.from(reader.take(reader.remaining, 'OBJECT IDENTIFIER')).toString('hex');
}
