/** The certificate of the TLS inside CredSSP: the operator's, or one that is made at start. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createRequire } from 'node:module';
import { OptionError, SspiAuthError } from '../../foundation/errors.ts';
import type { Secret } from '../../foundation/secret.ts';
import type { SchemeSettings } from '../options.ts';

/** The part of Schannel's authData that has the certificate. */
export interface SchannelCertificate {
  readonly cert?: readonly (Buffer | string)[];
  readonly key?: Buffer | string;
  readonly pfx?: Buffer;
  readonly passphrase?: Buffer;
}

/**
 * The certificate of the options.
 *
 * @returns undefined if one has to be made
 * @throws OptionError if it cannot be used
 * @throws SspiAuthError `ERR_SSPI_AUTH_NO_ACCEPTOR` if there is none, and nothing that makes one
 */
export function givenCertificate({ credssp }: Pick<SchemeSettings, 'credssp'>): SchannelCertificate | undefined {
  const { cert, key, pfx, passphrase }: Partial<NonNullable<typeof credssp>> = credssp ?? {};
  if (pfx !== undefined && (cert !== undefined || key !== undefined)) {
    throw new OptionError(
      'credssp.pfx',
      'is given beside "credssp.cert" or "credssp.key"',
      'Give cert and key, or pfx.',
    );
  }
  const opened = passphrase === undefined ? undefined : { passphrase: bytesOf(passphrase) };
  if (pfx !== undefined) return checked({ pfx: bytesOf(pfx), ...opened }, 'credssp.pfx');
  if (cert === undefined) {
    if (key !== undefined) throw new OptionError('credssp.key', 'is given without "credssp.cert"', 'Give both.');
    if (!canMakeCertificates()) throw noCertificate();
    return undefined;
  }
  if (key === undefined) {
    throw new OptionError('credssp.key', 'is missing', 'Give the private key of "credssp.cert".');
  }
  const given = checked({ cert, key: bytesOf(key), ...opened }, 'credssp.cert');
  // A key of another type passes OpenSSL, and then no handshake would.
  const [first = Buffer.alloc(0)] = cert;
  if (!new X509Certificate(first).checkPrivateKey(createPrivateKey({ key: bytesOf(key), ...opened }))) {
    throw new OptionError(
      'credssp.key',
      'is not that of "credssp.cert"',
      'Give the private key of the first certificate.',
    );
  }
  return given;
}

function bytesOf(secret: Secret): Buffer {
  return Buffer.from(secret.copy());
}

function noCertificate(): SspiAuthError {
  return new SspiAuthError(
    'ERR_SSPI_AUTH_NO_ACCEPTOR',
    'sspi-auth: CredSSP needs a certificate, and there is neither option "credssp.cert" nor the package selfsigned. ' +
      'Give credssp: { cert, key }, by which clients also know the server again; ' +
      'or run npm install selfsigned, and a certificate is made at each start',
  );
}

/** Node's TLS takes milliseconds to load, which only those pay who offer CredSSP. */
function checked(given: SchannelCertificate, option: string): SchannelCertificate {
  const { createSecureContext } = process.getBuiltinModule('node:tls');
  const { cert, passphrase, ...others } = given;
  try {
    createSecureContext({
      ...others,
      ...(cert && { cert: [...cert] }),
      ...(passphrase && { passphrase: passphrase.toString() }),
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    throw new OptionError(option, `cannot be used: ${reason}`, 'Give a certificate and its own private key, in PEM.');
  }
  return given;
}

function canMakeCertificates(): boolean {
  try {
    // Made here: in a bundle of CommonJS there is no import.meta.url, and nothing else is to break by that.
    return createRequire(import.meta.url).resolve('selfsigned') !== '';
  } catch {
    return false;
  }
}

/** How long a certificate that is made at start is valid, in milliseconds: longer than any process runs. */
const TEN_YEARS = 10 * 365 * 24 * 60 * 60 * 1000;

/** Makes a certificate. Of an RSA key, because clients in Python take no other. */
export async function makeCertificate({
  computerName,
}: Pick<SchemeSettings, 'computerName'>): Promise<SchannelCertificate> {
  // With `catch`, bundlers leave a package that is not installed to the moment when it is needed; else they refuse.
  const { generate } = await import('selfsigned').catch(() => {
    throw noCertificate();
  });
  const made = await generate([{ name: 'commonName', value: `CREDSSP-${computerName}` }], {
    keyType: 'rsa',
    keySize: 2048,
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + TEN_YEARS),
  });
  return { cert: [made.cert], key: made.private };
}
