/** Reads TSCredentials and decides what becomes of them. */
import {
  CRED_TYPE_PASSWORD,
  CRED_TYPE_REMOTE_GUARD,
  CRED_TYPE_SMART_CARD,
  decodeTsCredentials,
  decodeTsPasswordCreds,
} from '../../formats/credssp/ts-credentials.ts';
import { reason } from '../../identity/reasons/reason.ts';
import type { PackageContext } from '../../sspi/security-package.ts';
import { SEC_E_LOGON_DENIED, SEC_E_UNKNOWN_CREDENTIALS } from '../../sspi/status.ts';
import { DelegatedSecret } from './delegated-secret.ts';
import { isSameAccount } from './same-account.ts';

/** What is done with credentials. */
interface Policy {
  /** Keep the password. */
  readonly keep: boolean;
  /** Accept that there are none. */
  readonly restrictedAdmin: boolean;
}

type ReadCredentials =
  | { readonly refused: string; readonly status: number }
  | { readonly refused?: undefined; readonly delegated: DelegatedSecret | undefined };

const kinds: Readonly<Record<number, string>> = {
  [CRED_TYPE_SMART_CARD]: 'of a smart card',
  [CRED_TYPE_REMOTE_GUARD]: 'of Remote Credential Guard',
};

/**
 * @param clear TSCredentials. The caller wipes it
 * @param context of Negotiate, which verified the client
 * @throws MalformedTokenError if it is malformed; the error has no part of it
 */
export function readCredentials(clear: Uint8Array, context: PackageContext, policy: Policy): ReadCredentials {
  const { credType, credentials } = decodeTsCredentials(clear);
  if (credType !== CRED_TYPE_PASSWORD) {
    const kind = kinds[credType] ?? `of type ${credType}`;
    return {
      refused: reason('credssp-no-password', { kind }),
      status: SEC_E_UNKNOWN_CREDENTIALS,
    };
  }
  const given = decodeTsPasswordCreds(credentials);
  const token = context.queryToken().value;
  if (token === undefined) return { refused: reason('credssp-no-account'), status: SEC_E_LOGON_DENIED };
  if (token.isAnonymous) return { refused: reason('anonymous-logon'), status: SEC_E_LOGON_DENIED };
  if (given.userName === '' && given.domain === '' && given.password.byteLength === 0) {
    return policy.restrictedAdmin
      ? { delegated: undefined }
      : { refused: reason('credssp-restricted-admin'), status: SEC_E_LOGON_DENIED };
  }
  if (!isSameAccount(given, token, context.claimedAccount)) {
    return { refused: reason('credssp-other-account'), status: SEC_E_LOGON_DENIED };
  }
  return { delegated: policy.keep ? new DelegatedSecret(given) : undefined };
}
