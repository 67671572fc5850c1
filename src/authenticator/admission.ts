/** Policy after the last leg: not every established context belongs to a user who is admitted. */
import type { AuditReason } from './audit.ts';
import type { AcceptedResult } from './verification.ts';
import type { OfferedScheme } from './offered-scheme.ts';
import { namesTarget } from '../formats/kerberos/service-principal-name.ts';
import { identityOf } from '../identity/identity.ts';
import type { Identity, NameFormat } from '../identity/identity.ts';
import type { SecurityContextFacts } from '../identity/security-context-info.ts';
import {
  ASC_RET_NULL_SESSION,
  queryContextAttributes,
  querySecurityContextToken,
  SECPKG_ATTR_CLIENT_SPECIFIED_TARGET,
  SECPKG_ATTR_NEGOTIATION_INFO,
} from '../sspi/index.ts';
import type { ContextHandle } from '../sspi/index.ts';

/** The user who is admitted, with the facts of the context, or the reason for a refusal. */
export type Admission =
  | {
      readonly type: 'admitted';
      readonly user: Identity;
      readonly facts: SecurityContextFacts;
      /** What the application sees of the user, if it has added to it. */
      readonly shown?: Identity;
    }
  | {
      readonly type: 'refused';
      readonly reason: AuditReason;
      /** What was thrown, if the account of the context could not be read. */
      readonly error?: unknown;
    };

/**
 * Checks an established context: which package ran (attack G11), what its attributes are (G08), whose it is (C20, C22).
 * The context still belongs to the caller. Never throws: if a package returns an invalid token, the client is refused.
 */
export function admit(
  scheme: OfferedScheme,
  result: AcceptedResult,
  nameFormat: NameFormat = 'DOMAIN\\user',
): Admission {
  try {
    return examine(scheme, result, nameFormat);
  } catch (error) {
    return { type: 'refused', reason: 'internal-error', error };
  }
}

function examine(scheme: OfferedScheme, result: AcceptedResult, nameFormat: NameFormat): Admission {
  const { context, attributes, expiry, channelBound } = result;
  const ran = queryContextAttributes(context, SECPKG_ATTR_NEGOTIATION_INFO).value?.package.name;
  if (ran === undefined || scheme.packages?.includes(ran) === false) {
    return { type: 'refused', reason: 'package-not-allowed' };
  }
  if (!isAllowedTarget(scheme, context)) return { type: 'refused', reason: 'target-not-allowed' };
  const required = scheme.requiredAttributes ?? 0;
  const missing = (attributes & required) >>> 0 !== required >>> 0;
  if (missing || (attributes & ASC_RET_NULL_SESSION) !== 0) return { type: 'refused', reason: 'attributes-missing' };
  const token = querySecurityContextToken(context).value;
  const user = token === undefined ? undefined : identityOf(token, ran, nameFormat);
  if (user === undefined) return { type: 'refused', reason: 'account-refused' };
  const facts = { scheme: scheme.name, package: ran, provider: scheme.provider, attributes, channelBound, expiry };
  return { type: 'admitted', user, facts };
}

/**
 * Whether the client asked for one of the allowed services. False if it named no target, or if the package cannot tell.
 */
function isAllowedTarget({ servicePrincipalNames }: OfferedScheme, context: ContextHandle): boolean {
  if (servicePrincipalNames === undefined) return true;
  const target = queryContextAttributes(context, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET).value;
  return target !== undefined && servicePrincipalNames.some((name) => namesTarget(name, target));
}
