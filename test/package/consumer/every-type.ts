/**
 * A consumer in TypeScript that names every public type, as a user might who writes one of them into a signature of his own.
 * test/package/public-type-suite.ts compiles it against the packed tarball, and holds its imports against what is exported.
 */
import type { IncomingMessage } from 'node:http';
import type {
  Account,
  AccountSource,
  AnonymousOutcome,
  AuditRecord,
  AuthenticatedOutcome,
  Authenticator,
  BodyLimits,
  ChallengedExchange,
  ChallengeOutcome,
  ClientKind,
  Clock,
  ConnectionSocket,
  CredSspOptions,
  DigestAccepted,
  DigestAlgorithm,
  DigestLogon,
  DigestOptions,
  Exchange,
  Group,
  HeaderField,
  Identity,
  IoRedisClient,
  Limits,
  Logger,
  MalformedTokenError,
  MemoryAccount,
  MemoryStore,
  MemoryStoreOptions,
  NodeRedisClient,
  NtlmAccepted,
  NtlmLogon,
  OfferedScheme,
  OptionError,
  Outcome,
  PreflightRequest,
  ProviderName,
  RedisClient,
  RedisStore,
  RedisStoreOptions,
  RefusalResponse,
  Refused,
  RefusedOutcome,
  SchemeName,
  Secret,
  SecurityContextFacts,
  SecurityContextInfo,
  ServerNames,
  Settings,
  SharedStore,
  SignedInOutcome,
  SmbpasswdFileOptions,
  SspiAuthError,
  SspiAuthErrorCode,
  SspiAuthOptions,
  StandingOutcome,
  Unavailable,
  UnansweredCause,
  UnansweredRecord,
  WaitingResponse,
  AnswerRefusal,
  Close,
  CloseOptions,
  Framework,
  HeldRefusal,
  NameFormat,
  OtherScheme,
  Refusal,
  RefusalError,
  Refuser,
  Requirement,
  RoutePolicy,
  VerifyOtherScheme,
  RequestFacts,
  OtherSchemes,
  Authorize,
  Target,
  KerberosKeys,
  KerberosKeysOptions,
  KeytabEntry,
  KeytabKey,
  Revoke,
  RevokedUser,
  SessionOptions,
  SignedOut,
} from 'sspi-auth';
import type {
  AcceptCall,
  AcceptReply,
  AcceptSecurityContextParameters,
  AcceptSecurityContextResult,
  AcquireCredentialsHandleParameters,
  AcquireCredentialsParameters,
  AcquireParameters,
  Answer,
  AuthDataByPackage,
  Clock as ContractClock,
  ContextAttribute,
  ContextAttributeValues,
  ContextHandle,
  ContextSizes,
  CredentialHandle,
  DelegatedCredentials,
  MechanismMismatch,
  Diagnosis,
  DigestAuthData,
  Group as ContractGroup,
  KerberosAuthData,
  NativeKind,
  NegotiateAuthData,
  NegotiateInnerPackage,
  NtlmAuthData,
  PackageContext,
  PackageCredential,
  RandomSource,
  SecBuffer,
  Secur32AuthData,
  Secur32CredSspAuthData,
  Secur32SchannelAuthData,
  SecurityContextToken,
  SecurityPackage,
  SecurityPackageInfo,
  ThrownFailure,
  StatusDescription,
  ApplicationProtocol,
  CipherInfo,
  ConnectionInfo,
  KeyingMaterialInfo,
  MessageAnswer,
  SessionInfo,
  SettableContextAttribute,
  SettableContextAttributeValues,
  StreamSizes,
  CertificateNames,
  ClientCertificate,
  MapCertificate,
  SchannelAuthData,
  ClaimedAccount,
  CredSspAuthData,
  DelegatedPassword,
  DelegatedTicket,
} from 'sspi-auth/sspi';
import type { ExpressContext, ExpressSspiAuthOptions, SspiAuthHandler } from 'sspi-auth/express';
import type { FastifyContext, FastifyRouteHook, FastifySspiAuth, FastifySspiAuthOptions } from 'sspi-auth/fastify';
import type { HonoAuthenticator, HonoSspiAuthOptions, SspiAuthMiddleware as HonoMiddleware } from 'sspi-auth/hono';
import type {
  KoaAuthenticator,
  KoaSspiAuthOptions,
  SspiAuthContext,
  SspiAuthMiddleware as KoaMiddleware,
  SspiAuthState,
} from 'sspi-auth/koa';
import type {
  AuthenticatedListener,
  AuthenticatedRequest,
  NodeContext,
  NodeSspiAuthOptions,
  Protect,
} from 'sspi-auth/node';
import type { PassportSspiAuthOptions, Strategy } from 'sspi-auth/passport';
import type { TestAuth, TestAuthOptions, TestUser } from 'sspi-auth/testing';
import type { WinrmEncryption, WinrmEncryptionOptions } from 'sspi-auth/winrm';

