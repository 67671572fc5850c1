/**
 * Sign-on for other servers behind nginx, by its `auth_request`: this server says who sends a request, in X-Remote-User. The
 * nginx configuration is in docs/sessions.md.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { memoryAccounts } from 'sspi-auth';
import { sspiAuth } from 'sspi-auth/node';

const protect = sspiAuth({
  accounts: memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]),
  // NTLM signs in connections, and nginx makes one for each question.
  schemes: ['Digest'],
  // For plain HTTP on this machine only. Leave `cookie` out where there is TLS.
  session: { secrets: [process.env['SESSION_SECRET'] ?? randomBytes(32)], cookie: { secure: false } },
});
const server = createServer(
  protect((request, response) => {
    response.writeHead(204, { 'X-Remote-User': encodeURIComponent(request.user?.name ?? '') }).end();
  }),
);
server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  console.log('listening on', server.address());
});
