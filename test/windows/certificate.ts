/** Certificates for `localhost`, and a relay that has another one. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { isWindows, powershell, run } from './programs.ts';

/** What https.createServer takes. */
export interface Certificate {
  readonly pfx: Buffer;
  readonly passphrase: string;
}

const passphrase = 'kit';

/** Makes a key and a self-signed certificate with SHA-256. */
export async function makeCertificate(): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), 'sspi-auth-kit-'));
  const file = join(folder, 'certificate.pfx');
  try {
    if (isWindows) {
      await powershell(`
        $made = New-SelfSignedCertificate -DnsName localhost -CertStoreLocation Cert:\\CurrentUser\\My -HashAlgorithm SHA256
        $secret = ConvertTo-SecureString -String '${passphrase}' -AsPlainText -Force
        Export-PfxCertificate -Cert $made -FilePath '${file}' -Password $secret | Out-Null
        Remove-Item -Path "Cert:\\CurrentUser\\My\\$($made.Thumbprint)"`);
    } else {
      const pem = join(folder, 'both.pem');
      const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
      await run('openssl', [
        ...['req', '-x509', '-nodes', '-newkey', 'rsa:2048', '-sha256', '-days', '2', ...subject],
        ...['-keyout', pem, '-out', `${pem}.crt`],
      ]);
      const words = ['-export', '-inkey', pem, '-in', `${pem}.crt`, '-out', file, '-passout', `pass:${passphrase}`];
      await run('openssl', ['pkcs12', ...words]);
    }
    return { pfx: await readFile(file), passphrase };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * Starts a relay between a client and a server, and closes it when `run` has ended. It ends the TLS connection and has a
 * certificate of its own.
 *
 * @param port of the server behind the relay, on 127.0.0.1
 */
export async function relayed(
  certificate: Certificate,
  port: number,
  run: (url: string) => Promise<void>,
): Promise<void> {
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer(certificate, (client) => {
    const behind = connect({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false });
    for (const socket of [client, behind]) {
      sockets.add(socket);
      socket.on('error', () => {
        client.destroy();
        behind.destroy();
      });
    }
    client.pipe(behind).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await run(`https://localhost:${(server.address() as AddressInfo).port}/`);
  } finally {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  }
}
