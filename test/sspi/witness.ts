/** Sees every call of acceptSecurityContext that a proof makes, so that a row of the conformance table cannot be claimed without one. */
import * as Sspi from '../../src/sspi/index.ts';

/** One call and what it gave. */
export interface WitnessedCall {
  /** Name of the package whose credential was used; undefined for a credential that is none. */
  readonly package: string | undefined;
  /** ASC_REQ_* bits. */
  readonly requirements: number;
  readonly status: number;
}

/** What a leg may say beside its token. */
export interface LegOptions {
  readonly requirements?: number;
  /** Input buffers after the token. */
  readonly buffers?: readonly Sspi.SecBuffer[];
  readonly output?: readonly Sspi.SecBuffer[];
}

export class Witness {
  readonly calls: WitnessedCall[] = [];
  readonly #names = new WeakMap<Sspi.CredentialHandle, string>();
  readonly #credentials: Sspi.CredentialHandle[] = [];
  readonly #contexts = new Set<Sspi.ContextHandle>();

  /** A credential, freed by `release`. */
  async acquire(owner: Sspi.SecurityPackage, authData?: unknown): Promise<Sspi.CredentialHandle> {
    const credential = await Sspi.acquireCredentialsHandle({ package: owner, credentialUse: 'inbound', authData });
    this.#names.set(credential, owner.info.name);
    this.#credentials.push(credential);
    return credential;
  }

  /** acceptSecurityContext, seen. */
  async accept(
    credential: Sspi.CredentialHandle,
    context: Sspi.ContextHandle | undefined,
    token: Uint8Array | string,
    { requirements = Sspi.ASC_REQ_CONNECTION, buffers = [], output }: LegOptions = {},
  ): Promise<Sspi.AcceptSecurityContextResult> {
    const data = typeof token === 'string' ? Buffer.from(token, 'latin1') : token;
    const result = await Sspi.acceptSecurityContext({
      credential,
      context,
      input: [{ type: Sspi.SECBUFFER_TOKEN, data }, ...buffers],
      requirements,
      targetDataRep: Sspi.SECURITY_NATIVE_DREP,
      output,
    });
    if (result.context !== undefined) this.#contexts.add(result.context);
    this.calls.push({ package: this.#names.get(credential), requirements, status: result.status });
    return result;
  }

  /** Gives back what the proof left. */
  release(): void {
    for (const context of this.#contexts) Sspi.deleteSecurityContext(context);
    for (const credential of this.#credentials) Sspi.freeCredentialsHandle(credential);
  }
}
