/** Tables of options that are inside others: `limits` and `credssp`. */
import { defaulted, optional } from '../foundation/option-table.ts';
import type { Concerns } from '../foundation/option-table.ts';
import { wholeNumber } from '../foundation/option-values.ts';
import { credsspOptions } from '../packages/credssp/credssp-auth-data.ts';
import { schannelOptions } from '../packages/schannel/schannel-auth-data.ts';

const handshakes: Concerns = { schemes: ['Negotiate', 'Kerberos', 'NTLM', 'CredSSP'] };
const bodyBytes = wholeNumber(0, 0x7fffffff);
const atLeastOne = wholeNumber(1, 0x7fffffff);

export const limitOptions = {
  /**
   * How long a sign-in of a connection may last, in milliseconds. Then its client signs in again. A Kerberos ticket that
   * ends earlier ends it earlier.
   */
  identityMilliseconds: defaulted(atLeastOne, 8 * 60 * 60 * 1000, handshakes),
  /** Longest time from a handshake's first token to its last, in milliseconds. */
  handshakeMilliseconds: defaulted(atLeastOne, 30_000, handshakes),
  /** How many handshakes may wait for their client at the same time. One more drops the oldest. */
  pendingHandshakes: defaulted(atLeastOne, 10_000, handshakes),
  /** How many bytes of tokens the handshakes that wait may hold together. One more drops the oldest. */
  pendingHandshakeBytes: defaulted(atLeastOne, 16 * 1024 * 1024, handshakes),
  /** How long the `store` may take to answer, in milliseconds. Then the request that asked is refused with 503. */
  storeMilliseconds: defaulted(atLeastOne, 2000),
  /** Largest decoded token, in bytes. Node's own limit for header fields, maxHeaderSize (16 KiB), may be lower. */
  tokenBytes: defaulted(atLeastOne, 48 * 1024, handshakes),
  /**
   * Largest request body that is read and discarded when sspi-auth answers a request itself, in bytes. Many clients send
   * all of it before they read the answer. A longer body ends its connection.
   */
  discardedBodyBytes: defaulted(bodyBytes, 32 * 1024 * 1024),
  /**
   * The same limit for the legs of a handshake, in bytes. Their connection cannot be closed, so it limits what an NTLM
   * client may upload before it is signed in.
   */
  handshakeBodyBytes: defaulted(bodyBytes, 32 * 1024 * 1024, handshakes),
  /**
   * How many calls to the operating system's security packages may run off the event loop at the same time, in the whole
   * process. Each takes a thread of libuv's pool: set UV_THREADPOOL_SIZE to more than that before node starts.
   */
  nativeCalls: optional(wholeNumber(1, 250), {
    otherwise: 'one less than `UV_THREADPOOL_SIZE`, at most 31; on Windows 3',
    schemes: ['Negotiate', 'Kerberos', 'NTLM', 'CredSSP'],
    providers: ['secur32', 'gssapi'],
  }),
};

export const credsspHttpOptions = {
  /**
   * The certificate of the TLS inside CredSSP, in PEM. With `key`; or give `pfx`. Of an RSA key: pywinrm and Ansible take
   * no other.
   */
  cert: optional(schannelOptions.cert.read, { otherwise: 'one that is made at start, by the package `selfsigned`' }),
  /** Its private key, in PEM. */
  key: schannelOptions.key,
  /** Certificate and private key as PKCS #12, in place of `cert` and `key`. */
  pfx: schannelOptions.pfx,
  /** Opens `key` or `pfx`. */
  passphrase: schannelOptions.passphrase,
  /** The lowest version of CredSSP. Below 5, an attacker between client and server can act as the client (CVE-2018-0886). */
  minVersion: credsspOptions.minVersion,
};
