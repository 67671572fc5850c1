/** sspi-auth: Windows-integrated sign-on for every Node.js server. */
import type { DigestLogon } from './accounts/account-source.ts';
import type { awaitResult } from './http/expect-continue.ts';

export type {
  Account,
  AccountSource,
  DigestAccepted,
  DigestLogon,
  NtlmAccepted,
  NtlmLogon,
  Refused,
  ServerNames,
  Unavailable,
} from './accounts/account-source.ts';
/** Hash algorithm of Digest, as `algorithm` names it (RFC 7616). */
export type DigestAlgorithm = DigestLogon['algorithm'];
export { memoryAccounts } from './accounts/memory-accounts.ts';
export type { MemoryAccount } from './accounts/memory-accounts.ts';
export { smbpasswdFile } from './accounts/smbpasswd-file.ts';
export type { SmbpasswdFileOptions } from './accounts/smbpasswd-file.ts';
export type { AuditRecord, Logger } from './authenticator/audit.ts';
export type { UnansweredRecord } from './authenticator/unanswered/unanswered-record.ts';
export type { UnansweredCause } from './authenticator/unanswered/likely-causes.ts';
export type { ClientKind } from './http/request-fields.ts';
export type { ChallengedExchange } from './authenticator/challenge.ts';
export { Authenticator } from './authenticator/authenticator.ts';
export type { OfferedScheme } from './authenticator/offered-scheme.ts';
export { closing } from './authenticator/closing.ts';
export type { Close, CloseOptions } from './authenticator/closing.ts';
export { createAuthenticator } from './authenticator/create-authenticator.ts';
export type { Clock } from './foundation/clock.ts';
export { MalformedTokenError, OptionError, SspiAuthError } from './foundation/errors.ts';
export type { SspiAuthErrorCode } from './foundation/errors.ts';
export type { Secret } from './foundation/secret.ts';
export type { ConnectionSocket, Exchange } from './http/exchange.ts';
export { isPreflight } from './http/preflight.ts';
export type { PreflightRequest } from './http/preflight.ts';
export { awaitResult, holdContinue, holdFirstContinue } from './http/expect-continue.ts';
/** A `ServerResponse` whose client may wait for `100 Continue`: every ServerResponse is one. */
export type WaitingResponse = Parameters<typeof awaitResult>[1];
export { isStanding } from './http/outcome.ts';
export type {
  AnonymousOutcome,
  AuthenticatedOutcome,
  ChallengeOutcome,
  HeaderField,
  Outcome,
  RefusedOutcome,
  SignedInOutcome,
  StandingOutcome,
} from './http/outcome.ts';
export { endAndClose } from './http/request-body.ts';
export type { BodyLimits } from './http/request-body.ts';
export { mayProceed, refusalResponse, setFields, writeOutcome } from './http/response.ts';
export type { Refuser } from './http/response.ts';
export { holdRefusal } from './http/held-refusal.ts';
export type { HeldRefusal } from './http/held-refusal.ts';
export { RefusalError, refusalOf } from './http/refusal.ts';
export type { Refusal, RefusalResponse } from './http/refusal.ts';
export { refuseFramework } from './http/framework.ts';
export type { Framework } from './http/framework.ts';
export { requirement } from './authenticator/requirement.ts';
export type { Requirement } from './authenticator/requirement.ts';
export { signOut } from './authenticator/sign-out.ts';
export type { Revoke } from './authenticator/sign-out.ts';
export type { RevokedUser, SignedOut } from './authenticator/session-proof.ts';
export type { RequestFacts } from './authenticator/request-facts.ts';
export type { Authorize, RoutePolicy, Target } from './authenticator/user-policy.ts';
export type { OtherScheme, OtherSchemes, VerifyOtherScheme } from './authenticator/other-schemes.ts';
export type { Group, Identity, NameFormat } from './identity/identity.ts';
export type {
  AnswerRefusal,
  CredSspOptions,
  DigestOptions,
  Limits,
  ProviderName,
  SchemeName,
  SessionOptions,
  Settings,
  SspiAuthOptions,
} from './authenticator/options.ts';
export { kerberosKeys } from './packages/kerberos/keys/kerberos-keys.ts';
export type { KerberosKeys, KerberosKeysOptions } from './packages/kerberos/keys/kerberos-keys.ts';
export type { KeytabEntry, KeytabKey } from './packages/kerberos/keys/kerberos-keys.ts';
export { memoryStore } from './stores/memory-store.ts';
export type { MemoryStore, MemoryStoreOptions } from './stores/memory-store.ts';
export { clusterStore } from './stores/cluster-store.ts';
export { redisStore } from './stores/redis-store.ts';
export type { RedisStore, RedisStoreOptions } from './stores/redis-store.ts';
export type { IoRedisClient, NodeRedisClient, RedisClient } from './stores/redis-client.ts';
export type { SharedStore } from './stores/shared-store.ts';
export { recommendedServerOptions } from './http/recommended-server-options.ts';
export { inGroup } from './identity/in-group.ts';
export { describeSignIn } from './identity/described-sign-in.ts';
export { SecurityContextInfo } from './identity/security-context-info.ts';
export type { SecurityContextFacts } from './identity/security-context-info.ts';
