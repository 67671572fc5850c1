/** A security package of a native library, and the state that its credentials and contexts share. */
import type { NativeCall } from '../native-calls.ts';
import type { SecurityPackageInfo } from '../../sspi/attributes.ts';
import type { SharedCredential } from './shared-credential.ts';
import type { Secur32Library } from './library.ts';
import type { NameLookup } from './token-identity.ts';

/** A package of a native library. */
export interface Provider {
  readonly library: Secur32Library;
  /** How AcceptSecurityContext and CompleteAuthToken are called. */
  readonly call: NativeCall;
  readonly info: SecurityPackageInfo;
  /** Names of SIDs. Undefined if the library has no access tokens. */
  readonly names: NameLookup | undefined;
  /** Credentials in use, by credential use and principal. */
  readonly credentials: Map<string, SharedCredential>;
}
