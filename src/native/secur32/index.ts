/** The security packages of Windows, or of a library that implements SSPI. */
export { liveNativeHandles } from './native-handles.ts';
export type { Secur32AuthData } from './secur32-auth-data.ts';
export type { Secur32CredSspAuthData, Secur32SchannelAuthData } from './stream-auth-data.ts';
export { secur32Packages } from './security-packages.ts';
