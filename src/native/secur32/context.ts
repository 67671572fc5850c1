/**
 * A security context of the native library: AcceptSecurityContext, CompleteAuthToken and the functions of a context.
 */
import { reason } from '../../identity/reasons/reason.ts';
import {
  SECPKG_ATTR_CLIENT_SPECIFIED_TARGET,
  SECPKG_ATTR_NEGOTIATION_INFO,
  SECPKG_NEGOTIATION_COMPLETE,
} from '../../sspi/attributes.ts';
import type { ContextAttribute, ContextAttributeValues } from '../../sspi/attributes.ts';
import type { SecBuffer } from '../../sspi/buffers.ts';
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';
import type { AcceptCall, AcceptReply, Answer, PackageContext } from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import {
  acceptLeg,
  bytesOf,
  failure,
  failureStatus,
  leavesContext,
  readTokens,
  refusalDiagnosis,
} from './accept-leg.ts';
import type { ContextOwner, Leg } from './accept-leg.ts';
import { checkBindings } from './channel-binding-check.ts';
import { queryContextAttribute } from './context-attributes.ts';
import { impersonate } from './impersonation.ts';
import { MessageProtection } from './message-protection.ts';
import { isHandle, NativeHandle } from './native-handles.ts';
import type { Provider } from './provider.ts';
import { giveBackCallMemory, takeCallMemory } from './security-buffers.ts';
import type { CallMemory } from './security-buffers.ts';
import { dateOfTimeStamp } from './time-stamp.ts';
import { contextIdentity } from './token-identity.ts';

/** A native security context. */
export class Secur32Context implements PackageContext {
  readonly #owner: ContextOwner;
  readonly #provider: Provider;
  readonly #handle: NativeHandle;
  readonly #protection: MessageProtection;
  #attributes = 0;
  #expiry: Date | undefined;
  #identity: Answer<SecurityContextToken> = { status: Status.SEC_E_INVALID_HANDLE };
  /** The leg that was run last, and what the library said of its channel bindings. */
  #leg: Leg | undefined;
  #target: string | undefined;
  #continues = false;

  private constructor(owner: ContextOwner, handle: NativeHandle) {
    this.#owner = owner;
    this.#provider = owner.provider;
    this.#handle = handle;
    this.#protection = new MessageProtection(owner.provider.library, handle);
    owner.credential.retain();
  }

  /** Runs the first leg. The context is in the reply unless the status is a failure. */
  static begin(owner: ContextOwner, call: AcceptCall): Promise<AcceptReply> {
    const { library } = owner.provider;
    return acceptLeg(owner, undefined, call, (memory, leg) => {
      const { status } = leg;
      if (!leavesContext(status) || !isHandle(memory.handle)) {
        // A library may create a context before it fails. That context has to be deleted here.
        if (isHandle(memory.handle)) new NativeHandle(library, 'contexts', memory.handle)[Symbol.dispose]();
        return failure(owner, memory, leg);
      }
      const context = new Secur32Context(owner, new NativeHandle(library, 'contexts', memory.handle));
      return context.#readReply(memory, leg).then(
        (reply) => (leavesContext(reply.status) ? { ...reply, context } : context.#discard(reply)),
        (error: unknown) => {
          context.delete();
          throw error;
        },
      );
    });
  }

  /** Runs a later leg. */
  accept(call: AcceptCall): Promise<AcceptReply> {
    return acceptLeg(this.#owner, this.#handle, call, (memory, leg) => {
      if (!leavesContext(leg.status)) return failure(this.#owner, memory, leg);
      this.#handle.replace(memory.handle);
      return this.#readReply(memory, leg);
    });
  }

