/** Mistakes of the application around the library. */
import express from 'express';
import type { ErrorRequestHandler } from 'express';
import { sspiAuth } from '../../../adapters/express.ts';
import { curl } from '../../lab/curl.ts';
import { plantAccounts as accounts } from '../../lab/plants/accounts.ts';
import type { Plant } from '../../lab/plants/plant.ts';
import { PlantLog, plantLogger } from '../../lab/plants/plant-log.ts';
import type { Realm } from '../../lab/plants/realm.ts';
import { serve, serveApart, serveListener } from '../../lab/plants/site.ts';
import type { Site } from '../../lab/plants/site.ts';
import { RawConnection } from '../../lab/raw-connection.ts';

const ntlm = async (site: Site): Promise<number> =>
  (await curl(['--ntlm', '-u', 'CORP\\alice:Wonderland-7', site.url()])).status;
const type1 = 'TlRMTVNTUAABAAAABoIIAAAAAAAAAAAAAAAAAAAAAAA=';

/** An application of Express, whose own errors go to the log as well. */
function serveExpress(build: (app: express.Express, log: PlantLog) => readonly { close(): void }[]): Promise<Site> {
  const log = new PlantLog();
  const app = express();
  app.set('env', 'test');
  const authenticators = build(app, log);
  const errors: ErrorRequestHandler = (error: unknown, _request, response, next) => {
    log.add(`error ${(error as Error).message}`);
    if (response.headersSent) next(error);
    else response.status(500).end();
  };
  app.use((request, response) => void response.end(request.user?.name ?? 'no user'));
  app.use(errors);
  const closing = {
    [Symbol.asyncDispose]: () => {
      for (const authenticator of authenticators) authenticator.close();
      return Promise.resolve();
    },
  };
  return serveListener(app, log, [closing]);
}

/** The table. */
export const applicationPlants: readonly Plant<Realm>[] = [
  {
    client: 'curl --ntlm',
    answer: 500,
    planted: 'two sspiAuth() for one request',
    kind: 'Express',
    plant: () =>
      serveExpress((app, log) => {
        const logger = plantLogger((line) => log.add(line));
        const both = [0, 1].map(() => sspiAuth({ accounts, schemes: ['NTLM'], logger }));
        for (const auth of both) app.use(auth);
        return both;
      }),
    visit: ntlm,
    cause: /^error.*another sspiAuth\(\)/,
    cure: /[Uu]se one/,
  },
  {
    client: 'curl',
    answer: 500,
    planted: 'app.use(sspiAuth), without the call',
    kind: 'Express',
    plant: () =>
      serveExpress((app) => {
        app.use(sspiAuth as never);
        return [];
      }),
    visit: async (site) => (await curl([site.url()])).status,
    cause: /is a request/,
    cure: /app\.use\(sspiAuth\(/,
  },
  {
    client: 'curl',
    answer: 401,
    planted: 'a preflight of another origin is asked for credentials',
    kind: 'preflight',
    plant: () => serve({ accounts, schemes: ['NTLM'] }),
    async visit(site) {
      const fields = ['Origin: https://x.example', 'Access-Control-Request-Method: GET'];
      return (await curl(['-X', 'OPTIONS', ...fields.flatMap((field) => ['-H', field]), site.url()])).status;
    },
    cause: /^warn.*preflight from https:\/\/x\.example/,
    cure: /skip: isPreflight/,
  },
  {
    client: 'a slow client',
    answer: 401,
    planted: 'limits.handshakeMilliseconds shorter than the client takes',
    kind: 'deadline',
    plant: () => serve({ accounts, schemes: ['NTLM'], limits: { handshakeMilliseconds: 50 } }),
    async visit(site) {
      await using connection = await RawConnection.open(site.port);
      const { status } = await connection.exchange({ fields: [`Authorization: NTLM ${type1}`] });
      await site.log.find((line) => line.includes('handshake-deadline'));
      return status;
    },
    cause: /handshake-deadline/,
    cure: /limits\.handshakeMilliseconds/,
  },
  {
    client: 'curl --ntlm',
    answer: 401,
    planted: 'no logger, as in the first lines that one copies',
    kind: 'no logger',
    plant: () =>
      serveApart({
        options: { accounts: [{ userName: 'alice', password: 'Wonderland-7' }], domain: 'CORP', schemes: ['NTLM'] },
        withoutLogger: true,
      }),
    visit: async (site) => (await curl(['--ntlm', '-u', 'CORP\\alice:wrong', site.url()])).status,
    cause: /SspiAuthWarning.*refused/,
    cure: /option logger|logger:/,
  },
];
