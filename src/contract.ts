/**
 * The public face of the contract (`sspi-auth/sspi`): AcceptSecurityContext and its companions, with the security
 * packages of this machine: Windows' own on Windows, those of this library elsewhere.
 */
import { addMachinePackages } from './authenticator/providers/offered-schemes.ts';
import type { liveNativeHandles } from './authenticator/providers/offered-schemes.ts';

addMachinePackages();

export * from './sspi/index.ts';
export { liveNativeHandles } from './authenticator/providers/offered-schemes.ts';
/** What the operating system gives out and liveNativeHandles counts. */
export type NativeKind = keyof ReturnType<typeof liveNativeHandles>;
