/** CredSSP in TypeScript: TLS of Node inside the tokens, and in it the Negotiate of this machine. */
import { createRequire } from 'node:module';
import { OptionError, SspiAuthError } from '../../foundation/errors.ts';
import { secur32Packages } from '../../native/secur32/index.ts';
import { credsspPackageInfo } from '../../packages/credssp/credssp-package-info.ts';
import { negotiatePackage } from '../../packages/negotiate/index.ts';
import { ASC_REQ_DELEGATE } from '../../sspi/index.ts';
import type { AcceptCall, AcceptReply, PackageCredential, SecurityPackage } from '../../sspi/index.ts';
import type { OfferedScheme } from '../offered-scheme.ts';
import type { SchemeSettings } from '../options.ts';
import { acquire, isMissing, usesSecur32 } from './availability.ts';
import type { Availability, Missing } from './availability.ts';
import { negotiateInside } from './negotiate.ts';

export function credssp(settings: SchemeSettings): Availability {
  if (settings.channelBinding === 'always') {
    // What binds CredSSP is the certificate inside; a TLS relay outside would not be noticed (attack C17).
    return { missing: `option "channelBinding" is 'always', but CredSSP cannot carry channel bindings.` };
  }
  const negotiate = negotiateOf(settings);
  if (isMissing(negotiate)) return negotiate;
  const { authData, ...offer } = negotiate;
  return {
    ...offer,
    boundTo: 'connection',
    servicePrincipalNames: usesSecur32(settings) ? settings.servicePrincipalNames : undefined,
    requirements: settings.delegate === true ? ASC_REQ_DELEGATE : 0,
    innerTls: { withoutTls: settings.allowCredSspWithoutTls === true },
    acquire: () => {
      const certificate = certificateOf(settings);
      return acquire(laterPackage(settings, certificate, authData), undefined);
    },
  };
}

interface NegotiateOf extends Pick<OfferedScheme, 'provider' | 'packages' | 'isCurrent'> {
  /** `authData.negotiate` of CredSSP. */
  readonly authData: { readonly package: SecurityPackage; readonly authData: unknown };
}

function negotiateOf(settings: SchemeSettings): NegotiateOf | Missing {
  if (usesSecur32(settings)) {
    const found = secur32Packages(settings.library).find(({ info }) => info.name === 'Negotiate');
    if (found === undefined) return { missing: 'the library has no security package Negotiate.' };
    const { packages } = settings;
    return { provider: 'secur32', packages, authData: { package: found, authData: { packages } } };
  }
  // A ticket that is forwarded inside goes nowhere: what CredSSP gives away is the password.
  const inside = negotiateInside({ ...settings, delegate: undefined });
  if (isMissing(inside)) return inside;
  const { packages, provider, isCurrent } = inside;
  return {
    provider,
    packages: packages.map(({ package: { info } }) => info.name),
    isCurrent,
    authData: { package: negotiatePackage, authData: { packages } },
  };
}

/** authData of Schannel: certificate and key. */
type SchannelCertificate = Readonly<Record<string, unknown>>;

const CURES =
  'Give credssp: { cert, key }, which also lets clients know the server again, or run npm install selfsigned, which makes a certificate at each start.';

/**
 * The certificate of the TLS inside. Undefined if one has to be made.
 *
 * @throws OptionError if it cannot be used; SspiAuthError if there is none, and nothing that makes one
 */
