/**
 * Where Kerberos without a library says no and MIT krb5 or Heimdal say yes, or the other way round, each with its reason.
 * What is not on this list fails `differential.live.test.ts`.
 */

/** One kind of difference. */
export interface Difference {
  /** What the side that refuses says: ours in its diagnosis, a library in its error. */
  readonly refusal: RegExp;
  /** What was encrypted after it was altered, in hexadecimal: where the refusal alone would hide too much. */
  readonly plain?: RegExp;
  /** Why that is right. */
  readonly because: string;
}

/** Ours refuses, and MIT krb5 accepts. */
export const stricterThanMit: readonly Difference[] = [
  {
    refusal: /is not understood and not optional/,
    because: 'RFC 4120 section 5.2.6: unknown data that is not optional must be refused',
  },
  { refusal: /subkey .* has not the length of its type/, because: 'such a key can protect no message' },
  { refusal: /(?:subkey .*|chose a key of) encryption type camellia/, because: 'Node has no Camellia of Kerberos' },
  { refusal: /AuthorizationData/, because: 'data that cannot be read may hold a PAC' },
  {
    refusal: /authorization-data: has \d+ PACs/,
    because: 'of two PACs another reader could take the other one',
  },
  {
    refusal: /came through other realms/,
    because: 'without krb5.conf nothing is known of the realms in between',
  },
  { refusal: /anonymous ticket/, because: 'an anonymous client is no account' },
  {
    refusal: /is malformed: [^:]*(?: at offset \d+)?: /,
    because: 'DER has one form for each value; MIT krb5 takes some others',
  },
  { refusal: /not a Kerberos AP-REQ/, because: 'the same in what is not encrypted' },
  {
    refusal: /forwards cannot be read/,
    because: 'the same in a forwarded ticket',
  },
  {
    refusal: /the PAC in the ticket of .* does not verify with the key of the service/s,
    because: 'MIT krb5 takes the ticket and withholds its PAC; a PAC that does not verify is a refusal, never no PAC',
  },
  {
    refusal: /(?:subkey .*|chose a key of) encryption type des3/,
    because: 'DES in any form is refused: Node has none of it for Kerberos, and RFC 8429 ends it',
  },
  {
    refusal: /PAC of .* a name in it holds control characters/s,
    because: 'such a name could pass for another one, and for another line of a log',
  },
  {
    refusal: /^SEC_E_UNSUPPORTED_FUNCTION user-to-user/,
    because: 'the client says that its ticket is under another key, and an HTTP service has no such key',
  },
  {
    refusal: /^SEC_E_WRONG_PRINCIPAL .*the (?:ticket is for|client means|client meant) .* but this server accepts/s,
    because: 'MIT krb5 without a name of its own takes every name that its key fits',
  },
];

/** Ours accepts, and MIT krb5 refuses. */
export const laxerThanMit: readonly Difference[] = [
  {
    refusal: /^the process was ended by SIGSEGV/,
    because: 'MIT krb5 up to 1.22.3 reads a null pointer in some forwarded tickets: a crash says nothing of the token',
  },
];

/** Ours refuses, and Heimdal accepts. */
export const stricterThanHeimdal: readonly Difference[] = [
  ...stricterThanMit,
  {
    refusal: /^SEC_E_ALGORITHM_MISMATCH/,
    because: 'Heimdal takes keys of every type that it knows, and does not read the types that are not encrypted',
  },
  {
    refusal: /authenticator for .* names another client than its ticket/,
    // crealm or the last component of cname ends with a zero byte. In an authenticator cname or the checksum follows, in a
    // ticket cname or the transited realms.
    plain: /00a[234](?:8[12])?..(?:..)?30/,
    because: 'Heimdal drops zeros at the end of a realm and of a name, so that two principals have one name',
  },
  {
    refusal:
      /authenticator for .* cannot be decrypted with the session key|session key in the ticket .* is not of the encryption type/,
    because: 'Heimdal does not compare the type of the authenticator, which is not encrypted, with that of its key',
  },
];

/** Ours accepts as MIT krb5 does, and Heimdal refuses. */
export const laxerThanHeimdal: readonly Difference[] = [
  { refusal: /^the process was ended by SIG/, because: 'a crash of Heimdal says nothing of the token' },
  {
    refusal: /Name canon failed while searching keytab|ASN\.1 invalid character in string/,
    because: 'an odd name that is not encrypted: what counts is the key that fits, and its principal is reported',
  },
  {
    refusal: /PAC timestamp mismatch/,
    because: 'the time of a ticket has whole seconds, and MIT krb5 compares these; the PAC has parts of seconds too',
  },
];
