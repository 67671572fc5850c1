/** A server with Kerberos of this library's own: `node no-library-server.js KEYTAB`. Prints its port, then its log. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sspiAuth } from '../../../adapters/node.ts';

const [, , keytab = '', replayCache] = process.argv;
const say = (record: object, message: string): void => {
  const { reason, diagnosis } = record as { readonly reason?: string; readonly diagnosis?: string };
  console.log(['log', message, reason, diagnosis].join(' '));
};
const protect = sspiAuth({
  keytab,
  ...(replayCache === undefined ? undefined : { replayCache, provider: 'portable' }),
  logger: { info: say, warn: say, error: say },
});
const server = createServer(
  protect((request, response) => {
    const { user, sspi } = request as { readonly user?: { readonly name: string }; readonly sspi?: object };
    response.end(JSON.stringify({ name: user?.name, provider: (sspi as { provider?: string }).provider }));
  }),
);
server.listen(0, '127.0.0.1', () => console.log(`port ${(server.address() as AddressInfo).port}`));
