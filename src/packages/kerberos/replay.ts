/** What the acceptor asks of a replay cache: RFC 4120 section 3.2.3 (attacks D01, D02, D25). */

/** Remembers authenticators, so that none is accepted twice. */
export interface ReplayMemory {
  /**
   * Claims an authenticator. It is called once for each that was decrypted with the right key and whose names and times
   * are right, so that nobody without a valid ticket can fill the memory.
   *
   * @param ciphertextHash 32 bytes: SHA-256 over the encrypted authenticator. May be kept
   * @param ctimeMilliseconds time of the client in the authenticator, in milliseconds since 1970-01-01 UTC. It
   *   is within the allowed clock skew, and the memory must know the authenticator until now is later than
   *   this by more than that skew
   * @returns true: never claimed before, and it is remembered now. False: it was, or it is so old that the memory cannot
   *   know. An exception or a rejected promise: it cannot be remembered, and the ticket is refused; its message says
   *   why, without secrets
   */
  claim(ciphertextHash: Buffer, ctimeMilliseconds: number): boolean | Promise<boolean>;
}
