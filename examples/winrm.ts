/**
 * A server of SOAP messages that WinRM clients sign in to and encrypt for: it answers each message with the same body,
 * and says who sent it. PORT=5985 node examples/winrm.ts, then with Debian's python3-winrm:
 *
 * ```python
 * from winrm.transport import Transport
 * transport = Transport(endpoint="http://localhost:5985/wsman", username="alice", password="Wonderland-7",
 *                       auth_method="ntlm", message_encryption="always")
 * print(transport.send_message("<hello/>"))
 * ```
 */
import { createServer } from 'node:http';
import express from 'express';
import { memoryAccounts, recommendedServerOptions } from 'sspi-auth';
import { sspiAuth } from 'sspi-auth/express';
import { winrmEncryption } from 'sspi-auth/winrm';

const app = express();
app.use(winrmEncryption());
app.use(sspiAuth({ accounts: memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]), logger: console }));
app.use(express.text({ type: 'application/soap+xml', limit: '1mb' }));

const escaped = (text: string): string => text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);

app.post('/wsman', (request, response) => {
  const { name } = request.user ?? {};
  // Before its first message a client sends an empty one, to sign in.
  const message = typeof request.body === 'string' ? request.body : '';
  response
    .type('application/soap+xml')
    .send(
      `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header><user>${escaped(name ?? '')}</user></s:Header>` +
        `<s:Body>${message.replace(/^<\?xml[^>]*\?>/, '')}</s:Body></s:Envelope>`,
    );
});

const server = createServer(recommendedServerOptions, app);
server.listen(Number(process.env['PORT'] ?? 5985), '127.0.0.1', () => {
  console.log('listening on', server.address());
});
