/** The security packages of Windows, or of a library with the same interface. */
export { liveNativeHandles } from './native-handles.ts';
export { secur32Packages } from './security-packages.ts';
