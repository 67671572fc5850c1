/** node:http alone, with Node's limits set for integrated sign-on. */
import { createServer } from 'node:http';
import { memoryAccounts, recommendedServerOptions } from 'sspi-auth';
import { sspiAuth } from 'sspi-auth/node';

const protect = sspiAuth({ accounts: memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]) });
const server = createServer(
  recommendedServerOptions,
  protect((request, response) => {
    response.end(`Hello ${request.user?.name}, by ${request.sspi?.package}\n`);
  }),
);
protect.attach(server);
server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  console.log('listening on', server.address());
});
