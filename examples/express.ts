/** Express: who is it? Run it, then `curl --ntlm -u alice:Wonderland-7 http://localhost:8080/`. */
import express from 'express';
import { memoryAccounts } from 'sspi-auth';
import { sspiAuth } from 'sspi-auth/express';

const app = express();
app.use(sspiAuth({ accounts: memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]) }));
app.get('/', (request, response) => {
  response.send(`Hello ${request.user?.name}, by ${request.sspi?.package}\n`);
});
const server = app.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  console.log('listening on', server.address());
});
