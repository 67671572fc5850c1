/** Hand-off to @fastify/secure-session, which keeps all in a cookie: what was in it before the sign-in is thrown away. */
import { randomBytes } from 'node:crypto';
import secureSession from '@fastify/secure-session';
import fastify from 'fastify';
import { memoryAccounts } from 'sspi-auth';
import sspiAuth from 'sspi-auth/fastify';

declare module '@fastify/secure-session' {
  interface SessionData {
    userName: string;
  }
}

const app = fastify();
await app.register(secureSession, {
  // Of a program that lasts: 32 random bytes from your secrets, the same in every process.
  key: randomBytes(32),
  expiry: 8 * 60 * 60,
  // With TLS: secure: true.
  cookie: { path: '/', httpOnly: true, sameSite: 'lax', secure: false, maxAge: 8 * 60 * 60 },
});
await app.register(async (signingIn) => {
  await signingIn.register(sspiAuth, {
    accounts: memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]),
  });
  signingIn.get('/sign-in', (request, reply) => {
    // What an attacker has put into the session before must not become the user's.
    request.session.regenerate();
    request.session.set('userName', request.user?.name ?? '');
    return reply.redirect('/');
  });
});
app.get('/', (request, reply) => {
  const userName = request.session.get('userName');
  // The button "back" would show it again after a sign-out: browsers keep pages in memory.
  void reply.header('Cache-Control', 'no-store');
  if (userName === undefined) return reply.code(401).type('text/html').send('<a href="/sign-in">Sign in</a>\n');
  return reply.send(`Hello ${userName}\n`);
});
app.post('/sign-out', (request, reply) => {
  request.session.delete();
  return reply.redirect('/', 303);
});
await app.listen({ port: Number(process.env['PORT'] ?? 8080), host: '127.0.0.1' });
console.log('listening on', app.server.address());