  /** CompleteAuthToken. Its status replaces the one that AcceptSecurityContext returned before. */
  async completeAuthToken(token: readonly SecBuffer[]): Promise<AcceptReply> {
    const { CompleteAuthToken } = this.#provider.library.security;
    const memory = takeCallMemory(bytesOf(token));
    try {
      const descriptor = memory.describe(0, token);
      const lane = this.#leg?.lane ?? 'general';
      const native = this.#provider.call({ lane }, CompleteAuthToken, this.#handle.address, descriptor);
      const status = (await native) >>> 0;
      if (status !== Status.SEC_E_OK) return { status: failureStatus(status) };
      const output = readTokens(memory, 0, token.length);
      if (output === undefined) return { status: Status.SEC_E_INTERNAL_ERROR };
      if (this.#continues) return { status: Status.SEC_I_CONTINUE_NEEDED, output };
      return await this.#established(output);
    } finally {
      giveBackCallMemory(memory);
    }
  }

  queryAttribute<A extends ContextAttribute>(attribute: A): Answer<ContextAttributeValues[A]> {
    const answer = queryContextAttribute(this.#provider.library, this.#handle.address, attribute);
    if (attribute === SECPKG_ATTR_CLIENT_SPECIFIED_TARGET && answer.value === undefined && this.#target !== undefined) {
      // Windows tells the target only where channel bindings are used. The token has told it as well.
      return { status: Status.SEC_E_OK, value: this.#target as ContextAttributeValues[A] };
    }
    if (attribute !== SECPKG_ATTR_NEGOTIATION_INFO || answer.status !== Status.SEC_E_UNSUPPORTED_FUNCTION)
      return answer;
    // The library does not tell which package ran, so the package of this credential is returned. For Negotiate the
    // answer is then `Negotiate` itself, and a policy that requires a certain package refuses the client.
    const value: ContextAttributeValues[typeof SECPKG_ATTR_NEGOTIATION_INFO] = {
      package: this.#provider.info,
      state: SECPKG_NEGOTIATION_COMPLETE,
    };
    return { status: Status.SEC_E_OK, value: value as ContextAttributeValues[A] };
  }

  queryToken(): Answer<SecurityContextToken> {
    return this.#identity;
  }

  impersonate(): number {
    return impersonate(this.#provider.library, this.#handle.address);
  }

  revert(): number {
    return this.#provider.library.security.RevertSecurityContext(this.#handle.address) >>> 0;
  }

  /** Impersonation needs the context for as long as the client sends requests. It is possible on Windows only. */
  get keepAfterHandshake(): boolean {
    return this.#owner.settings.impersonation && this.#provider.library.token !== undefined;
  }

  makeSignature(message: readonly SecBuffer[], sequence: number | undefined): Answer<readonly SecBuffer[]> {
    return this.#protection.makeSignature(message, sequence);
  }

  verifySignature(message: readonly SecBuffer[], sequence: number | undefined): Answer<number> {
    return this.#protection.verifySignature(message, sequence);
  }

  encryptMessage(message: readonly SecBuffer[], sequence: number | undefined): Answer<readonly SecBuffer[]> {
    return this.#protection.encryptMessage(message, sequence);
  }

  decryptMessage(message: readonly SecBuffer[], sequence: number | undefined): Answer<readonly SecBuffer[]> {
    return this.#protection.decryptMessage(message, sequence);
  }

  delete(): void {
    this.#handle[Symbol.dispose]();
    this.#owner.credential.release();
  }

  /** Reads the reply of a leg that did not fail. */
  async #readReply(memory: CallMemory, leg: Leg): Promise<AcceptReply> {
    const output = readTokens(memory, 1, 1);
    // The library wrote more than the buffer holds, or says so. Then no result of this call can be trusted.
    if (output === undefined) return { status: Status.SEC_E_INTERNAL_ERROR };
    const { status } = leg;
    this.#attributes = memory.attributes;
    this.#expiry = dateOfTimeStamp(memory.expiry, this.#provider.library.token);
    this.#leg = leg;
    this.#continues = status === Status.SEC_I_COMPLETE_AND_CONTINUE;
    return status === Status.SEC_E_OK ? await this.#established(output) : { status, output };
  }

  async #established(output: readonly SecBuffer[]): Promise<AcceptReply> {
    const { library, names } = this.#provider;
    const leg = this.#leg;
    if (leg === undefined) return { status: Status.SEC_E_INTERNAL_ERROR };
    this.#leg = undefined;
    const { facts } = leg;
    if (!this.#isAllowedPackage()) {
      const text = reason('windows-package-left-out');
      return { status: Status.SEC_E_LOGON_DENIED, diagnosis: { text } };
    }
    const bindings = checkBindings(leg.policy, leg.bindingFlags, facts, library.token !== undefined);
    if ('fault' in bindings) {
      const status = Status.SEC_E_BAD_BINDINGS;
      return { status, diagnosis: refusalDiagnosis(this.#owner, { ...leg, status }, bindings.fault) };
    }
    this.#target = facts.ntlm?.target ?? (facts.ticket && `${facts.ticket.serviceName}@${facts.ticket.realm}`);
    this.#identity = await contextIdentity(library, names, this.#handle.address, this.#attributes);
    return {
      status: Status.SEC_E_OK,
      output: [...output, ...bindings.output],
      attributes: this.#attributes,
      expiry: this.#expiry,
    };
  }

  /** Whether the package that ran is one of authData.packages, where these are given. */
  #isAllowedPackage(): boolean {
    const { packages } = this.#owner.settings;
    const ran = this.queryAttribute(SECPKG_ATTR_NEGOTIATION_INFO).value?.package.name;
    return packages === undefined || packages.some((name) => name === ran);
  }

  #discard({ status, diagnosis }: AcceptReply): AcceptReply {
    this.delete();
    return { status, diagnosis };
  }
}
