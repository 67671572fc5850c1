/**
 * An application that leaves as docs/frameworks.md has it: on SIGTERM it drains, then closes its server, and nothing ends
 * the process by force. `/slow` is answered after SIGUSR2.
 */
import { once } from 'node:events';
import { accounts } from './scenarios.ts';
import { adapters } from './servers.ts';

const start = adapters[process.argv[2] ?? ''];
if (start === undefined) throw new Error('which adapter?');
const released = once(process, 'SIGUSR2').then(() => true);
const { port, server, authenticator } = await start({
  accounts,
  domain: 'LAB',
  schemes: ['NTLM'],
  logger: false,
  authorize: (_user, { url }) => {
    if (url !== '/slow') return true;
    console.log('slow request');
    return released;
  },
});
process.once('SIGTERM', () => {
  const drained = authenticator.close({ drain: 60_000 });
  console.log('draining');
  drained.then(
    () => {
      console.log('drained');
      server.close();
    },
    (error: unknown) => {
      throw error;
    },
  );
});
console.log(`port: ${port}`);
