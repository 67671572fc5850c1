/** Express with two ways in: browsers by single sign-on, programs by a JWT, `Authorization: Bearer …` (jose). */
import { createServer } from 'node:http';
import express from 'express';
import { jwtVerify } from 'jose';
import { memoryAccounts, recommendedServerOptions } from 'sspi-auth';
import type { Identity } from 'sspi-auth';
import { sspiAuth } from 'sspi-auth/express';

const key = new TextEncoder().encode(process.env['JWT_SECRET'] ?? 'an example, and no secret at all');

/** Undefined for a token that is not right: 401, with every challenge. */
async function userOfToken(authorization = ''): Promise<Identity | undefined> {
  try {
    const { payload } = await jwtVerify(authorization.replace(/^bearer +/i, ''), key, { algorithms: ['HS256'] });
    const { sub } = payload;
    return sub === undefined ? undefined : { name: sub, userName: sub, groups: [], package: 'Bearer' };
  } catch {
    return undefined;
  }
}

const app = express();
app.use(
  sspiAuth({
    accounts: memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]),
    otherSchemes: { Bearer: (request) => userOfToken(request.headers.authorization) },
    challenges: ['Bearer realm="api"'],
    logger: console,
  }),
);
app.get('/', (request, response) => {
  response.send(`Hello ${request.user?.name}, by ${request.user?.package}\n`);
});
const server = createServer(recommendedServerOptions, app);
server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  console.log('listening on', server.address());
});
