/** The structures of schannel.h, credssp.h and wincrypt.h, and those of sspi.h that only a stream of TLS has. */

/** Type of a field; see declarations.ts. */
export const tlsStructures = {
  CRYPT_DATA_BLOB: { cbData: 'u32', pbData: 'pointer' },
  CERT_CONTEXT: {
    dwCertEncodingType: 'u32',
    pbCertEncoded: 'pointer',
    cbCertEncoded: 'u32',
    pCertInfo: 'pointer',
    hCertStore: 'pointer',
  },
  CRYPT_KEY_PROV_INFO: {
    pwszContainerName: 'pointer',
    pwszProvName: 'pointer',
    dwProvType: 'u32',
    dwFlags: 'u32',
    cProvParam: 'u32',
    rgProvParam: 'pointer',
    dwKeySpec: 'u32',
  },
  SCHANNEL_CRED: {
    dwVersion: 'u32',
    cCreds: 'u32',
    paCred: 'pointer',
    hRootStore: 'pointer',
    cMappers: 'u32',
    aphMappers: 'pointer',
    cSupportedAlgs: 'u32',
    palgSupportedAlgs: 'pointer',
    grbitEnabledProtocols: 'u32',
    dwMinimumCipherStrength: 'u32',
    dwMaximumCipherStrength: 'u32',
    dwSessionLifespan: 'u32',
    dwFlags: 'u32',
    dwCredFormat: 'u32',
  },
  SCH_CREDENTIALS: {
    dwVersion: 'u32',
    dwCredFormat: 'u32',
    cCreds: 'u32',
    paCred: 'pointer',
    hRootStore: 'pointer',
    cMappers: 'u32',
    aphMappers: 'pointer',
    dwSessionLifespan: 'u32',
    dwFlags: 'u32',
    cTlsParameters: 'u32',
    pTlsParameters: 'pointer',
  },
  TLS_PARAMETERS: {
    cAlpnIds: 'u32',
    rgstrAlpnIds: 'pointer',
    grbitDisabledProtocols: 'u32',
    cDisabledCrypto: 'u32',
    pDisabledCrypto: 'pointer',
    dwFlags: 'u32',
  },
  CREDSSP_CRED: { Type: 'u32', pSchannelCred: 'pointer', pSpnegoCred: 'pointer' },
  SecPkgContext_StreamSizes: {
    cbHeader: 'u32',
    cbTrailer: 'u32',
    cbMaximumMessage: 'u32',
    cBuffers: 'u32',
    cbBlockSize: 'u32',
  },
  SecPkgContext_Bindings: { BindingsLength: 'u32', Bindings: 'pointer' },
  SecPkgContext_ConnectionInfo: {
    dwProtocol: 'u32',
    aiCipher: 'u32',
    dwCipherStrength: 'u32',
    aiHash: 'u32',
    dwHashStrength: 'u32',
    aiExch: 'u32',
    dwExchStrength: 'u32',
  },
  SecPkgContext_CipherInfo: {
    dwVersion: 'u32',
    dwProtocol: 'u32',
    dwCipherSuite: 'u32',
    dwBaseCipherSuite: 'u32',
    szCipherSuite: 'text64',
    szCipher: 'text64',
    dwCipherLen: 'u32',
    dwCipherBlockLen: 'u32',
    szHash: 'text64',
    dwHashLen: 'u32',
    szExchange: 'text64',
    dwMinExchangeLen: 'u32',
    dwMaxExchangeLen: 'u32',
    szCertificate: 'text64',
    dwKeyType: 'u32',
  },
  SecPkgContext_ApplicationProtocol: {
    ProtoNegoStatus: 'u32',
    ProtoNegoExt: 'u32',
    ProtocolIdSize: 'u8',
    ProtocolId: 'bytes255',
  },
  SecPkgContext_SessionInfo: { dwFlags: 'u32', cbSessionId: 'u32', rgbSessionId: 'bytes32' },
} as const;

/** dwVersion of SCHANNEL_CRED, which knows versions of TLS up to 1.2. */
export const SCHANNEL_CRED_VERSION = 4;
/** dwVersion of SCH_CREDENTIALS: Windows 10 1809, Windows Server 2019 and newer. */
export const SCH_CREDENTIALS_VERSION = 5;
/** Client certificates are not mapped to accounts of Windows. */
export const SCH_CRED_NO_SYSTEM_MAPPER = 0x00000002;
/** No session is resumed. */
export const SCH_CRED_DISABLE_RECONNECTS = 0x00000080;
export const SCH_USE_STRONG_CRYPTO = 0x00400000;
/** CREDSPP_SUBMIT_TYPE: a user name and a password. */
export const CREDSSP_PASSWORD_CREDS = 2;
/** dwFlags of SecPkgContext_SessionInfo: the handshake resumed a session. */
export const SSL_SESSION_RECONNECT = 1;
