/** Fastify, with Node's limits set: one part of the application is protected, the rest is open. */
import fastify from 'fastify';
import { memoryAccounts, recommendedServerOptions } from 'sspi-auth';
import sspiAuth from 'sspi-auth/fastify';

const { keepAliveTimeout } = recommendedServerOptions;
const app = fastify({ logger: true, http: recommendedServerOptions, keepAliveTimeout });
app.get('/health', () => 'up\n');
await app.register(async (intranet) => {
  await intranet.register(sspiAuth, {
    accounts: memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]),
  });
  intranet.get('/', (request) => `Hello ${request.user?.name}, by ${request.sspi?.package}\n`);
});
await app.listen({ port: Number(process.env['PORT'] ?? 8080), host: '127.0.0.1' });
console.log('listening on', app.server.address());
