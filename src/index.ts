/** sspi-auth: Windows-integrated sign-on for every Node.js server. */
export type {
  Account,
  AccountSource,
  DigestAccepted,
  DigestLogon,
  NtlmAccepted,
  NtlmLogon,
  Refused,
  Unavailable,
} from './accounts/account-source.ts';
export { memoryAccounts } from './accounts/memory-accounts.ts';
export type { MemoryAccount } from './accounts/memory-accounts.ts';
export { smbpasswdFile } from './accounts/smbpasswd-file.ts';
export type { AuditRecord, Logger } from './authenticator/audit.ts';
export { Authenticator } from './authenticator/authenticator.ts';
export { createAuthenticator } from './authenticator/create-authenticator.ts';
export { MalformedTokenError, OptionError, SspiAuthError } from './foundation/errors.ts';
export type { SspiAuthErrorCode } from './foundation/errors.ts';
export type { Exchange } from './http/exchange.ts';
export { awaitResult, holdContinue, holdFirstContinue } from './http/expect-continue.ts';
export { isStanding } from './http/outcome.ts';
export type {
  AnonymousOutcome,
  AuthenticatedOutcome,
  ChallengeOutcome,
  HeaderField,
  Outcome,
  RefusedOutcome,
  StandingOutcome,
} from './http/outcome.ts';
export { endAndClose } from './http/request-body.ts';
export type { BodyLimits } from './http/request-body.ts';
export { mayProceed, refusalResponse, writeOutcome } from './http/response.ts';
export type { RefusalResponse } from './http/response.ts';
export type { Group, Identity } from './identity/identity.ts';
export type { DigestOptions, Limits, ProviderName, SchemeName, SspiAuthOptions } from './authenticator/options.ts';
export { recommendedServerOptions } from './http/recommended-server-options.ts';
export { inGroup } from './identity/in-group.ts';
export { SecurityContextInfo } from './identity/security-context-info.ts';
export type { SecurityContextFacts } from './identity/security-context-info.ts';
