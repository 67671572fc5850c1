/** Hand-off to express-session: one route signs in, and the session of the application gets a new id there. */
import { randomBytes } from 'node:crypto';
import express from 'express';
import session from 'express-session';
import { memoryAccounts } from 'sspi-auth';
import { sspiAuth } from 'sspi-auth/express';

declare module 'express-session' {
  interface SessionData {
    userName?: string;
  }
}

const app = express();
app.use(
  session({
    secret: process.env['SESSION_SECRET'] ?? randomBytes(32).toString('base64'),
    resave: false,
    saveUninitialized: false,
    // With TLS: secure: true.
    cookie: { httpOnly: true, sameSite: 'lax', maxAge: 8 * 60 * 60 * 1000 },
  }),
);
const auth = sspiAuth({ accounts: memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]) });
app.get('/sign-in', auth, (request, response, next) => {
  const userName = request.user?.name ?? '';
  // An id from before the sign-in may be one that an attacker knows.
  request.session.regenerate((error) => {
    if (error !== undefined && error !== null) {
      next(error);
      return;
    }
    request.session.userName = userName;
    response.redirect('/');
  });
});
app.get('/', (request, response) => {
  const { userName } = request.session;
  // The button "back" would show it again after a sign-out: browsers keep pages in memory.
  response.set('Cache-Control', 'no-store');
  if (userName === undefined) response.status(401).send('<a href="/sign-in">Sign in</a>\n');
  else response.send(`Hello ${userName}\n`);
});
app.post('/sign-out', (request, response, next) => {
  request.session.destroy((error) =>
    error === undefined || error === null ? response.redirect(303, '/') : next(error),
  );
});
const server = app.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  console.log('listening on', server.address());
});
