/**
 * What is asked of a GSSAPI beyond RFC 2744. MIT krb5 and Heimdal have different functions for it, and verify different
 * things themselves: whatever one of them leaves out is done here in its place, or refused.
 */
import type { ChannelBindings } from '../../../formats/channel-bindings.ts';
import type { ApRequestHeader } from '../../../formats/kerberos/kerberos-token.ts';
import type { Frame } from './frame.ts';
import type { KerberosSettings } from './kerberos-settings.ts';

import type { GssapiLibrary, NativeMemory } from './library.ts';

/**
 * What a PAC came to: the bytes that were verified, a PAC that does not verify, or none. The bytes may be a view of the
 * frame, good until its next result is taken.
 */
export type PacReading = Buffer | 'unverified' | undefined;

/** A token that the library accepted; its results lie in a frame. */
export interface AcceptedToken {
  readonly token: Uint8Array;
  readonly request: ApRequestHeader;
}

/** Why a token is refused although the library accepted it. */
export interface Objection {
  readonly status: number;
  readonly diagnosis: string;
}

/**
 * What a client sent of channel bindings: the right ones, none, or none although it says that it knows them, which no
 * requirement allows (MS-KILE section 3.4.5).
 */
export type BindingReading = 'bound' | 'missing' | 'withheld';

/** The key of a keytab entry. */
export interface KeytabKey {
  readonly encryptionType: number;
  /** Address of its krb5_keyblock. */
  readonly keyblock: bigint;
}

/** The extensions of one implementation. */
export interface GssapiExtensions {
  /**
   * Refuses what the implementation cannot do.
   *
   * @throws OptionError naming the option and the cure
   */
  checkSettings(settings: KerberosSettings): void;

  /**
   * Acquires an acceptor credential (gss_cred_id_t) for the keys of a keytab, whatever their names.
   *
   * @param keytab name of a MEMORY keytab; the credential keeps it alive
   * @throws SspiAuthError `ERR_SSPI_AUTH_STATUS`
   */
  acquireAcceptor(frame: Frame, keytab: string, settings: KerberosSettings): bigint;

  /** What the implementation does not verify itself: called once for each token that it accepted, before anything else. */
  objection(frame: Frame, accepted: AcceptedToken, settings: KerberosSettings): Objection | undefined;

  /**
   * Whether the client bound itself to these channel bindings, with which its token was accepted into the frame.
   *
   * @param credential gss_cred_id_t that accepted it
   */
  channelBinding(frame: Frame, credential: bigint, accepted: AcceptedToken, bindings: ChannelBindings): BindingReading;

  /** The client of the accepted context in the frame, as krb5_unparse_name of MIT writes it; undefined where it has no name. */
  clientName(frame: Frame): string | undefined;

  /** The PAC of the accepted context in the frame. */
  pac(frame: Frame, client: string): PacReading;

  /**
   * Stores a delegated credential in a cache.
   *
   * @param name with its type, such as `FILE:/tmp/x`
   * @returns whether it is there
   */
  storeDelegated(frame: Frame, credential: bigint, name: string): boolean;

  /** Whose key an entry that OpenKeytab visits is, as krb5_unparse_name of MIT writes it. */
  keytabPrincipal(library: GssapiLibrary, entry: NativeMemory): string | undefined;

  /** The key of an entry that OpenKeytab visits. */
  keytabKey(entry: NativeMemory): KeytabKey;

  /** A krb5_keyblock; the key's bytes must stay referenced for as long as it is used. */
  keyblock(library: GssapiLibrary, encryptionType: number, key: Uint8Array): Buffer;

  /** Decrypts with a krb5_keyblock; undefined where the key does not fit. */
  decrypt(library: GssapiLibrary, key: KeytabKey, usage: number, cipher: Uint8Array): Buffer | undefined;
}
