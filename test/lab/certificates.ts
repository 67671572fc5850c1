/** Certificates of the test's own, made by openssl. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { runChecked } from './process.ts';
import { scratchFolder } from './scratch.ts';

/** What `https.createServer` takes. */
export interface KeyAndCertificate {
  /** PEM. */
  readonly key: string;
  /** PEM, self-signed, for `localhost` and 127.0.0.1. */
  readonly cert: string;
  /** DER. */
  readonly der: Buffer;
}

/**
 * Makes a key and a self-signed certificate.
 *
 * @param words for `openssl req`: the key and the signature, such as `['-newkey', 'rsa:2048', '-sha256']`
 */
export async function selfSigned(
  words: readonly string[] = ['-newkey', 'rsa:2048', '-sha256'],
): Promise<KeyAndCertificate> {
  await using folder = await scratchFolder('certificate');
  const [keyFile, certificateFile] = [folder.file('key.pem'), folder.file('cert.pem')];
  await runChecked('openssl', [
    ...['req', '-x509', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
    ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', keyFile, '-out', certificateFile],
    ...words,
  ]);
  const cert = await readFile(certificateFile, 'utf8');
  return { key: await readFile(keyFile, 'utf8'), cert, der: new X509Certificate(cert).raw };
}
