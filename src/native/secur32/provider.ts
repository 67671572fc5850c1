/** One package of one library, and what its credentials and contexts share. */
import type { NativeCall } from '../koffi.ts';
import type { SecurityPackageInfo } from '../../sspi/attributes.ts';
import type { SharedCredential } from './shared-credential.ts';
import type { Secur32Library } from './library.ts';
import type { SidNames } from './sid-names.ts';

/** What a context knows of where it came from. */
export interface Provider {
  readonly library: Secur32Library;
  /** How AcceptSecurityContext and CompleteAuthToken are called. */
  readonly call: NativeCall;
  readonly info: SecurityPackageInfo;
  /** Names of SIDs; undefined where the library has no access tokens. */
  readonly names: SidNames | undefined;
  /** Credentials in use, by principal and use. */
  readonly credentials: Map<string, SharedCredential>;
}
