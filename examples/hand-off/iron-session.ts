/** Hand-off to iron-session, which keeps all in a cookie: what was in it before the sign-in is thrown away. */
import { randomBytes } from 'node:crypto';
import express from 'express';
import type { Request, Response } from 'express';
import { getIronSession } from 'iron-session';
import type { IronSession } from 'iron-session';
import { memoryAccounts } from 'sspi-auth';
import { sspiAuth } from 'sspi-auth/express';

interface SessionData {
  userName?: string;
}

// Of a program that lasts: 32 random bytes from your secrets, the same in every process.
const password = randomBytes(32).toString('base64');
const sessionOf = (request: Request, response: Response): Promise<IronSession<SessionData>> =>
  getIronSession<SessionData>(request, response, {
    password,
    cookieName: 'session',
    ttl: 8 * 60 * 60,
    // With TLS: secure: true.
    cookieOptions: { httpOnly: true, sameSite: 'lax', secure: false },
  });

const app = express();
const auth = sspiAuth({ accounts: memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]) });
app.get('/sign-in', auth, async (request, response) => {
  const session = await sessionOf(request, response);
  // What an attacker has put into the session before must not become the user's.
  session.destroy();
  session.userName = request.user?.name ?? '';
  await session.save();
  response.redirect('/');
});
app.get('/', async (request, response) => {
  const { userName } = await sessionOf(request, response);
  // The button "back" would show it again after a sign-out: browsers keep pages in memory.
  response.set('Cache-Control', 'no-store');
  if (userName === undefined) response.status(401).send('<a href="/sign-in">Sign in</a>\n');
  else response.send(`Hello ${userName}\n`);
});
app.post('/sign-out', async (request, response) => {
  (await sessionOf(request, response)).destroy();
  response.redirect(303, '/');
});
const server = app.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  console.log('listening on', server.address());
});
