/**
 * What an acceptor needs of a GSSAPI library beyond RFC 2744. MIT krb5 and Heimdal have different functions for it, and
 * they verify different things. What one of them does not verify, its extensions verify or refuse.
 */
import type { ChannelBindings } from '../../../formats/channel-bindings.ts';
import type { ApRequestHeader } from '../../../formats/kerberos/kerberos-token.ts';
import type { Frame } from './frame.ts';
import type { KerberosSettings } from './kerberos-settings.ts';

import type { GssapiLibrary, NativeMemory } from './library.ts';

/**
 * The PAC of a ticket: its bytes if the signature was verified, `unverified` if it was not, undefined if the ticket has
 * no PAC. The bytes may be a view of the frame. They are then valid until the next result is taken from the frame.
 */
export type PacResult = Buffer | 'unverified' | undefined;

/** A token that the library accepted. The results of the call are in a frame. */
export interface AcceptedToken {
  readonly token: Uint8Array;
  readonly request: ApRequestHeader;
}

/** Why a token is refused that the library accepted. */
export interface TokenRefusal {
  readonly status: number;
  readonly diagnosis: string;
}

/**
 * The channel bindings that a client sent.
 *
 * - `bound`: the right ones.
 * - `missing`: none.
 * - `withheld`: none, although the client says that it supports them. It is always refused (MS-KILE section 3.4.5).
 */
export type ChannelBindingResult = 'bound' | 'missing' | 'withheld';

/** A key, such as that of a keytab entry. */
export interface KeytabKey {
  readonly encryptionType: number;
  /** Address of its krb5_keyblock. */
  readonly keyblock: bigint;
}

/** The extensions of MIT krb5 or of Heimdal. */
export interface GssapiExtensions {
  /**
   * Refuses settings that the implementation cannot fulfil.
   *
   * @throws OptionError `ERR_SSPI_AUTH_OPTION` with the option and the cure
   */
  checkSettings(library: GssapiLibrary, settings: KerberosSettings): void;

  /**
   * Acquires an acceptor credential for all keys of a keytab.
   *
   * @param keytab name of a MEMORY keytab. The credential keeps it alive
   * @returns gss_cred_id_t
   * @throws SspiAuthError `ERR_SSPI_AUTH_STATUS` if the library refuses
   */
  acquireAcceptor(frame: Frame, keytab: string, settings: KerberosSettings): bigint;

  /** The encryption types that the configuration permits; undefined if the library does not tell. */
  permittedTypes(library: GssapiLibrary): readonly number[] | undefined;

  /**
   * Verifies what the implementation itself does not verify. Called once for each token that the library accepted,
   * before any other function here.
   *
   * @returns undefined if the token stays accepted
   */
  verifyAccepted(frame: Frame, accepted: AcceptedToken, settings: KerberosSettings): TokenRefusal | undefined;

  /**
   * Tells whether the client sent channel bindings.
   *
   * @param credential gss_cred_id_t that accepted the token
   * @param bindings the bindings that were passed to gss_accept_sec_context
   */
  channelBinding(
    frame: Frame,
    credential: bigint,
    accepted: AcceptedToken,
    bindings: ChannelBindings,
  ): ChannelBindingResult;

  /**
   * The client of the context in the frame, as krb5_unparse_name of MIT krb5 writes it. Undefined if it has no name.
   *
   * @param request the AP-REQ that was accepted
   * @throws MalformedTokenError if the name is not UTF-8 (attack D22)
   */
  clientName(frame: Frame, request: ApRequestHeader): string | undefined;

  /**
   * The principal whose key decrypted the ticket of the context in the frame, in the same form. The name in the ticket is
   * not encrypted, and may be another (attack D05). Undefined if the library does not tell.
   */
  serviceName(frame: Frame): string | undefined;

  /** The service that the client means, from its Authenticator; undefined if it does not say. */
  clientTarget(frame: Frame, request: ApRequestHeader): string | undefined;

  /**
   * The encryption type of the key that protects messages. It need not be that of the ticket: client and acceptor may have
   * agreed on a better one (RFC 4537). Undefined if the library does not tell it.
   *
   * @param handle gss_ctx_id_t of an established context
   */
  messageKeyType(frame: Frame, handle: bigint): number | undefined;

  /** The PAC of the context in the frame. @param client the result of clientName */
  pac(frame: Frame, client: string): PacResult;

  /**
   * Stores a delegated credential in a credential cache.
   *
   * @param credential gss_cred_id_t
   * @param name name of the cache with its type, such as `FILE:/tmp/x`
   * @returns whether it was stored
   */
  storeDelegated(frame: Frame, credential: bigint, name: string): boolean;

  /**
   * The principal of a keytab entry that OpenKeytab visits, as krb5_unparse_name of MIT krb5 writes it. Undefined if it
   * has none, or one that is not UTF-8.
   */
  keytabPrincipal(library: GssapiLibrary, entry: NativeMemory): string | undefined;

  /** The key of a keytab entry that OpenKeytab visits. */
  keytabKey(entry: NativeMemory): KeytabKey;

  /** Makes a krb5_keyblock that points to `key`. Keep `key` referenced for as long as the keyblock is used. */
  keyblock(library: GssapiLibrary, encryptionType: number, key: Uint8Array): Buffer;

  /**
   * Decrypts a ciphertext.
   *
   * @param usage key usage number of RFC 4120 section 7.5.1
   * @returns undefined if the ciphertext cannot be decrypted with this key
   */
  decrypt(library: GssapiLibrary, key: KeytabKey, usage: number, cipher: Uint8Array): Buffer | undefined;
}

/** A library as a credential uses it. */
export interface KerberosProvider {
  /** For calls on the JavaScript thread. */
  readonly frame: Frame;
  readonly extensions: GssapiExtensions;
  readonly settings: KerberosSettings;
}
