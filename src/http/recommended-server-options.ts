/**
 * Options for `http.createServer`, for cases in which Node's defaults are an obstacle to integrated sign-on.
 *
 * `maxHeaderSize`: the Kerberos ticket of a user in many groups needs up to 64 KiB of base64. Node accepts 16 KiB, and
 * answers 431 by itself. `keepAliveTimeout`: an NTLM sign-in lasts as long as its connection. Node closes idle
 * connections after 5 seconds, so each click would sign in again.
 */
export const recommendedServerOptions: Readonly<{ maxHeaderSize: number; keepAliveTimeout: number }> = Object.freeze({
  /** Bytes. */
  maxHeaderSize: 80 * 1024,
  /** Milliseconds. */
  keepAliveTimeout: 120_000,
});
