/** A CredSSP credential through the contract, and sign-ins of the test client. */
import assert from 'node:assert/strict';
import type { ConnectionOptions } from 'node:tls';
import { memoryAccounts } from '../../../src/accounts/memory-accounts.ts';
import { decodeTsRequest } from '../../../src/formats/credssp/ts-request.ts';
import type { TsRequest } from '../../../src/formats/credssp/ts-request.ts';
import { credsspPackage } from '../../../src/packages/credssp/index.ts';
import type { CredSspAuthData } from '../../../src/packages/credssp/index.ts';
import { negotiatePackage } from '../../../src/packages/negotiate/index.ts';
import { ntlmPackage } from '../../../src/packages/ntlm/index.ts';
import type { NtlmAuthData } from '../../../src/packages/ntlm/index.ts';
import { schannelPackage } from '../../../src/packages/schannel/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { certificates } from '../../vectors/certificates.ts';
import { clockAt, NOW } from '../ntlm/ntlm-server.ts';
import { part, token } from '../schannel/schannel-server.ts';
import { CredSspClient, passwordCredentials } from './credssp-client.ts';

export const PASSWORD = 'correct horse \u20ac';
export const alice = { userName: 'alice', domain: 'LAB', password: PASSWORD };
/** The requirements of a server that is told why, and asks for the password. */
export const ALL = Sspi.ASC_REQ_EXTENDED_ERROR | Sspi.ASC_REQ_DELEGATE;

const accounts = memoryAccounts([
  { ...alice, userPrincipalName: 'alice@test.local' },
  { userName: 'bob', domain: 'LAB', password: PASSWORD },
]);

/** authData of the test server; what is not given is that of LAB. */
export function credsspAuthData(
  authData: Partial<CredSspAuthData> = {},
  ntlm: Partial<NtlmAuthData> = {},
): CredSspAuthData {
  const inner = { accounts, domain: 'LAB', computerName: 'SERVER', clock: clockAt(NOW), ...ntlm };
  return {
    schannel: { package: schannelPackage, authData: certificates.server },
    negotiate: {
      package: negotiatePackage,
      authData: { packages: [{ package: ntlmPackage, authData: inner }] },
    },
    delegation: true,
    ...authData,
  };
}

/** What a test wants to see of an answer. */
export interface Answered {
  readonly status: string;
  /** The TSRequest in the token, if there is one. */
  readonly answer: TsRequest | undefined;
  readonly result: Sspi.AcceptSecurityContextResult;
}

/** One connection of a client with the server. */
export class CredSspConnection implements Disposable {
  readonly client: CredSspClient;
  readonly #credential: Sspi.CredentialHandle;
  readonly #requirements: number;
  context: Sspi.ContextHandle | undefined;

  constructor(credential: Sspi.CredentialHandle, client: CredSspClient, requirements: number) {
    this.#credential = credential;
    this.client = client;
    this.#requirements = requirements;
  }

  /** One leg. */
  async accept(bytes: Uint8Array, requirements = this.#requirements): Promise<Sspi.AcceptSecurityContextResult> {
    const result = await Sspi.acceptSecurityContext({
      credential: this.#credential,
      context: this.context,
      input: [token(bytes)],
      requirements,
      targetDataRep: Sspi.SECURITY_NATIVE_DREP,
    });
    this.context = result.context;
    return result;
  }

  /** The TLS handshake. */
  async secure(): Promise<void> {
    let bytes = await this.client.tls.next();
    while (bytes.byteLength > 0) {
      const result = await this.accept(bytes);
      assert.equal(Sspi.statusName(result.status), 'SEC_I_CONTINUE_NEEDED', result.diagnosis?.text);
      bytes = await this.client.tls.next(part(result.output, Sspi.SECBUFFER_TOKEN));
    }
  }

  async answered(records: Uint8Array): Promise<Answered> {
    const result = await this.accept(records);
    await this.client.tls.next(part(result.output, Sspi.SECBUFFER_TOKEN));
    const clear = Buffer.concat(this.client.tls.received.splice(0));
    const answer = clear.byteLength === 0 ? undefined : decodeTsRequest(clear);
    return { status: Sspi.statusName(result.status), answer, result };
  }

  /** Sends a TSRequest. */
  async say(fields: Partial<TsRequest>): Promise<Answered> {
    return await this.answered(await this.client.send(fields));
  }

  /** TLS, then the first negoToken: the challenge. */
  async challenge(): Promise<Uint8Array> {
    await this.secure();
    const { status, answer } = await this.say(this.client.first());
    assert.equal(status, 'SEC_I_CONTINUE_NEEDED');
    assert.ok(answer?.negoToken !== undefined);
    return answer.negoToken;
  }

  /** Everything until the server waits for the credentials. */
  async proveKey(): Promise<Answered> {
    const negoToken = this.client.authenticate(await this.challenge());
    const pubKeyAuth = this.client.seal(this.client.binding());
    return await this.say({ negoToken, pubKeyAuth, clientNonce: this.client.nonce });
  }

  /** The last leg. */
  async give(credentials: Uint8Array): Promise<Answered> {
    return await this.say({ authInfo: this.client.seal(credentials) });
  }

  async signIn(credentials = passwordCredentials(alice)): Promise<Answered> {
    const { status, result } = await this.proveKey();
    assert.equal(status, 'SEC_I_CONTINUE_NEEDED', result.diagnosis?.text);
    return await this.give(credentials);
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]();
    if (this.context !== undefined) Sspi.deleteSecurityContext(this.context);
  }
}

/** A server with one credential. */
export class CredSspServer implements Disposable {
  readonly credential: Sspi.CredentialHandle;

  private constructor(credential: Sspi.CredentialHandle) {
    this.credential = credential;
  }

  static async start(authData = credsspAuthData()): Promise<CredSspServer> {
    return new CredSspServer(
      await Sspi.acquireCredentialsHandle({ package: credsspPackage, credentialUse: 'inbound', authData }),
    );
  }

  connect(
    options: { readonly version?: number; readonly requirements?: number; readonly tls?: ConnectionOptions } = {},
    account = alice,
  ): CredSspConnection {
    const client = new CredSspClient(account, options.tls);
    client.version = options.version ?? 6;
    return new CredSspConnection(this.credential, client, options.requirements ?? ALL);
  }

  [Symbol.dispose](): void {
    Sspi.freeCredentialsHandle(this.credential);
  }
}
