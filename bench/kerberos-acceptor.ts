/**
 * Child process of kerberos-accept.bench.ts: `kerberos-acceptor.ts sspi-auth KEYTAB RCACHE`, or `npm-kerberos`, which
 * has KRB5_KTNAME and KRB5RCACHENAME of the environment. Reads paths of token files from standard input, one a line;
 * answers each with the microseconds of processor time of one accept.
 */
import { createInterface } from 'node:readline';
import { acceptAlice, acquireNegotiate } from './kerberos-accept.ts';
import { readTokens } from './kerberos-tokens.ts';
import { loadNpmKerberos } from './npm-kerberos.ts';

async function acceptor(kind: string | undefined): Promise<(tokens: readonly Buffer[]) => void | Promise<void>> {
  if (kind === 'sspi-auth') {
    if (!import.meta.resolve('sspi-auth').includes('/dist/')) throw new Error('the built package is to be measured');
    const [keytab = '', replayCache = ''] = process.argv.slice(3);
    const credential = await acquireNegotiate(keytab, replayCache);
    return (tokens) => {
      for (const token of tokens) acceptAlice(credential, token);
    };
  }
  const kerberos = loadNpmKerberos();
  return async (tokens) => {
    for (const token of tokens) {
      const server = await kerberos.initializeServer('HTTP@localhost');
      await server.step(token.toString('base64'));
      if (server.username !== 'alice@TEST.LOCAL') throw new Error('not alice');
    }
  };
}

const accept = await acceptor(process.argv[2]);
for await (const path of createInterface(process.stdin)) {
  const tokens = await readTokens(path);
  const start = process.cpuUsage();
  await accept(tokens);
  const { user, system } = process.cpuUsage(start);
  console.log((user + system) / tokens.length);
}
