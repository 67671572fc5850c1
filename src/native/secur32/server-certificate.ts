/**
 * The certificate of a TLS server out of a PFX (PKCS #12), as Schannel takes it. The private key is imported into the key
 * set of this account, because Schannel uses it in another process (LSASS). It is deleted when the credential is freed.
 */
import { OptionError } from '../../foundation/errors.ts';
import type { Secret } from '../../foundation/secret.ts';
import { koffi } from '../koffi.ts';
import { layouts } from './declarations.ts';
import type { CertificateFunctions } from './library.ts';
import { countCertificates, readPointer, writePointer } from './native-handles.ts';

/** PFXImportCertStore: the key set of the account; then that of the machine, for an account without a profile. */
const CRYPT_USER_KEYSET = 0x1000;
const CRYPT_MACHINE_KEYSET = 0x20;
/** Properties of a certificate that has a private key: CERT_KEY_PROV_INFO_, CERT_KEY_CONTEXT_, CERT_NCRYPT_KEY_HANDLE_PROP_ID. */
const CERT_KEY_PROV_INFO_PROP_ID = 2;
const keyProperties = [CERT_KEY_PROV_INFO_PROP_ID, 5, 78] as const;
/** CryptAcquireContext. */
const CRYPT_DELETEKEYSET = 0x10;
/** More than names of containers and providers need, in bytes. */
const MAX_KEY_INFO_BYTES = 64 * 1024;

const wide = (text: string): Buffer => Buffer.from(`${text}\0`, 'utf16le');

/** The certificate, its store and its key. */
export class ServerCertificate implements Disposable {
  readonly #functions: CertificateFunctions;
  readonly #store: bigint;
  readonly #certificate: bigint;
  #held = true;

  /**
   * @throws OptionError `authData.pfx` if it cannot be imported, or if none of its certificates has a private key
   */
  constructor(functions: CertificateFunctions, pfx: Secret, passphrase: Secret | undefined) {
    this.#functions = functions;
    this.#store = importStore(functions, pfx, passphrase);
    countCertificates(1);
    this.#certificate = firstWithKey(functions, this.#store);
    if (this.#certificate !== 0n) {
      countCertificates(1);
      return;
    }
    this.#closeStore();
    throw new OptionError('authData.pfx', 'has no certificate with a private key', 'Export it with its key.');
  }

  /** PCCERT_CONTEXT. 0 after its release. */
  get address(): bigint {
    return this.#held ? this.#certificate : 0n;
  }

  /** Gives everything back once. Later calls do nothing. */
  [Symbol.dispose](): void {
    if (!this.#held) return;
    this.#held = false;
    this.#functions.CertFreeCertificateContext(this.#certificate);
    countCertificates(-1);
    this.#closeStore();
  }

  #closeStore(): void {
    const functions = this.#functions;
    eachCertificate(functions, this.#store, (certificate) => {
      deleteKey(functions, certificate);
      return false;
    });
    functions.CertCloseStore(this.#store, 0);
    countCertificates(-1);
  }
}

function importStore(functions: CertificateFunctions, pfx: Secret, passphrase: Secret | undefined): bigint {
  const bytes = Buffer.from(pfx.copy());
  const words = wide(Buffer.from(passphrase?.copy() ?? []).toString('utf8'));
  const { size, offsets } = layouts.CRYPT_DATA_BLOB;
  const blob = Buffer.alloc(size);
  const { address } = koffi();
  blob.writeUInt32LE(bytes.byteLength, offsets.cbData);
  writePointer(blob, address(bytes), offsets.pbData);
  try {
    for (const flags of [CRYPT_USER_KEYSET, CRYPT_MACHINE_KEYSET]) {
      const store = BigInt(functions.PFXImportCertStore(address(blob), address(words), flags));
      if (store !== 0n) return store;
    }
  } finally {
    bytes.fill(0);
    words.fill(0);
  }
  const cure = 'Give a PKCS #12 file and its passphrase: openssl pkcs12 -export -inkey server.key -in server.crt.';
  throw new OptionError('authData.pfx', 'cannot be imported', cure);
}

/**
 * Calls `use` with each certificate until it gives true: then its reference is the caller's.
 *
 * @returns the certificate for which `use` gave true, else 0. CertEnumCertificatesInStore frees those before
 */
function eachCertificate(
  { CertEnumCertificatesInStore }: CertificateFunctions,
  store: bigint,
  use: (certificate: bigint) => boolean,
): bigint {
  let certificate = 0n;
  do certificate = BigInt(CertEnumCertificatesInStore(store, certificate));
  while (certificate !== 0n && !use(certificate));
  return certificate;
}

function firstWithKey(functions: CertificateFunctions, store: bigint): bigint {
  const size = Buffer.alloc(4);
  const { CertGetCertificateContextProperty } = functions;
  const { address } = koffi();
  return eachCertificate(functions, store, (certificate) =>
    keyProperties.some(
      (property) => CertGetCertificateContextProperty(certificate, property, null, address(size)) !== 0,
    ),
  );
}

/** Deletes the private key that the import has made. What Windows does not delete stays in the key set of the account. */
function deleteKey(functions: CertificateFunctions, certificate: bigint): void {
  const { address } = koffi();
  const size = Buffer.alloc(4);
  const ask = functions.CertGetCertificateContextProperty;
  if (ask(certificate, CERT_KEY_PROV_INFO_PROP_ID, null, address(size)) === 0) return;
  const length = size.readUInt32LE(0);
  if (length < layouts.CRYPT_KEY_PROV_INFO.size || length > MAX_KEY_INFO_BYTES) return;
  // The names stand behind the structure, which points to them.
  const memory = Buffer.alloc(length);
  if (ask(certificate, CERT_KEY_PROV_INFO_PROP_ID, address(memory), address(size)) === 0) return;
  const { offsets } = layouts.CRYPT_KEY_PROV_INFO;
  const container = readPointer(memory, offsets.pwszContainerName);
  const provider = readPointer(memory, offsets.pwszProvName);
  if (container === 0n) return;
  const type = memory.readUInt32LE(offsets.dwProvType);
  const machine = memory.readUInt32LE(offsets.dwFlags) & CRYPT_MACHINE_KEYSET;
  const handle = Buffer.alloc(8);
  if (type !== 0) {
    functions.CryptAcquireContextW(address(handle), container, provider, type, CRYPT_DELETEKEYSET | machine);
    return;
  }
  // A provider type of 0 is a key of CNG.
  if (functions.NCryptOpenStorageProvider(address(handle), provider, 0) !== 0) return;
  const storage = readPointer(handle, 0);
  if (functions.NCryptOpenKey(storage, address(handle), container, 0, machine) === 0) {
    const key = readPointer(handle, 0);
    // It frees the handle, unless it fails.
    if (functions.NCryptDeleteKey(key, 0) !== 0) functions.NCryptFreeObject(key);
  }
  functions.NCryptFreeObject(storage);
}
