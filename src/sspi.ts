/**
 * The public face of the contract (`sspi-auth/sspi`): AcceptSecurityContext and its companions, with the security
 * packages that run on any machine already added. Packages of the operating system come from the provider that has them.
 */
import { addPortablePackages } from './providers.ts';

addPortablePackages();

export * from './sspi/index.ts';
