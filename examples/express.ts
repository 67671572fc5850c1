/** Express: who is it? With Node's limits set, and a line in the log for each sign-in. Run it, then `curl --ntlm -u alice:Wonderland-7 http://localhost:8080/`. */
import { createServer } from 'node:http';
import express from 'express';
import { memoryAccounts, recommendedServerOptions } from 'sspi-auth';
import { sspiAuth } from 'sspi-auth/express';

const app = express();
const accounts = memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]);
app.use(sspiAuth({ accounts, logger: console }));
app.get('/', (request, response) => {
  response.send(`Hello ${request.user?.name}, by ${request.sspi?.package}\n`);
});
const server = createServer(recommendedServerOptions, app);
server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  console.log('listening on', server.address());
});
