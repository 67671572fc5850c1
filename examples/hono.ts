/** Hono on @hono/node-server: who is it? With Node's limits set. */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { memoryAccounts, recommendedServerOptions } from 'sspi-auth';
import { sspiAuth } from 'sspi-auth/hono';

const app = new Hono();
app.use(sspiAuth({ accounts: memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]), logger: console }));
app.get('/', (c) => c.text(`Hello ${c.var.user?.name}, by ${c.var.sspi?.package}\n`));
const port = Number(process.env['PORT'] ?? 8080);
const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1', serverOptions: recommendedServerOptions }, () =>
  console.log('listening on', server.address()),
);
