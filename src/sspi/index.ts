/**
 * The contract without packages. Packages, HTTP and the authenticator import this module; src/contract.ts is the public
 * entry point.
 */
export * from './accept-security-context.ts';
export * from './acquire-credentials-handle.ts';
export * from './attributes.ts';
export * from './buffers.ts';
export * from '../foundation/clock.ts';
export {
  impersonateSecurityContext,
  applyControlToken,
  heldBytes,
  outlivesHandshake,
  queryContextAttributes,
  queryDelegatedCredentials,
  querySecurityContextToken,
  revertSecurityContext,
  setContextAttributes,
} from './context.ts';
export { ContextHandle, CredentialHandle, liveHandles } from './handles.ts';
export * from './messages.ts';
export * from './requirements.ts';
export * from './schannel-control.ts';
export * from './security-context-token.ts';
export * from './security-package.ts';
export * from './security-packages.ts';
export * from './status.ts';
