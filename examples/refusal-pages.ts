/** Express with pages of its own for 401, 403, 500 and 503. Status and challenges stay what they are. */
import { createServer } from 'node:http';
import express from 'express';
import { memoryAccounts, recommendedServerOptions } from 'sspi-auth';
import { sspiAuth } from 'sspi-auth/express';

const pages: Readonly<Record<number, string>> = {
  401: 'Please sign in with your account of the domain.',
  403: 'You are signed in, but not admitted here. Ask the owner of this page.',
  503: 'The domain does not answer at the moment.',
};

const app = express();
const auth = sspiAuth({
  accounts: memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]),
  logger: console,
  refuse: (_request, response, { status }) => {
    response.type('html').send(`<h1>${status}</h1><p>${pages[status] ?? 'Something went wrong.'}</p>\n`);
  },
});
app.use(auth);
app.get('/admins', auth.requireGroup('Administrators'), (_request, response) => {
  response.send('Welcome\n');
});
app.get('/', (request, response) => {
  response.send(`Hello ${request.user?.name}, by ${request.sspi?.package}\n`);
});
const server = createServer(recommendedServerOptions, app);
server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  console.log('listening on', server.address());
});
