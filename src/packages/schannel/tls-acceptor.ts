/**
 * A tls.Server that never listens: it holds certificate, key and settings of a credential, and makes the server's side
 * of TLS connections whose wires are streams in memory (documented: `server.emit('connection', duplex)`).
 *
 * Node tells of a finished handshake and of an error at the server, not at the connection. Which connection it was
 * follows from the order: both happen in the push of a record or in the process.nextTick that it queues. So the
 * connection that pushes is noted before the push, and process.nextTick notes it again around that tick.
 */
import { constants } from 'node:crypto';
import type { Server, TlsOptions, TLSSocket } from 'node:tls';
import { OptionError } from '../../foundation/errors.ts';
import type { Secret } from '../../foundation/secret.ts';
import type { SchannelSettings } from './schannel-auth-data.ts';
import type { TlsWire } from './tls-wire.ts';

/** A connection that waits for its handshake. */
export interface AcceptedConnection {
  established(socket: TLSSocket): void;
  handshakeFailed(error: Error): void;
  /** Node cannot verify the client's certificate, and has dropped the connection. @param code such as `CERT_HAS_EXPIRED` */
  certificateRefused(code: string): void;
}

/** What a client must do about a certificate. */
export type CertificateRequest = 'none' | 'verified' | 'unverified';

export class TlsAcceptor {
  readonly #server: Server;
  #pushing: AcceptedConnection | undefined;
  /** Connections that Node dropped in the push of a record. It tells why in the same order, in the turn of the push. */
  #dropped: AcceptedConnection[] = [];

  /**
   * @throws OptionError if the certificate or the key cannot be used
   */
  constructor(settings: SchannelSettings, request: CertificateRequest) {
    this.#server = makeServer(settings, request);
    this.#server.on('secureConnection', (socket) => this.#pushing?.established(socket));
    this.#server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      // Of no push. Node tells it and goes on.
      if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') {
        socket.destroy();
        return;
      }
      // A string, whatever its type says.
      const code: unknown = socket.authorizationError;
      if (typeof code === 'string') this.#dropped.shift()?.certificateRefused(code);
      else this.#pushing?.handshakeFailed(error);
    });
  }

  /** Begins the server's side on a wire. Records may be pushed after the next process.nextTick. */
  connect(wire: TlsWire): void {
    this.#server.emit('connection', wire);
  }

  /**
   * Runs `push`, which hands records of a handshake to TLS. It reads them before `push` returns. After the handshake
   * nothing is told at the server any more, and records need not come this way.
   */
  handshake(connection: AcceptedConnection, wire: TlsWire, push: () => void): void {
    const { gone } = wire;
    process.nextTick(() => (this.#pushing = connection));
    this.#pushing = connection;
    try {
      push();
    } finally {
      this.#pushing = undefined;
      process.nextTick(() => (this.#pushing = undefined));
      if (wire.gone && !gone) this.#noteDropped(connection);
    }
  }

  #noteDropped(connection: AcceptedConnection): void {
    this.#dropped.push(connection);
    // One of which Node tells nothing must not get the reason of another.
    setImmediate(() => {
      const index = this.#dropped.indexOf(connection);
      if (index >= 0) this.#dropped.splice(index, 1);
    });
  }
}

/** No tickets that resume, and no second handshake: CredSSP forbids the one, and the other has only ever done harm. */
const secureOptions = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION;

function makeServer(settings: SchannelSettings, request: CertificateRequest): Server {
  const { cert, key, pfx, passphrase, ca, minVersion, maxVersion, ciphers, alpn } = settings;
  const options: TlsOptions = {
    ...(cert === undefined ? undefined : { cert: [...cert] }),
    ...(ca === undefined ? undefined : { ca: [...ca] }),
    ...(ciphers === undefined ? undefined : { ciphers }),
    ...(alpn === undefined ? undefined : { ALPNProtocols: [...alpn] }),
    ...secrets({ key, pfx, passphrase }),
    ...{ minVersion, maxVersion, secureOptions, honorCipherOrder: true },
    requestCert: request !== 'none',
    rejectUnauthorized: request === 'verified',
  };
  try {
    // Loaded here: whoever imports the contract need not want TLS.
    return process.getBuiltinModule('node:tls').createServer(options);
  } catch (error) {
    const { code = 'unknown error' } = error as { readonly code?: string };
    const option = pfx === undefined ? 'authData.cert' : 'authData.pfx';
    const cure = 'Give a certificate and the private key that belongs to it, its passphrase, and ciphers that exist.';
    throw new OptionError(option, `cannot be used (${code})`, cure);
  }
}

function secrets({
  key,
  pfx,
  passphrase,
}: Readonly<Record<'key' | 'pfx' | 'passphrase', Secret | undefined>>): TlsOptions {
  return {
    ...(key === undefined ? undefined : { key: Buffer.from(key.copy()) }),
    ...(pfx === undefined ? undefined : { pfx: Buffer.from(pfx.copy()) }),
    ...(passphrase === undefined ? undefined : { passphrase: Buffer.from(passphrase.copy()).toString('utf8') }),
  };
}
