/**
 * A CredSSP client over Node's TLS and the NTLM client of these tests, which sends whatever faults a test asks for. It is
 * no proof that the package is right (the recorded conversations and xfreerdp are); it makes hostile input.
 */
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import { sealingKey, signingKey } from '../../../src/crypto/ntlm-keys.ts';
import { Rc4 } from '../../../src/crypto/rc4.ts';
import { subjectPublicKey } from '../../../src/formats/certificate-names.ts';
import { decodeTsRequest, encodeTsRequest } from '../../../src/formats/credssp/ts-request.ts';
import type { TsRequest } from '../../../src/formats/credssp/ts-request.ts';
import { contextTag, derElement, derInteger, derOctetString } from '../../../src/formats/der.ts';
import { certificates } from '../../vectors/certificates.ts';
import { authenticateMessage, hmac, negotiateMessage, u32, WINDOWS_FLAGS } from '../ntlm/ntlm-client.ts';
import type { ClientOptions } from '../ntlm/ntlm-client.ts';
import { TlsClient } from '../schannel/tls-client.ts';

const utf16 = (text: string): Uint8Array => Buffer.from(text, 'utf16le');

/** TSCredentials of a type, with a SEQUENCE of octet strings inside. */
export function tsCredentials(credType: number, parts: readonly Uint8Array[]): Uint8Array {
  const inner = derElement(0x30, ...parts.map((part, index) => derElement(contextTag(index), derOctetString(part))));
  const type = derElement(contextTag(0), derInteger(credType));
  return derElement(0x30, type, derElement(contextTag(1), derOctetString(inner)));
}

/** TSCredentials with a password. */
export function passwordCredentials(account: {
  readonly domain: string;
  readonly userName: string;
  readonly password: string;
}): Uint8Array {
  return tsCredentials(1, [utf16(account.domain), utf16(account.userName), utf16(account.password)]);
}

/** subjectPublicKey of a certificate in PEM. */
export function publicKeyOf(pem: string): Uint8Array {
  return subjectPublicKey(new X509Certificate(pem).raw);
}

/** The hash that a client of version 5 and above sends. */
export function clientBinding(
  nonce: Uint8Array,
  publicKey: Uint8Array,
  text = 'CredSSP Client-To-Server Binding Hash\0',
): Uint8Array {
  return createHash('sha256').update(text).update(nonce).update(publicKey).digest();
}

/** One direction of NTLM's message protection (MS-NLMP 3.4). */
export class NtlmSeal {
  readonly #signKey: Uint8Array;
  readonly #cipher: Rc4;
  #sequence = 0;

  constructor(exportedSessionKey: Uint8Array, sender: 'client' | 'server') {
    this.#signKey = signingKey(exportedSessionKey, sender);
    this.#cipher = new Rc4(sealingKey(exportedSessionKey, sender, 128));
  }

  seal(data: Uint8Array): Uint8Array {
    const number = u32(this.#sequence++);
    const sealed = this.#cipher.update(data);
    const checksum = this.#cipher.update(hmac(this.#signKey, number, data).subarray(0, 8));
    return Buffer.concat([u32(1), checksum, number, sealed]);
  }

  unseal(message: Uint8Array): Uint8Array {
    const data = this.#cipher.update(message.subarray(16));
    this.#cipher.update(new Uint8Array(8));
    return data;
  }
}

export class CredSspClient implements Disposable {
  readonly tls: TlsClient;
  readonly account: ClientOptions;
  readonly nonce: Uint8Array = Buffer.alloc(32, 7);
  version = 6;
  readonly #negotiate = negotiateMessage(WINDOWS_FLAGS);
  #exportedSessionKey: Uint8Array = new Uint8Array(16);
  #seal: NtlmSeal | undefined;

  constructor(account: ClientOptions, options: ConnectionOptions = {}) {
    this.account = account;
    this.tls = new TlsClient(options);
  }

  /** Sends a TSRequest; the records. */
  async send(fields: Partial<TsRequest>): Promise<Buffer> {
    return await this.tls.send(encodeTsRequest({ version: this.version, ...fields }));
  }

  /** Takes records; the TSRequest in them. */
  async receive(records: Uint8Array): Promise<TsRequest> {
    await this.tls.next(records);
    const bytes = Buffer.concat(this.tls.received.splice(0));
    return decodeTsRequest(bytes);
  }

  first(): TsRequest {
    return { version: this.version, negoToken: this.#negotiate };
  }

  /** The AUTHENTICATE_MESSAGE that answers a challenge. */
  authenticate(challenge: Uint8Array | undefined, changes: Partial<ClientOptions> = {}): Uint8Array {
    assert.ok(challenge !== undefined);
    const made = authenticateMessage(this.#negotiate, challenge, { mic: true, ...this.account, ...changes });
    this.#exportedSessionKey = made.exportedSessionKey;
    this.#seal = new NtlmSeal(made.exportedSessionKey, 'client');
    return made.message;
  }

  seal(data: Uint8Array): Uint8Array {
    assert.ok(this.#seal !== undefined);
    return this.#seal.seal(data);
  }

  /** The server's pubKeyAuth, unsealed. */
  serverBinding(pubKeyAuth: Uint8Array | undefined): Uint8Array {
    assert.ok(pubKeyAuth !== undefined);
    return new NtlmSeal(this.#exportedSessionKey, 'server').unseal(pubKeyAuth);
  }

  /** What proves that this client sees the certificate of the test server. */
  binding(): Uint8Array {
    const key = publicKeyOf(certificates.server.cert);
    return this.version >= 5 ? clientBinding(this.nonce, key) : key;
  }

  [Symbol.dispose](): void {
    this.tls[Symbol.dispose]();
  }
}
