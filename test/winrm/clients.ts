/** WinRM clients on raw connections, for what no real client sends. pywinrm is in test/live/winrm/. */
import assert from 'node:assert/strict';
import type { ConnectionOptions } from 'node:tls';
import {
  encodeEncryptedMessage,
  encryptedTypeOf,
  parseEncryptedMessage,
  parseEncryptedType,
} from '../../src/formats/encrypted-message.ts';
import type { EncryptedPart, EncryptionProtocol } from '../../src/formats/encrypted-message.ts';
import { RawConnection } from '../lab/raw-connection.ts';
import type { RawRequest, RawResponse } from '../lab/raw-connection.ts';
import { CredSspClient, NtlmSeal, passwordCredentials } from '../packages/credssp/credssp-client.ts';
import { authenticateMessage, negotiateMessage, WINDOWS_FLAGS } from '../packages/ntlm/ntlm-client.ts';
import { certificates } from '../vectors/certificates.ts';

export const SPNEGO = 'application/HTTP-SPNEGO-session-encrypted';
export const CREDSSP = 'application/HTTP-CredSSP-session-encrypted';
export const alice = { userName: 'alice', domain: 'LAB', password: 'Wonderland-7' };
const soap = 'application/soap+xml;charset=UTF-8';

/** A request with an encrypted body. */
export function encrypted(
  protocol: EncryptionProtocol,
  parts: readonly EncryptedPart[],
  fields: readonly string[] = [],
): RawRequest {
  const body = encodeEncryptedMessage(protocol, parts);
  const type = `Content-Type: ${encryptedTypeOf(protocol, parts.length > 1)}`;
  return { method: 'POST', target: '/wsman', fields: [type, ...fields], body };
}

/** The parts of an encrypted response. */
export function partsOf(response: RawResponse): readonly EncryptedPart[] {
  const type = parseEncryptedType(response.headers.get('content-type')?.[0] ?? '');
  assert.ok(type !== undefined, response.text.slice(0, 300));
  return parseEncryptedMessage(Buffer.from(response.body, 'latin1'), type);
}

const field = (scheme: string, token: Uint8Array): string =>
  `Authorization: ${scheme} ${Buffer.from(token).toString('base64')}`;

/** The token of a 401. */
export function tokenOf(response: RawResponse, scheme: string): Buffer {
  const value = response.headers.get('www-authenticate')?.find((text) => text.startsWith(`${scheme} `));
  assert.ok(value !== undefined, `no token in ${response.status} ${response.text.slice(0, 300)}`);
  return Buffer.from(value.slice(scheme.length + 1), 'base64');
}

/** A client of NTLM that encrypts its messages. */
export class NtlmClient implements AsyncDisposable {
  readonly connection: RawConnection;
  #out: NtlmSeal | undefined;
  #in: NtlmSeal | undefined;

  private constructor(connection: RawConnection) {
    this.connection = connection;
  }

  static async open(port: number): Promise<NtlmClient> {
    return new NtlmClient(await RawConnection.open(port));
  }

  /** Signs in; the answer to the last leg. @param request what the last leg carries */
  async signIn(
    request: (client: NtlmClient) => RawRequest = () => ({ method: 'POST', body: '' }),
  ): Promise<RawResponse> {
    const type1 = negotiateMessage(WINDOWS_FLAGS);
    const first = await this.connection.exchange({ method: 'POST', target: '/wsman', fields: [field('NTLM', type1)] });
    const made = authenticateMessage(type1, Uint8Array.from(tokenOf(first, 'NTLM')), { mic: true, ...alice });
    this.#out = new NtlmSeal(made.exportedSessionKey, 'client');
    this.#in = new NtlmSeal(made.exportedSessionKey, 'server');
    const { fields = [], ...rest } = request(this);
    return this.connection.exchange({ target: '/wsman', ...rest, fields: [...fields, field('NTLM', made.message)] });
  }