/** `sspi-auth` */
export interface Main {
  account: Account;
  accountSource: AccountSource;
  anonymousOutcome: AnonymousOutcome;
  auditRecord: AuditRecord;
  authenticatedOutcome: AuthenticatedOutcome;
  authenticator: Authenticator<IncomingMessage>;
  bodyLimits: BodyLimits;
  challengedExchange: ChallengedExchange;
  challengeOutcome: ChallengeOutcome;
  clientKind: ClientKind;
  clock: Clock;
  connectionSocket: ConnectionSocket;
  credSspOptions: CredSspOptions;
  digestAccepted: DigestAccepted;
  digestAlgorithm: DigestAlgorithm;
  digestLogon: DigestLogon;
  digestOptions: DigestOptions;
  exchange: Exchange;
  group: Group;
  headerField: HeaderField;
  identity: Identity;
  ioRedisClient: IoRedisClient;
  limits: Limits;
  logger: Logger;
  malformedTokenError: MalformedTokenError;
  memoryAccount: MemoryAccount;
  memoryStore: MemoryStore;
  memoryStoreOptions: MemoryStoreOptions;
  nodeRedisClient: NodeRedisClient;
  ntlmAccepted: NtlmAccepted;
  ntlmLogon: NtlmLogon;
  offeredScheme: OfferedScheme;
  optionError: OptionError;
  outcome: Outcome;
  preflightRequest: PreflightRequest;
  providerName: ProviderName;
  redisClient: RedisClient;
  redisStore: RedisStore;
  redisStoreOptions: RedisStoreOptions;
  refusalResponse: RefusalResponse;
  refused: Refused;
  refusedOutcome: RefusedOutcome;
  schemeName: SchemeName;
  secret: Secret;
  securityContextFacts: SecurityContextFacts;
  securityContextInfo: SecurityContextInfo;
  serverNames: ServerNames;
  settings: Settings<IncomingMessage>;
  sharedStore: SharedStore;
  signedInOutcome: SignedInOutcome;
  smbpasswdFileOptions: SmbpasswdFileOptions;
  sspiAuthError: SspiAuthError;
  sspiAuthErrorCode: SspiAuthErrorCode;
  sspiAuthOptions: SspiAuthOptions<IncomingMessage>;
  standingOutcome: StandingOutcome;
  unavailable: Unavailable;
  unansweredCause: UnansweredCause;
  unansweredRecord: UnansweredRecord;
  waitingResponse: WaitingResponse;
  answerRefusal: AnswerRefusal<readonly [request: IncomingMessage]>;
  close: Close;
  closeOptions: CloseOptions;
  framework: Framework;
  heldRefusal: HeldRefusal;
  nameFormat: NameFormat;
  otherScheme: OtherScheme<IncomingMessage>;
  refusal: Refusal;
  refusalError: RefusalError;
  refuser: Refuser;
  requirement: Requirement<IncomingMessage, never>;
  routePolicy: RoutePolicy<IncomingMessage>;
  verifyOtherScheme: VerifyOtherScheme<IncomingMessage>;
  requestFacts: RequestFacts;
  otherSchemes: OtherSchemes<IncomingMessage>;
  authorize: Authorize<IncomingMessage>;
  target: Target<IncomingMessage>;
  kerberosKeys: KerberosKeys;
  kerberosKeysOptions: KerberosKeysOptions;
  keytabEntry: KeytabEntry;
  keytabKey: KeytabKey;
  revoke: Revoke;
  revokedUser: RevokedUser;
  sessionOptions: SessionOptions;
  signedOut: SignedOut;
}

