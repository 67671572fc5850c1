/** Attributes of an established Schannel context (QueryContextAttributes). */
import type { TLSSocket } from 'node:tls';
import { endPointBindings } from '../../crypto/end-point-bindings.ts';
import { encodeChannelBindings } from '../../formats/channel-bindings.ts';
import { tlsCipherSuite, tlsRecordOverhead } from '../../formats/tls-cipher-suite.ts';
import type { TlsCipherSuite, TlsRecordOverhead } from '../../formats/tls-cipher-suite.ts';
import { TLS_MAX_PLAINTEXT_BYTES } from '../../formats/tls-record.ts';
import * as Attribute from '../../sspi/attributes.ts';
import type { ContextAttribute, ContextAttributeValues, KeyingMaterialInfo } from '../../sspi/attributes.ts';
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';
import type { Answer } from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import { schannelPackageInfo } from './schannel-package-info.ts';

/** What is known about an established context. */
export interface EstablishedFacts {
  readonly socket: TLSSocket;
  /** The account that the client's certificate was mapped to. */
  readonly token: SecurityContextToken | undefined;
  /** ASC_RET_* bits. */
  readonly attributes: number;
  readonly start: Date;
  readonly expiry: Date | undefined;
  /** What SECPKG_ATTR_KEYING_MATERIAL exports. */
  keyingMaterial: KeyingMaterialInfo | undefined;
}

type Readers = { readonly [A in ContextAttribute]?: (facts: EstablishedFacts) => Answer<ContextAttributeValues[A]> };

const failed = (status: number): { readonly status: number } => ({ status });
const given = <T>(value: T): Answer<T> => ({ status: Status.SEC_E_OK, value });

const LARGEST_OVERHEAD: TlsRecordOverhead = { header: 5 + 16, trailer: 64 + 16, blockSize: 16 };

/** Whether a connection has TLS 1.3. */
export function isTls13(socket: TLSSocket): boolean {
  return socket.getProtocol() === 'TLSv1.3';
}

function suiteOf(socket: TLSSocket): TlsCipherSuite | undefined {
  return tlsCipherSuite(socket.getCipher().standardName);
}

/** What a record of a connection adds to its data; the most that there is for a suite that nobody here knows. */
export function recordOverhead(socket: TLSSocket): TlsRecordOverhead {
  const suite = suiteOf(socket);
  return suite === undefined ? LARGEST_OVERHEAD : tlsRecordOverhead(suite, isTls13(socket));
}

/** ALG_ID of wincrypt.h. */
const cipherAlgorithms: Readonly<Record<string, number>> = { AES128: 0x660e, AES256: 0x6610 };
const hashAlgorithms: Readonly<Record<string, number>> = { SHA: 0x8004, SHA256: 0x800c, SHA384: 0x800d };
const exchangeAlgorithms: Readonly<Record<string, number>> = { RSA: 0xa400, DHE: 0xaa02, ECDHE: 0xae06 };
const hashBits: Readonly<Record<string, number>> = { SHA: 160, SHA256: 256, SHA384: 384 };

function connectionInfo(socket: TLSSocket): Attribute.ConnectionInfo {
  const suite = suiteOf(socket);
  const tls13 = isTls13(socket);
  const hash = suite?.hash ?? '';
  return {
    protocol: tls13 ? Attribute.SP_PROT_TLS1_3_SERVER : Attribute.SP_PROT_TLS1_2_SERVER,
    cipher: cipherAlgorithms[`${suite?.cipher ?? ''}${suite?.keyBits ?? ''}`] ?? 0,
    cipherStrength: suite?.keyBits ?? 0,
    hash: hashAlgorithms[hash] ?? 0,
    // In an AEAD the hash protects no record.
    hashStrength: suite?.mode === 'CBC' ? (hashBits[hash] ?? 0) : 0,
    exchange: exchangeAlgorithms[tls13 ? 'ECDHE' : (suite?.exchange ?? '')] ?? 0,
    exchangeStrength: 0,
  };
}

/** The server's certificate in DER. */
export function localCertificate(socket: TLSSocket): Buffer | undefined {
  return socket.getX509Certificate()?.raw;
}

function bindings(value: Uint8Array | undefined): Answer<Uint8Array> {
  return value === undefined ? failed(Status.SEC_E_UNSUPPORTED_FUNCTION) : given(value);
}

/** tls-unique (RFC 5929 section 3): the first Finished of a full handshake, which is the client's. Not in TLS 1.3. */
function uniqueBindings(socket: TLSSocket): Uint8Array | undefined {
  const finished = isTls13(socket) ? undefined : socket.getPeerFinished();
  return finished && encodeChannelBindings(Buffer.concat([Buffer.from('tls-unique:', 'ascii'), finished]));
}

