/** Express with sessions: sign in once, then by a sealed cookie on any connection and in any process, until you sign out. */
import { randomBytes } from 'node:crypto';
import express from 'express';
import { memoryAccounts } from 'sspi-auth';
import { sspiAuth } from 'sspi-auth/express';

const auth = sspiAuth({
  accounts: memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]),
  session: {
    // Of a program that lasts: 32 random bytes from your secrets, the same in every process.
    secrets: [process.env['SESSION_SECRET'] ?? randomBytes(32)],
    // For plain HTTP on this machine only. Leave it out where there is TLS.
    cookie: { secure: false },
    signInPath: '/sign-in',
  },
});
const app = express();
app.use(auth);
app.get('/', (request, response) => {
  // The button "back" would show it again after a sign-out: browsers keep pages in memory.
  response
    .set('Cache-Control', 'no-store')
    .send(`Hello ${request.user?.name} <form method="post" action="/sign-out"><button>Sign out</button></form>\n`);
});
app.get('/sign-in', (_request, response) => response.redirect('/'));
// A POST of the same origin: what other sites send is refused before it comes here (option crossSite).
app.post('/sign-out', async (request, response) => {
  await auth.signOut(request, response);
  response.send('Signed out. <a href="/sign-in">Sign in again</a>\n');
});
const server = app.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  console.log('listening on', server.address());
});
