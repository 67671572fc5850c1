/** Hand-off to @fastify/session: one route signs in, and the session of the application gets a new id there. */
import { randomBytes } from 'node:crypto';
import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import fastify from 'fastify';
import { memoryAccounts } from 'sspi-auth';
import sspiAuth from 'sspi-auth/fastify';

declare module 'fastify' {
  interface Session {
    userName?: string;
  }
}

const app = fastify();
await app.register(fastifyCookie);
await app.register(fastifySession, {
  secret: process.env['SESSION_SECRET'] ?? randomBytes(32).toString('base64'),
  saveUninitialized: false,
  // With TLS: secure: true.
  cookie: { httpOnly: true, sameSite: 'lax', secure: false, maxAge: 8 * 60 * 60 * 1000 },
});
await app.register(async (signingIn) => {
  await signingIn.register(sspiAuth, {
    accounts: memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]),
  });
  signingIn.get('/sign-in', async (request, reply) => {
    // An id from before the sign-in may be one that an attacker knows.
    await request.session.regenerate();
    request.session.userName = request.user?.name ?? '';
    return reply.redirect('/');
  });
});
app.get('/', (request, reply) => {
  const { userName } = request.session;
  // The button "back" would show it again after a sign-out: browsers keep pages in memory.
  void reply.header('Cache-Control', 'no-store');
  if (userName === undefined) return reply.code(401).type('text/html').send('<a href="/sign-in">Sign in</a>\n');
  return reply.send(`Hello ${userName}\n`);
});
app.post('/sign-out', async (request, reply) => {
  await request.session.destroy();
  return reply.redirect('/', 303);
});
await app.listen({ port: Number(process.env['PORT'] ?? 8080), host: '127.0.0.1' });
console.log('listening on', app.server.address());
