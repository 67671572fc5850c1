/** One button beside a form: only /sign-in challenges, so that nobody else sees a prompt. All other routes go by session. */
import { randomBytes } from 'node:crypto';
import express from 'express';
import { memoryAccounts } from 'sspi-auth';
import { sspiAuth } from 'sspi-auth/express';

const auth = sspiAuth({
  accounts: memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]),
  anonymous: true,
  // For plain HTTP on this machine only. Leave `cookie` out where there is TLS.
  session: { secrets: [randomBytes(32)], cookie: { secure: false }, signInPath: '/sign-in' },
});
const app = express();
app.use(auth);
app.get('/', (request, response) => {
  const { user } = request;
  // The button "back" would show it again after a sign-out: browsers keep pages in memory.
  response
    .set('Cache-Control', 'no-store')
    .send(
      user === undefined
        ? '<form method="post" action="/password">your own form</form> <a href="/sign-in">Sign in with Windows</a>\n'
        : `Hello ${user.name} <form method="post" action="/sign-out"><button>Sign out</button></form>\n`,
    );
});
app.get('/sign-in', auth.requireUser, (_request, response) => response.redirect('/'));
app.post('/sign-out', async (request, response) => {
  await auth.signOut(request, response);
  response.redirect(303, '/');
});
const server = app.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  console.log('listening on', server.address());
});
