/** Four processes on one port that share what they have accepted: Digest works whichever of them a request reaches. */
import cluster from 'node:cluster';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { clusterStore, memoryAccounts, recommendedServerOptions } from 'sspi-auth';
import { sspiAuth } from 'sspi-auth/node';

// In the primary process too, before the first fork. Several machines: redisStore(client), docs/fleets.md.
const store = clusterStore();

if (cluster.isPrimary) {
  // All processes need the same. Several machines: 32 random bytes from your secrets, not made at start.
  const DIGEST_SECRET = process.env['DIGEST_SECRET'] ?? randomBytes(32).toString('hex');
  for (let count = 0; count < 4; count++) cluster.fork({ DIGEST_SECRET });
  // A worker that ends is replaced, but not one that cannot start.
  cluster.on('exit', (worker, code) => {
    if (code === 1 || worker.exitedAfterDisconnect) return;
    cluster.fork({ DIGEST_SECRET });
  });
} else {
  const protect = sspiAuth({
    accounts: memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]),
    schemes: ['Digest'],
    digest: { secret: process.env['DIGEST_SECRET'] ?? '' },
    store,
  });
  const server = createServer(
    recommendedServerOptions,
    protect((request, response) => {
      response.end(`Hello ${request.user?.name}, from process ${process.pid}\n`);
    }),
  );
  protect.attach(server);
  server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
    console.log('listening on', server.address());
  });
}