  part(text: string, changes: Partial<EncryptedPart> = {}): EncryptedPart {
    assert.ok(this.#out !== undefined);
    const length = Buffer.byteLength(text);
    return { type: soap, length, signatureLength: 16, sealed: this.#out.seal(Buffer.from(text)), ...changes };
  }

  message(text: string, fields: readonly string[] = []): RawRequest {
    return encrypted(SPNEGO, [this.part(text)], fields);
  }

  /** The text of an encrypted response. */
  open(response: RawResponse): { readonly text: string; readonly type: string } {
    const [part, ...others] = partsOf(response);
    assert.ok(part !== undefined && this.#in !== undefined && others.length === 0);
    const text = Buffer.from(this.#in.unseal(part.sealed)).toString();
    assert.equal(Buffer.byteLength(text), part.length);
    return { text, type: part.type };
  }

  async say(text: string): Promise<string> {
    const response = await this.connection.exchange(this.message(text));
    assert.equal(response.status, 200, response.text.slice(0, 400));
    return this.open(response).text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection[Symbol.asyncDispose]();
  }
}

interface OpenOptions {
  /** HTTPS. */
  readonly tls?: boolean;
  readonly password?: string;
  /** The TLS inside CredSSP. */
  readonly inside?: ConnectionOptions;
}

/** A client of CredSSP. */
export class CredSspHttpClient implements AsyncDisposable {
  readonly connection: RawConnection;
  readonly credssp: CredSspClient;

  private constructor(connection: RawConnection, credssp: CredSspClient) {
    this.connection = connection;
    this.credssp = credssp;
  }

  static async open(
    port: number,
    { tls = false, password = alice.password, inside = {} }: OpenOptions = {},
  ): Promise<CredSspHttpClient> {
    const connection = await RawConnection.open(port, tls ? 'tls' : 'plain');
    return new CredSspHttpClient(connection, new CredSspClient({ ...alice, password }, inside));
  }

  async leg(token: Uint8Array): Promise<RawResponse> {
    return this.connection.exchange({ method: 'POST', target: '/wsman', fields: [field('CredSSP', token)] });
  }

  /** All legs but the last; the answer to the one before it. */
  async proveKey(): Promise<RawResponse> {
    const { credssp } = this;
    const hello = await this.leg(await credssp.tls.next());
    const finished = await this.leg(await credssp.tls.next(tokenOf(hello, 'CredSSP')));
    await credssp.tls.next(tokenOf(finished, 'CredSSP'));
    const challenged = await this.leg(await credssp.send(credssp.first()));
    const { negoToken } = await credssp.receive(tokenOf(challenged, 'CredSSP'));
    const message = credssp.authenticate(negoToken);
    const pubKeyAuth = credssp.seal(credssp.binding());
    return this.leg(await credssp.send({ negoToken: message, pubKeyAuth, clientNonce: credssp.nonce }));
  }

  /** Signs in; the answer to the last leg. */
  async signIn(): Promise<RawResponse> {
    const { credssp } = this;
    const proved = await this.proveKey();
    await credssp.receive(tokenOf(proved, 'CredSSP'));
    return this.leg(await credssp.send({ authInfo: credssp.seal(passwordCredentials(alice)) }));
  }

  async message(...texts: readonly string[]): Promise<RawRequest> {
    const parts: EncryptedPart[] = [];
    for (const text of texts) {
      const sealed = await this.credssp.tls.send(text);
      // As pywinrm: the length of the trailer is a wrong one.
      parts.push({ type: soap, length: Buffer.byteLength(text), signatureLength: 9, sealed });
    }
    return encrypted(CREDSSP, parts);
  }

  async open(response: RawResponse): Promise<string> {
    const { tls } = this.credssp;
    const opened: string[] = [];
    for (const part of partsOf(response)) {
      tls.received.splice(0);
      assert.deepEqual(await tls.next(part.sealed), Buffer.alloc(0));
      const text = Buffer.concat(tls.received.splice(0)).toString();
      assert.equal(Buffer.byteLength(text), part.length);
      assert.equal(part.signatureLength, tls.socket.getProtocol() === 'TLSv1.3' ? 17 : 16, 'the trailer');
      opened.push(text);
    }
    return opened.join('');
  }

  async say(...texts: readonly string[]): Promise<string> {
    const response = await this.connection.exchange(await this.message(...texts));
    assert.equal(response.status, 200, response.text.slice(0, 400));
    return this.open(response);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.credssp[Symbol.dispose]();
    await this.connection[Symbol.asyncDispose]();
  }
}

/** `credssp` of the options: the certificate that the client of these tests knows. */
export const certificate = { cert: certificates.server.cert, key: certificates.server.key };
