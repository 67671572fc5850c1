/** A Schannel credential through the contract, and handshakes with Node's own client. */
import assert from 'node:assert/strict';
import type { ConnectionOptions } from 'node:tls';
import { schannelPackage } from '../../../src/packages/schannel/index.ts';
import type { SchannelAuthData } from '../../../src/packages/schannel/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { TlsClient } from './tls-client.ts';

/** The bytes of a buffer type in some buffers; empty if there is none. */
export function part(buffers: readonly Sspi.SecBuffer[] | undefined, type: number): Buffer {
  return Buffer.from(Sspi.findBuffer(buffers ?? [], type)?.data ?? new Uint8Array(0));
}

export const token = (data: Uint8Array): Sspi.SecBuffer => ({ type: Sspi.SECBUFFER_TOKEN, data });
export const data = (bytes: Uint8Array | string): Sspi.SecBuffer => ({
  type: Sspi.SECBUFFER_DATA,
  data: Buffer.from(bytes as string),
});

/** An established connection. */
export interface Established extends Disposable {
  readonly client: TlsClient;
  readonly context: Sspi.ContextHandle;
  /** The last leg. */
  readonly last: Sspi.AcceptSecurityContextResult;
}

export class SchannelServer implements Disposable {
  readonly credential: Sspi.CredentialHandle;

  constructor(authData: SchannelAuthData) {
    const credential = Sspi.acquireCredentialsHandle({ package: schannelPackage, credentialUse: 'inbound', authData });
    assert.ok(!(credential instanceof Promise));
    this.credential = credential;
  }

  async accept(
    context: Sspi.ContextHandle | undefined,
    bytes: Uint8Array,
    requirements = 0,
    more: Partial<Sspi.AcceptSecurityContextParameters> = {},
  ): Promise<Sspi.AcceptSecurityContextResult> {
    return await Sspi.acceptSecurityContext({
      credential: this.credential,
      context,
      input: [token(bytes), { type: Sspi.SECBUFFER_EMPTY, data: new Uint8Array(0) }],
      requirements,
      targetDataRep: Sspi.SECURITY_NETWORK_DREP,
      ...more,
    });
  }

  /** Carries tokens until the handshake is done or has failed. */
  async handshake(client: TlsClient, requirements = 0): Promise<Sspi.AcceptSecurityContextResult> {
    let result: Sspi.AcceptSecurityContextResult | undefined;
    let bytes = await client.next();
    for (let leg = 0; leg < 6; leg++) {
      result = await this.accept(result?.context, bytes, requirements);
      bytes = await client.next(part(result.output, Sspi.SECBUFFER_TOKEN));
      if (result.status !== Sspi.SEC_I_CONTINUE_NEEDED) return result;
    }
    assert.fail('the handshake has no end');
  }

  async establish(options: ConnectionOptions = {}, requirements = 0): Promise<Established> {
    const client = new TlsClient(options);
    const last = await this.handshake(client, requirements);
    assert.equal(Sspi.statusName(last.status), 'SEC_E_OK', last.diagnosis?.text);
    assert.equal(client.secure, true);
    const context = last.context!;
    return {
      client,
      context,
      last,
      [Symbol.dispose]() {
        client[Symbol.dispose]();
        Sspi.deleteSecurityContext(context);
      },
    };
  }

  [Symbol.dispose](): void {
    Sspi.freeCredentialsHandle(this.credential);
  }
}
