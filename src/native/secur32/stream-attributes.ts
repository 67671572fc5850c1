/** The attributes that only a stream of TLS has: Schannel and CREDSSP. */
import * as Attribute from '../../sspi/attributes.ts';
import type { AttributeMemory, AttributeReaders } from './attribute-memory.ts';
import { layouts } from './declarations.ts';
import { countCertificates, nativeBytes, readPointer } from './native-handles.ts';
import { SSL_SESSION_RECONNECT } from './tls-structures.ts';

/** WCHAR[64]. */
const TEXT_BYTES = 128;
/** More than any certificate has. */
const MAX_CERTIFICATE_BYTES = 1024 * 1024;

/** Text of an array of UTF-16 units, to its NUL. */
function arrayText({ memory }: AttributeMemory, offset: number): string {
  const [text = ''] = memory.toString('utf16le', offset, offset + TEXT_BYTES).split('\0');
  return text;
}

/** The SEC_CHANNEL_BINDINGS that the structure points to. */
function bindings(memory: AttributeMemory): Uint8Array | undefined {
  const { BindingsLength, Bindings } = layouts.SecPkgContext_Bindings.offsets;
  const value = memory.bytes(Bindings, memory.u32(BindingsLength));
  return value.byteLength === 0 ? undefined : value;
}

/** DER of the PCCERT_CONTEXT that the library gave. It is given back. */
function certificate({ memory, library }: AttributeMemory): Uint8Array | undefined {
  const address = readPointer(memory, 0);
  const functions = library.certificates?.();
  if (address === 0n || functions === undefined) return undefined;
  countCertificates(1);
  try {
    const { size, offsets } = layouts.CERT_CONTEXT;
    const context = Buffer.from(nativeBytes(address, size));
    const encoded = readPointer(context, offsets.pbCertEncoded);
    const length = context.readUInt32LE(offsets.cbCertEncoded);
    return encoded === 0n || length === 0 || length > MAX_CERTIFICATE_BYTES ? undefined : nativeBytes(encoded, length);
  } finally {
    functions.CertFreeCertificateContext(address);
    countCertificates(-1);
  }
}

export const streamAttributeReaders: AttributeReaders = {
  [Attribute.SECPKG_ATTR_STREAM_SIZES]: (memory) => {
    const { offsets } = layouts.SecPkgContext_StreamSizes;
    return Object.freeze({
      header: memory.u32(offsets.cbHeader),
      trailer: memory.u32(offsets.cbTrailer),
      maximumMessage: memory.u32(offsets.cbMaximumMessage),
      buffers: memory.u32(offsets.cBuffers),
      blockSize: memory.u32(offsets.cbBlockSize),
    });
  },
  [Attribute.SECPKG_ATTR_UNIQUE_BINDINGS]: bindings,
  [Attribute.SECPKG_ATTR_ENDPOINT_BINDINGS]: bindings,
  [Attribute.SECPKG_ATTR_APPLICATION_PROTOCOL]: (memory) => {
    const { offsets } = layouts.SecPkgContext_ApplicationProtocol;
    const start = offsets.ProtocolId;
    return {
      status: memory.u32(offsets.ProtoNegoStatus),
      extension: memory.u32(offsets.ProtoNegoExt),
      protocol: memory.memory.toString('latin1', start, start + memory.memory.readUInt8(offsets.ProtocolIdSize)),
    };
  },
  [Attribute.SECPKG_ATTR_REMOTE_CERT_CONTEXT]: certificate,
  [Attribute.SECPKG_ATTR_LOCAL_CERT_CONTEXT]: certificate,
  [Attribute.SECPKG_ATTR_CONNECTION_INFO]: (memory) => {
    const { offsets } = layouts.SecPkgContext_ConnectionInfo;
    return {
      protocol: memory.u32(offsets.dwProtocol),
      cipher: memory.u32(offsets.aiCipher),
      cipherStrength: memory.u32(offsets.dwCipherStrength),
      hash: memory.u32(offsets.aiHash),
      hashStrength: memory.u32(offsets.dwHashStrength),
      exchange: memory.u32(offsets.aiExch),
      exchangeStrength: memory.u32(offsets.dwExchStrength),
    };
  },
  [Attribute.SECPKG_ATTR_SESSION_INFO]: (memory) => {
    const { offsets } = layouts.SecPkgContext_SessionInfo;
    const start = offsets.rgbSessionId;
    const length = memory.u32(offsets.cbSessionId);
    if (length > 32) return undefined;
    return {
      resumed: (memory.u32(offsets.dwFlags) & SSL_SESSION_RECONNECT) !== 0,
      sessionId: Uint8Array.from(memory.memory.subarray(start, start + length)),
    };
  },
  [Attribute.SECPKG_ATTR_CIPHER_INFO]: (memory) => {
    const { offsets } = layouts.SecPkgContext_CipherInfo;
    return {
      protocol: memory.u32(offsets.dwProtocol),
      cipherSuite: arrayText(memory, offsets.szCipherSuite),
      cipher: arrayText(memory, offsets.szCipher),
      cipherLength: memory.u32(offsets.dwCipherLen),
      hash: arrayText(memory, offsets.szHash),
      exchange: arrayText(memory, offsets.szExchange),
    };
  },
};
