/** The security packages of Windows, or of a library that implements SSPI. */
export { liveNativeHandles } from './native-handles.ts';
export { secur32Packages } from './security-packages.ts';
