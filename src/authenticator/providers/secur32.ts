/**
 * Negotiate, Kerberos and NTLM by the operating system's own packages, or by those of a library with the same
 * interface.
 */
import { OptionError } from '../../foundation/errors.ts';
import { secur32Packages } from '../../native/secur32/index.ts';
import type { SchemeName, SchemeSettings } from '../options.ts';
import { acquire } from './availability.ts';
import type { Availability } from './availability.ts';
import { kerberosNotNamed } from './kerberos.ts';
import { ntlmLeftOut } from './ntlm.ts';

export function secur32(name: Exclude<SchemeName, 'Digest' | 'CredSSP'>, settings: SchemeSettings): Availability {
  const { schemes, library, servicePrincipalNames, packages, impersonation } = settings;
  if (settings.channelBinding === 'always' && process.platform !== 'win32') {
    throw new OptionError(
      'channelBinding',
      'is "always", which an SSPI library other than Windows\' own does not enforce',
      "Use another provider, or 'whenSupported'.",
    );
  }
  if (name === 'Kerberos' && schemes === undefined) return kerberosNotNamed;
  if (name === 'NTLM' && packages?.includes('NTLM') === false) return ntlmLeftOut;
  const found = secur32Packages(library).find(({ info }) => info.name === name);
  if (found === undefined) return { missing: `the library has no security package ${name}.` };
  return {
    provider: 'secur32',
    boundTo: 'connection',
    packages: name === 'Negotiate' ? packages : [name],
    servicePrincipalNames,
    acquire: () => acquire(found, { packages: name === 'Negotiate' ? packages : undefined, impersonation }),
  };
}
