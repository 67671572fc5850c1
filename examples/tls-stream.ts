/**
 * A server over TCP that speaks TLS through the contract: bytes of the client go into acceptSecurityContext and
 * decryptMessage, bytes for it come out. It answers every request of HTTP with one line.
 *
 * CERT=server.crt KEY=server.key PORT=8443 node examples/tls-stream.ts, then curl -k https://127.0.0.1:8443/
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import * as Sspi from 'sspi-auth/sspi';

/** How long a client may be silent, in milliseconds. */
const PATIENCE = 30_000;
/** Most bytes that wait for the rest of their record. */
const LIMIT = 64 * 1024;

const token = (data: Uint8Array): Sspi.SecBuffer => ({ type: Sspi.SECBUFFER_TOKEN, data });
const found = (buffers: readonly Sspi.SecBuffer[] | undefined, type: number): Buffer =>
  Buffer.from(Sspi.findBuffer(buffers ?? [], type)?.data ?? []);

/** One client: its handshake, its messages, the end. */
async function serve(socket: Socket, credential: Sspi.CredentialHandle): Promise<void> {
  let context: Sspi.ContextHandle | undefined;
  let established = false;
  const leg = async (data: Uint8Array): Promise<Sspi.AcceptSecurityContextResult> => {
    const result = await Sspi.acceptSecurityContext({
      ...{ credential, context, input: [token(data)], targetDataRep: Sspi.SECURITY_NETWORK_DREP },
      requirements: Sspi.ASC_REQ_STREAM | Sspi.ASC_REQ_EXTENDED_ERROR,
    });
    context = result.context;
    socket.write(found(result.output, Sspi.SECBUFFER_TOKEN));
    return result;
  };
  const send = async (text: string): Promise<void> => {
    if (context === undefined) return;
    const sealed = await Sspi.encryptMessage(context, [{ type: Sspi.SECBUFFER_DATA, data: Buffer.from(text) }]);
    socket.write(found(sealed.value, Sspi.SECBUFFER_TOKEN));
  };
  try {
    let waiting: Buffer = Buffer.alloc(0);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      waiting = Buffer.concat([waiting, chunk]);
      while (!established && waiting.byteLength > 0) {
        const { status, output, diagnosis } = await leg(waiting);
        if (status === Sspi.SEC_E_INCOMPLETE_MESSAGE) break;
        if (context === undefined) {
          console.error(Sspi.statusName(status), diagnosis?.text);
          return;
        }
        established = status === Sspi.SEC_E_OK;
        waiting = found(output, Sspi.SECBUFFER_EXTRA);
      }
      while (established && context !== undefined && waiting.byteLength > 0) {
        const { status, value } = await Sspi.decryptMessage(context, [{ type: Sspi.SECBUFFER_DATA, data: waiting }]);
        if (status === Sspi.SEC_E_INCOMPLETE_MESSAGE) break;
        socket.write(found(value, Sspi.SECBUFFER_TOKEN));
        if (status !== Sspi.SEC_E_OK) return;
        waiting = found(value, Sspi.SECBUFFER_EXTRA);
        const text = found(value, Sspi.SECBUFFER_DATA).toString();
        if (!text.includes('\r\n\r\n')) continue;
        const { cipherSuite } = Sspi.queryContextAttributes(context, Sspi.SECPKG_ATTR_CIPHER_INFO).value ?? {};
        const body = `Hello over ${cipherSuite ?? 'TLS'}\n`;
        await send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
        // The end: a control token, then a leg without input, whose output is the close_notify.
        Sspi.applyControlToken(context, [token(Uint8Array.of(Sspi.SCHANNEL_SHUTDOWN, 0, 0, 0))]);
        await leg(new Uint8Array(0));
        return;
      }
      if (waiting.byteLength > LIMIT) return;
    }
  } finally {
    if (context !== undefined) Sspi.deleteSecurityContext(context);
    socket.end();
  }
}

const { CERT, KEY, PORT = '8443' } = process.env;
if (CERT === undefined || KEY === undefined) {
  console.log('Give the files of a certificate and of its private key: CERT=server.crt KEY=server.key');
} else {
  const credential = await Sspi.acquireCredentialsHandle({
    // By the name 'Schannel' it is the system's own on Windows, which takes a PFX.
    package: Sspi.schannelPackage,
    credentialUse: 'inbound',
    authData: { cert: readFileSync(CERT), key: readFileSync(KEY) },
  });
  const server = createServer((socket) => {
    socket.setTimeout(PATIENCE, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    serve(socket, credential).catch((error: unknown) => {
      console.error(error);
      socket.destroy();
    });
  });
  server.listen(Number(PORT), () => console.log(`port: ${(server.address() as AddressInfo).port}`));
}
