/**
 * The application that runs under Wine, written as its user would: Express and sspi-auth, both installed from the packed
 * tarball. Node 22 runs it as it is. Beside the protected routes it tells what it holds and what was logged.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import express from 'express';
import type { Request, Response } from 'express';
import { memoryAccounts } from 'sspi-auth';
import { sspiAuth } from 'sspi-auth/express';
import { liveHandles, liveNativeHandles } from 'sspi-auth/sspi';

const records: object[] = [];
/** What happened to a client, not what is told of the server. */
const keep = (record: object): void => {
  if ('durationMilliseconds' in record || 'err' in record) records.push(record);
};
const logger = { info: keep, warn: keep, error: keep };

interface Koffi {
  load(name: string): { func(name: string, result: string, parameters: string[]): (...values: unknown[]) => unknown };
}
const koffi = createRequire(import.meta.url)('koffi') as Koffi;

/** What the proxy DLL counts; null where it is not there. */
function shimCounts(): object | null {
  try {
    const counts = Buffer.alloc(16);
    koffi.load('secur32.dll').func('SspiShimCounts', 'void', ['void *'])(counts);
    const [credentials, contexts, buffers, impersonations] = [0, 4, 8, 12].map((at) => counts.readInt32LE(at));
    return { credentials, contexts, buffers, impersonations };
  } catch {
    return null;
  }
}

const app = express();
const middlewares = {
  // What every Windows server would write.
  default: sspiAuth(),
  ntlm: sspiAuth({ schemes: ['NTLM'], logger }),
  negotiate: sspiAuth({ schemes: ['Negotiate'], logger }),
  kerberosOnly: sspiAuth({ schemes: ['Negotiate'], packages: ['Kerberos'], logger }),
  kerberos: sspiAuth({ schemes: ['Kerberos'], logger }),
  named: sspiAuth({ schemes: ['Negotiate'], servicePrincipalNames: ['HTTP/localhost'], logger }),
  freed: sspiAuth({ schemes: ['NTLM'], impersonation: false, logger }),
  listed: sspiAuth({
    accounts: memoryAccounts([{ userName: 'carol', domain: 'LAB', password: 'Carol-of-the-list-9' }]),
    logger,
  }),
};

const whoami = (request: Request, response: Response): void => {
  const { user, sspi } = request;
  response.json({ user, scheme: sspi?.scheme, package: sspi?.package, provider: sspi?.provider });
};
for (const [name, middleware] of Object.entries(middlewares)) app.get(`/${name}`, middleware, whoami);

const outcome = (run: () => unknown): unknown => {
  try {
    return { returned: run() };
  } catch (error) {
    return { code: (error as { code?: string }).code ?? String(error) };
  }
};
app.get('/impersonate', middlewares.ntlm, (request, response) => {
  const { sspi } = request;
  response.json({
    inside: outcome(() => sspi?.impersonate(() => shimCounts())),
    throwing: outcome(() =>
      sspi?.impersonate(() => {
        throw Object.assign(new Error('from inside'), { code: 'FROM_INSIDE' });
      }),
    ),
    promise: outcome(() => sspi?.impersonate(() => Promise.resolve(1))),
    async: outcome(() => sspi?.impersonate(async () => Promise.reject(new Error('never seen')))),
    nested: outcome(() => sspi?.impersonate(() => sspi.impersonate(() => 1))),
    after: shimCounts(),
  });
});

app.get('/read', middlewares.ntlm, (request, response) => {
  try {
    response.json({ text: request.sspi?.impersonate(() => readFileSync(import.meta.filename, 'utf8').length > 0) });
  } catch (error) {
    response.json({ message: (error as Error).message, after: shimCounts() });
  }
});

app.get('/state', (_request, response) => {
  response.json({
    platform: process.platform,
    records: records.splice(0),
    contract: liveHandles(),
    native: liveNativeHandles(),
    shim: shimCounts(),
    installed: JSON.parse(readFileSync(join(import.meta.dirname, 'package.json'), 'utf8')) as object,
  });
});
app.get('/close', (_request, response) => {
  for (const middleware of Object.values(middlewares)) middleware.close();
  response.json({ contract: liveHandles(), native: liveNativeHandles(), shim: shimCounts() });
});

const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null)
    console.log(`listening on ${address.port} with ${process.version}`);
});