function certificateOf({ credssp: given }: SchemeSettings): SchannelCertificate | undefined {
  const { cert, key, pfx, passphrase }: Partial<NonNullable<typeof given>> = given ?? {};
  if (cert === undefined && pfx === undefined) {
    if (key !== undefined) throw new OptionError('credssp.key', 'is given without "credssp.cert"', 'Give both.');
    if (canMakeCertificates()) return undefined;
    throw new SspiAuthError(
      'ERR_SSPI_AUTH_NO_ACCEPTOR',
      `sspi-auth: CredSSP needs a certificate, and there is neither option "credssp.cert" nor the package selfsigned. ${CURES}`,
    );
  }
  if (pfx !== undefined && (cert !== undefined || key !== undefined)) {
    throw new OptionError(
      'credssp.pfx',
      'is given beside "credssp.cert" or "credssp.key"',
      'Give cert and key, or pfx.',
    );
  }
  if (cert !== undefined && key === undefined) {
    throw new OptionError('credssp.key', 'is missing', 'Give the private key of "credssp.cert".');
  }
  const authData = {
    ...(cert && { cert }),
    ...(key && { key: key.copy() }),
    ...(pfx && { pfx: pfx.copy() }),
    ...(passphrase && { passphrase: passphrase.copy() }),
  };
  checkUsable(authData, cert === undefined ? 'credssp.pfx' : 'credssp.cert');
  return authData;
}

/** Node's TLS takes milliseconds to load, which only those pay who offer CredSSP. */
const require = createRequire(import.meta.url);

function checkUsable(authData: SchannelCertificate, option: string): void {
  const { createSecureContext } = require('node:tls') as typeof import('node:tls');
  try {
    createSecureContext(buffersOf(authData));
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    throw new OptionError(option, `cannot be used: ${reason}`, 'Give a certificate and its own private key, in PEM.');
  }
}

function buffersOf(authData: SchannelCertificate): object {
  return Object.fromEntries(
    Object.entries(authData).map(([name, value]) => [
      name,
      name === 'passphrase'
        ? Buffer.from(value as Uint8Array).toString()
        : Array.isArray(value)
          ? value
          : Buffer.from(value as Uint8Array),
    ]),
  );
}

function canMakeCertificates(): boolean {
  try {
    return require.resolve('selfsigned') !== '';
  } catch {
    return false;
  }
}

/** How long a certificate that is made at start is valid, in milliseconds: longer than any process runs. */
const TEN_YEARS = 10 * 365 * 24 * 60 * 60 * 1000;

async function makeCertificate(settings: SchemeSettings): Promise<SchannelCertificate> {
  const { generate } = await import('selfsigned');
  const name = [{ name: 'commonName', value: `CREDSSP-${settings.computerName}` }];
  const made = await generate(name, {
    keyType: 'rsa',
    keySize: 2048,
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + TEN_YEARS),
  });
  return { cert: made.cert, key: made.private };
}

/**
 * CredSSP as a package that is loaded, and whose certificate is made, after the start: the first clients wait for it. A
 * program that does not offer CredSSP loads nothing of it.
 */
function laterPackage(
  settings: SchemeSettings,
  certificate: SchannelCertificate | undefined,
  negotiate: NegotiateOf['authData'],
): SecurityPackage {
  const load = async (): Promise<PackageCredential> => {
    const [{ credsspPackage }, { schannelPackage }, authData] = await Promise.all([
      import('../../packages/credssp/index.ts'),
      import('../../packages/schannel/index.ts'),
      certificate ?? makeCertificate(settings),
    ]);
    return await credsspPackage.acquireCredentials({
      credentialUse: 'inbound',
      principal: undefined,
      authData: {
        schannel: { package: schannelPackage, authData },
        negotiate,
        delegation: settings.delegate === true,
        ...(settings.credssp?.minVersion !== undefined && { minVersion: settings.credssp.minVersion }),
      },
    });
  };
  return { info: credsspPackageInfo, acquireCredentials: () => new LaterCredential(load()) };
}

class LaterCredential implements PackageCredential {
  readonly #loading: Promise<PackageCredential>;

  constructor(loading: Promise<PackageCredential>) {
    this.#loading = loading;
    // If it fails, each client is refused with the cause in the log.
    loading.catch(() => undefined);
  }

  async accept(call: AcceptCall): Promise<AcceptReply> {
    const credential = await this.#loading;
    return await credential.accept(call);
  }

  free(): void {
    this.#loading.then(
      (credential) => credential.free(),
      () => undefined,
    );
  }
}
