/**
 * The public face of the contract (`sspi-auth/sspi`): AcceptSecurityContext and its companions, with the security
 * packages of this machine: Windows' own on Windows, those of this library elsewhere.
 */
import { addMachinePackages } from './providers.ts';

addMachinePackages();

export * from './sspi/index.ts';
export { liveNativeHandles } from './providers.ts';
