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
  ChallengeOutcome,
  Clock,
  ConnectionSocket,
  DigestAccepted,
  DigestLogon,
  DigestOptions,
  DigestSettings,
  Exchange,
  Group,
  HeaderField,
  Identity,
  KerberosOptions,
  Limits,
  Logger,
  MalformedTokenError,
  MemoryAccount,
  NtlmAccepted,
  NtlmLogon,
  OfferedScheme,
  OptionError,
  Outcome,
  PackageName,
  ProviderName,
  Refused,
  RefusedOutcome,
  SchemeName,
  SecurityContextFacts,
  SecurityContextInfo,
  Settings,
  SmbpasswdFileOptions,
  SspiAuthError,
  SspiAuthErrorCode,
  SspiAuthOptions,
  StandingOutcome,
  Unavailable,
  WaitingResponse,
} from 'sspi-auth';
import type {
  AcceptCall,
  AcceptReply,
  AcceptSecurityContextParameters,
  AcceptSecurityContextResult,
  AcquireCredentialsHandleParameters,
  AcquireCredentialsParameters,
  Answer,
  Clock as ContractClock,
  ContextAttribute,
  ContextAttributeValues,
  ContextHandle,
  ContextSizes,
  CredentialHandle,
  DelegatedCredentials,
  Diagnosis,
  Group as ContractGroup,
  NativeKind,
  PackageContext,
  PackageCredential,
  RandomSource,
  SecBuffer,
  SecurityContextToken,
  SecurityPackage,
  SecurityPackageInfo,
  StatusDescription,
} from 'sspi-auth/sspi';
import type { SspiAuthHandler } from 'sspi-auth/express';
import type { FastifySspiAuthOptions } from 'sspi-auth/fastify';
import type { AuthenticatedListener, AuthenticatedRequest, Protect } from 'sspi-auth/node';

/** `sspi-auth` */
export interface Main {
  account: Account;
  accountSource: AccountSource;
  anonymousOutcome: AnonymousOutcome;
  auditRecord: AuditRecord;
  authenticatedOutcome: AuthenticatedOutcome;
  authenticator: Authenticator<IncomingMessage>;
  bodyLimits: BodyLimits;
  challengeOutcome: ChallengeOutcome;
  clock: Clock;
  connectionSocket: ConnectionSocket;
  digestAccepted: DigestAccepted;
  digestLogon: DigestLogon;
  digestOptions: DigestOptions;
  digestSettings: DigestSettings;
  exchange: Exchange;
  group: Group;
  headerField: HeaderField;
  identity: Identity;
  kerberosOptions: KerberosOptions;
  limits: Limits;
  logger: Logger;
  malformedTokenError: MalformedTokenError;
  memoryAccount: MemoryAccount;
  ntlmAccepted: NtlmAccepted;
  ntlmLogon: NtlmLogon;
  offeredScheme: OfferedScheme;
  optionError: OptionError;
  outcome: Outcome;
  packageName: PackageName;
  providerName: ProviderName;
  refused: Refused;
  refusedOutcome: RefusedOutcome;
  schemeName: SchemeName;
  securityContextFacts: SecurityContextFacts;
  securityContextInfo: SecurityContextInfo;
  settings: Settings<IncomingMessage>;
  smbpasswdFileOptions: SmbpasswdFileOptions;
  sspiAuthError: SspiAuthError;
  sspiAuthErrorCode: SspiAuthErrorCode;
  sspiAuthOptions: SspiAuthOptions<IncomingMessage>;
  standingOutcome: StandingOutcome;
  unavailable: Unavailable;
  waitingResponse: WaitingResponse;
}

/** `sspi-auth/sspi` */
export interface Sspi {
  acceptCall: AcceptCall;
  acceptReply: AcceptReply;
  acceptSecurityContextParameters: AcceptSecurityContextParameters;
  acceptSecurityContextResult: AcceptSecurityContextResult;
  acquireCredentialsHandleParameters: AcquireCredentialsHandleParameters;
  acquireCredentialsParameters: AcquireCredentialsParameters;
  answer: Answer<string>;
  clock: ContractClock;
  contextAttribute: ContextAttribute;
  contextAttributeValues: ContextAttributeValues;
  contextHandle: ContextHandle;
  contextSizes: ContextSizes;
  credentialHandle: CredentialHandle;
  delegatedCredentials: DelegatedCredentials;
  diagnosis: Diagnosis;
  group: ContractGroup;
  nativeKind: NativeKind;
  packageContext: PackageContext;
  packageCredential: PackageCredential;
  randomSource: RandomSource;
  secBuffer: SecBuffer;
  securityContextToken: SecurityContextToken;
  securityPackage: SecurityPackage;
  securityPackageInfo: SecurityPackageInfo;
  statusDescription: StatusDescription;
}

/** `sspi-auth/express` */
export interface Express {
  sspiAuthHandler: SspiAuthHandler;
}

/** `sspi-auth/fastify` */
export interface Fastify {
  fastifySspiAuthOptions: FastifySspiAuthOptions;
}

/** `sspi-auth/node` */
export interface Node {
  authenticatedListener: AuthenticatedListener;
  authenticatedRequest: AuthenticatedRequest;
  protect: Protect;
}