/** `sspi-auth/sspi` */
export interface Sspi {
  acceptCall: AcceptCall;
  acceptReply: AcceptReply;
  acceptSecurityContextParameters: AcceptSecurityContextParameters;
  acceptSecurityContextResult: AcceptSecurityContextResult;
  acquireCredentialsHandleParameters: AcquireCredentialsHandleParameters;
  acquireCredentialsParameters: AcquireCredentialsParameters;
  acquireParameters: AcquireParameters<'NTLM'>;
  answer: Answer<string>;
  authDataByPackage: AuthDataByPackage;
  clock: ContractClock;
  contextAttribute: ContextAttribute;
  contextAttributeValues: ContextAttributeValues;
  contextHandle: ContextHandle;
  contextSizes: ContextSizes;
  credentialHandle: CredentialHandle;
  delegatedCredentials: DelegatedCredentials;
  mechanismMismatch: MechanismMismatch;
  diagnosis: Diagnosis;
  digestAuthData: DigestAuthData;
  group: ContractGroup;
  kerberosAuthData: KerberosAuthData;
  nativeKind: NativeKind;
  negotiateAuthData: NegotiateAuthData;
  negotiateInnerPackage: NegotiateInnerPackage;
  ntlmAuthData: NtlmAuthData;
  packageContext: PackageContext;
  packageCredential: PackageCredential;
  randomSource: RandomSource;
  secBuffer: SecBuffer;
  secur32AuthData: Secur32AuthData;
  secur32CredSspAuthData: Secur32CredSspAuthData;
  secur32SchannelAuthData: Secur32SchannelAuthData;
  securityContextToken: SecurityContextToken;
  securityPackage: SecurityPackage;
  securityPackageInfo: SecurityPackageInfo;
  thrownFailure: ThrownFailure;
  statusDescription: StatusDescription;
  schannelAuthData: SchannelAuthData;
  mapCertificate: MapCertificate;
  clientCertificate: ClientCertificate;
  certificateNames: CertificateNames;
  claimedAccount: ClaimedAccount;
  credSspAuthData: CredSspAuthData;
  delegatedPassword: DelegatedPassword;
  delegatedTicket: DelegatedTicket;
  streamSizes: StreamSizes;
  settableContextAttributeValues: SettableContextAttributeValues;
  settableContextAttribute: SettableContextAttribute;
  sessionInfo: SessionInfo;
  messageAnswer: MessageAnswer;
  keyingMaterialInfo: KeyingMaterialInfo;
  connectionInfo: ConnectionInfo;
  cipherInfo: CipherInfo;
  applicationProtocol: ApplicationProtocol;
}

/** `sspi-auth/express` */
export interface Express {
  expressContext: ExpressContext;
  expressSspiAuthOptions: ExpressSspiAuthOptions;
  sspiAuthHandler: SspiAuthHandler;
}

/** `sspi-auth/fastify` */
export interface Fastify {
  fastifyContext: FastifyContext;
  fastifyRouteHook: FastifyRouteHook;
  fastifySspiAuth: FastifySspiAuth;
  fastifySspiAuthOptions: FastifySspiAuthOptions;
}

/** `sspi-auth/hono` */
export interface Hono {
  honoAuthenticator: HonoAuthenticator;
  honoSspiAuthOptions: HonoSspiAuthOptions;
  honoMiddleware: HonoMiddleware;
}

/** `sspi-auth/koa` */
export interface Koa {
  koaAuthenticator: KoaAuthenticator;
  koaSspiAuthOptions: KoaSspiAuthOptions;
  sspiAuthContext: SspiAuthContext;
  koaMiddleware: KoaMiddleware;
  sspiAuthState: SspiAuthState;
}

/** `sspi-auth/passport` */
export interface Passport {
  passportSspiAuthOptions: PassportSspiAuthOptions;
  strategy: Strategy;
}

/** `sspi-auth/node` */
export interface Node {
  nodeContext: NodeContext;
  nodeSspiAuthOptions: NodeSspiAuthOptions;
  authenticatedListener: AuthenticatedListener;
  authenticatedRequest: AuthenticatedRequest;
  protect: Protect;
}

/** `sspi-auth/testing` */
export interface Testing {
  testAuth: TestAuth;
  testAuthOptions: TestAuthOptions;
  testUser: TestUser;
}

/** `sspi-auth/winrm` */
export interface Winrm {
  winrmEncryption: WinrmEncryption;
  winrmEncryptionOptions: WinrmEncryptionOptions;
}
