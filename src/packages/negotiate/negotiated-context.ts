/** What all Negotiate contexts have in common: they pass calls on to the context of the inner package. */
import { SECPKG_ATTR_NEGOTIATION_INFO, SECPKG_NEGOTIATION_COMPLETE } from '../../sspi/index.ts';
import type {
  AcceptCall,
  AcceptReply,
  Answer,
  ClaimedAccount,
  ContextAttribute,
  ContextAttributeValues,
  DelegatedCredentials,
  MessageAnswer,
  PackageContext,
  SecBuffer,
  SecurityContextToken,
} from '../../sspi/index.ts';
import {
  keepsContext,
  SEC_E_INTERNAL_ERROR,
  SEC_E_NO_CONTEXT,
  SEC_E_OK,
  SEC_E_UNSUPPORTED_FUNCTION,
  SEC_I_CONTINUE_NEEDED,
} from '../../sspi/status.ts';
import type { InnerCredential } from './auth-data.ts';

/** Continues with an answer: at once, or when its promise resolves. A synchronous answer stays synchronous. */
export function whenAnswered<T, R>(answer: T | Promise<T>, next: (value: T) => R): R | Promise<R> {
  return answer instanceof Promise ? answer.then(next) : next(answer);
}

/**
 * The status of an inner package. In Kerberos and NTLM only SEC_E_OK and SEC_I_CONTINUE_NEEDED keep a context. Any
 * other status that would keep one, such as SEC_I_COMPLETE_NEEDED, becomes SEC_E_INTERNAL_ERROR (attack G07).
 */
export function innerStatus(reply: AcceptReply): number {
  const status = reply.status >>> 0;
  if (status === SEC_E_OK || status === SEC_I_CONTINUE_NEEDED) return status;
  return keepsContext(status) ? SEC_E_INTERNAL_ERROR : status;
}

const unsupported = Object.freeze({ status: SEC_E_UNSUPPORTED_FUNCTION });

/** Passes every query on to the inner context. Deleting this context deletes the inner one. */
export abstract class NegotiatedContext implements PackageContext {
  /** The package that runs. */
  protected readonly running: InnerCredential;
  /** Undefined until the inner package has made one. */
  protected inner: PackageContext | undefined;

  constructor(running: InnerCredential, inner?: PackageContext) {
    this.running = running;
    this.inner = inner;
  }

  abstract accept(call: AcceptCall): AcceptReply | Promise<AcceptReply>;

  /** NEGOTIATION_INFO names the package that really ran (attack G11). That package answers for all other attributes. */
  queryAttribute<A extends ContextAttribute>(attribute: A): Answer<ContextAttributeValues[A]> {
    if (attribute === SECPKG_ATTR_NEGOTIATION_INFO) {
      const value: ContextAttributeValues[typeof SECPKG_ATTR_NEGOTIATION_INFO] = {
        package: this.running.package.info,
        state: SECPKG_NEGOTIATION_COMPLETE,
      };
      return { status: SEC_E_OK, value: value as ContextAttributeValues[A] };
    }
    return this.inner?.queryAttribute(attribute) ?? { status: SEC_E_NO_CONTEXT };
  }

  queryToken(): Answer<SecurityContextToken> {
    return this.inner?.queryToken() ?? { status: SEC_E_NO_CONTEXT };
  }

  impersonate(): number {
    return this.inner?.impersonate?.() ?? SEC_E_UNSUPPORTED_FUNCTION;
  }

  revert(): number {
    return this.inner?.revert?.() ?? SEC_E_UNSUPPORTED_FUNCTION;
  }

  get keepAfterHandshake(): boolean {
    return this.inner?.keepAfterHandshake === true;
  }

  get heldBytes(): number | undefined {
    return this.inner === undefined ? 0 : this.inner.heldBytes;
  }

  get delegatedCredentials(): DelegatedCredentials | undefined {
    return this.inner?.delegatedCredentials;
  }

  get claimedAccount(): ClaimedAccount | undefined {
    return this.inner?.claimedAccount;
  }

  makeSignature(message: readonly SecBuffer[], sequence: number | undefined): Answer<readonly SecBuffer[]> {
    return this.inner?.makeSignature?.(message, sequence) ?? unsupported;
  }

  verifySignature(message: readonly SecBuffer[], sequence: number | undefined): Answer<number> {
    return this.inner?.verifySignature?.(message, sequence) ?? unsupported;
  }

  encryptMessage(message: readonly SecBuffer[], sequence: number | undefined): MessageAnswer | Promise<MessageAnswer> {
    return this.inner?.encryptMessage?.(message, sequence) ?? unsupported;
  }

  decryptMessage(message: readonly SecBuffer[], sequence: number | undefined): MessageAnswer | Promise<MessageAnswer> {
    return this.inner?.decryptMessage?.(message, sequence) ?? unsupported;
  }

  delete(): void {
    const { inner } = this;
    this.inner = undefined;
    inner?.delete();
  }
}
