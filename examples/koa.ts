/** Koa: who is it? With Node's limits set, and a line in the log for each sign-in. */
import { createServer } from 'node:http';
import Koa from 'koa';
import { memoryAccounts, recommendedServerOptions } from 'sspi-auth';
import { sspiAuth } from 'sspi-auth/koa';
import type { SspiAuthState } from 'sspi-auth/koa';

const accounts = memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]);
const auth = sspiAuth({ accounts, logger: console });
const app = new Koa<SspiAuthState>();
app.use(auth);
app.use((context) => {
  context.body = `Hello ${context.state.user?.name}, by ${context.state.sspi?.package}\n`;
});
// eslint-disable-next-line @typescript-eslint/no-misused-promises -- Koa's promise never rejects
const server = createServer(recommendedServerOptions, app.callback());
server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  console.log('listening on', server.address());
});