function keyingMaterial({ socket, keyingMaterial: info }: EstablishedFacts): Answer<Uint8Array> {
  if (info === undefined) return failed(Status.SEC_E_INVALID_PARAMETER);
  const { length, label, context } = info;
  // Node's type wants a context, Node itself does not.
  return given(
    socket.exportKeyingMaterial(length, label, context === undefined ? (context as never) : Buffer.from(context)),
  );
}

function certificate(der: Uint8Array | undefined): Answer<Uint8Array> {
  return der === undefined ? failed(Status.SEC_E_NO_CREDENTIALS) : given(new Uint8Array(der));
}

const readers: Readers = {
  [Attribute.SECPKG_ATTR_SIZES]: ({ socket }) => {
    const { header, trailer, blockSize } = recordOverhead(socket);
    return given({
      maxToken: schannelPackageInfo.maxToken,
      maxSignature: 0,
      blockSize,
      securityTrailer: header + trailer,
    });
  },
  [Attribute.SECPKG_ATTR_STREAM_SIZES]: ({ socket }) => {
    const overhead = recordOverhead(socket);
    return given({ ...overhead, maximumMessage: TLS_MAX_PLAINTEXT_BYTES, buffers: 4 });
  },
  [Attribute.SECPKG_ATTR_NAMES]: ({ token }) => {
    if (token === undefined) return failed(Status.SEC_E_NO_CREDENTIALS);
    const { userName, domain } = token;
    return given(domain === undefined ? userName : `${domain}\\${userName}`);
  },
  [Attribute.SECPKG_ATTR_LIFESPAN]: ({ start, expiry }) => given({ start: new Date(start), expiry }),
  [Attribute.SECPKG_ATTR_PACKAGE_INFO]: () => given(schannelPackageInfo),
  [Attribute.SECPKG_ATTR_NEGOTIATION_INFO]: () =>
    given({ package: schannelPackageInfo, state: Attribute.SECPKG_NEGOTIATION_COMPLETE }),
  [Attribute.SECPKG_ATTR_FLAGS]: ({ attributes }) => given(attributes),
  [Attribute.SECPKG_ATTR_UNIQUE_BINDINGS]: ({ socket }) => bindings(uniqueBindings(socket)),
  [Attribute.SECPKG_ATTR_ENDPOINT_BINDINGS]: ({ socket }) => {
    const der = localCertificate(socket);
    return bindings(der && endPointBindings(der));
  },
  [Attribute.SECPKG_ATTR_APPLICATION_PROTOCOL]: ({ socket: { alpnProtocol } }) =>
    typeof alpnProtocol === 'string'
      ? given({
          status: Attribute.SecApplicationProtocolNegotiationStatus_Success,
          extension: Attribute.SecApplicationProtocolNegotiationExt_ALPN,
          protocol: alpnProtocol,
        })
      : given({
          status: Attribute.SecApplicationProtocolNegotiationStatus_None,
          extension: Attribute.SecApplicationProtocolNegotiationExt_None,
          protocol: '',
        }),
  [Attribute.SECPKG_ATTR_REMOTE_CERT_CONTEXT]: ({ socket }) => certificate(socket.getPeerX509Certificate()?.raw),
  [Attribute.SECPKG_ATTR_LOCAL_CERT_CONTEXT]: ({ socket }) => certificate(localCertificate(socket)),
  [Attribute.SECPKG_ATTR_CONNECTION_INFO]: ({ socket }) => given(connectionInfo(socket)),
  [Attribute.SECPKG_ATTR_SESSION_INFO]: ({ socket }) =>
    given({ resumed: socket.isSessionReused(), sessionId: new Uint8Array(0) }),
  [Attribute.SECPKG_ATTR_CIPHER_INFO]: ({ socket }) => {
    const suite = suiteOf(socket);
    return given({
      protocol: isTls13(socket) ? 0x0304 : 0x0303,
      cipherSuite: socket.getCipher().standardName,
      cipher: suite?.cipher ?? '',
      cipherLength: suite?.keyBits ?? 0,
      hash: suite?.hash ?? '',
      exchange: suite?.exchange ?? '',
    });
  },
  [Attribute.SECPKG_ATTR_KEYING_MATERIAL]: keyingMaterial,
};

/** Answers the query for one attribute; SEC_E_UNSUPPORTED_FUNCTION if Schannel does not have it. */
export function answerAttribute<A extends ContextAttribute>(
  facts: EstablishedFacts,
  attribute: A,
): Answer<ContextAttributeValues[A]> {
  if (!Object.hasOwn(readers, attribute)) return { status: Status.SEC_E_UNSUPPORTED_FUNCTION };
  const read = readers[attribute] as (facts: EstablishedFacts) => Answer<ContextAttributeValues[A]>;
  return read(facts);
}
