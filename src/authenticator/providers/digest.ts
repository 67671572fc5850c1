/** Digest in TypeScript, with an account source that knows passwords. */
import {
  digestOptions,
  digestPackage,
  digestProtocolOptions,
  grantableAttributes,
} from '../../packages/digest/index.ts';
import type { SchemeSettings } from '../options.ts';
import { accountsMissing } from './accounts-missing.ts';
import { acquire, authDataFrom } from './availability.ts';
import type { Availability } from './availability.ts';

/** The operator writes the package's own options in option `digest`. */
const names = Object.fromEntries(Object.keys(digestProtocolOptions).map((name) => [name, `digest.${name}`]));

export function digest(settings: SchemeSettings): Availability {
  const { accounts, channelBinding, requiredAttributes, servicePrincipalNames } = settings;
  if (accounts?.verifyDigest === undefined) return { missing: accountsMissing(accounts?.description, 'Digest') };
  if (channelBinding === 'always') {
    // A TLS relay would choose the one scheme in which clients cannot tell it from the server (attack C17).
    return { missing: `option "channelBinding" is 'always', but Digest cannot carry channel bindings.` };
  }
  if (servicePrincipalNames !== undefined) {
    // An answer to the challenge of another server, handed on to this one, could not be told from one that was meant for
    // it (attack C18).
    return { missing: 'option "servicePrincipalNames" is given, but clients of Digest name no service.' };
  }
  if ((requiredAttributes & ~grantableAttributes) !== 0) {
    return {
      missing: 'option "requiredAttributes" has bits that no context of Digest has, such as ASC_RET_INTEGRITY.',
    };
  }
  const authData = { ...authDataFrom(digestOptions, settings), ...settings.digest };
  return { provider: 'portable', boundTo: 'request', acquire: () => acquire(digestPackage, authData, names) };
}
