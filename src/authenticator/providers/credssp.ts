/** CredSSP in TypeScript: TLS of Node inside the tokens, and in it the Negotiate of this machine. */
import { secur32Packages } from '../../native/secur32/index.ts';
import { credsspPackageInfo } from '../../packages/credssp/credssp-package-info.ts';
import { negotiatePackage } from '../../packages/negotiate/index.ts';
import { ASC_REQ_DELEGATE } from '../../sspi/index.ts';
import type { AcceptCall, AcceptReply, PackageCredential, SecurityPackage } from '../../sspi/index.ts';
import type { OfferedScheme } from '../offered-scheme.ts';
import type { SchemeSettings } from '../options.ts';
import { acquire, isMissing, usesSecur32 } from './availability.ts';
import type { Availability, Missing } from './availability.ts';
import { givenCertificate, makeCertificate } from './credssp-certificate.ts';
import type { SchannelCertificate } from './credssp-certificate.ts';
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
      const certificate = givenCertificate(settings);
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
