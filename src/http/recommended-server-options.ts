/**
 * Options for `http.createServer` where Node's defaults stand in the way of integrated sign-on.
 *
 * `maxHeaderSize`: a Kerberos ticket of a user in many groups needs up to 64 KiB of base64, Node takes 16 KiB and answers
 * 431 by itself. `keepAliveTimeout`: an NTLM sign-in lasts as long as its connection, and Node closes idle ones after
 * 5 seconds, so that each click would sign in anew.
 */
export const recommendedServerOptions: Readonly<{ maxHeaderSize: number; keepAliveTimeout: number }> = Object.freeze({
  /** Bytes. */
  maxHeaderSize: 80 * 1024,
  /** Milliseconds. */
  keepAliveTimeout: 120_000,
});
