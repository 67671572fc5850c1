/**
 * A site for browsers, for tests: Kerberos with a keytab, on three ports: with sessions; without; and with sessions where
 * only /sign-in challenges. SITE_SECRET, SITE_KEYTAB and SITE_REPLAYS of the environment are the secret of sessions, the
 * keytab, and a folder for replays. Prints its ports.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sspiAuth } from '../../../adapters/node.ts';
import type { AuthenticatedListener, NodeSspiAuthOptions, Protect } from '../../../adapters/node.ts';

/** One request of the journal, which `/journal` answers and empties. */
export interface JournalEntry {
  readonly method: string;
  readonly url: string;
  /** Whether it had credentials. */
  readonly credentials: boolean;
  readonly status: number;
  /** The client's port: which connection it came by. */
  readonly port: number;
}

const { SITE_SECRET = '', SITE_KEYTAB = '', SITE_REPLAYS = '' } = process.env;
const form = '<form method="post" action="/password">your own form</form> <a id="in" href="/sign-in">Sign in</a>';

function listener(protect: Protect): AuthenticatedListener {
  return (request, response) => {
    const { user, method } = request;
    response.setHeader('Content-Type', 'text/html');
    if (method === 'POST' && request.url === '/sign-out') {
      protect.signOut(request, response).then(
        () => response.writeHead(303, { Location: '/' }).end(),
        () => response.writeHead(500).end(),
      );
    } else if (method === 'POST') {
      response.end('changed');
    } else if (request.url === '/sign-in') {
      response.writeHead(303, { Location: '/' }).end();
    } else if (user === undefined) {
      response.end(`Not signed in. ${form}`);
    } else {
      if (request.url === '/private') response.setHeader('Cache-Control', 'no-store');
      const out = '<form method="post" action="/sign-out"><button id="out">Sign out</button></form>';
      response.end(`Hello ${user.userName} of process ${process.pid}. ${out}`);
    }
  };
}

async function serve(options: NodeSspiAuthOptions): Promise<number> {
  const protect = sspiAuth({
    keytab: SITE_KEYTAB,
    provider: 'portable',
    replayCache: SITE_REPLAYS,
    logger: false,
    skip: ({ url }) => url === '/journal' || url === '/close' || url === '/favicon.ico',
    refuse: (_request, response, { status }) => {
      response.setHeader('Content-Type', 'text/html');
      response.end(`Refused with ${status}. ${form}`);
    },
    ...options,
  });
  const journal: JournalEntry[] = [];
  const inner = listener(protect);
  const outer: AuthenticatedListener = (request, response) =>
    options.anonymous === true && request.url === '/sign-in'
      ? protect.requireUser(inner)(request, response)
      : inner(request, response);
  const protectedListener = protect(outer);
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const { method = '', url = '' } = request;
    if (url === '/favicon.ico') {
      response.writeHead(404).end();
    } else if (url === '/journal') {
      response.end(JSON.stringify(journal.splice(0)));
    } else if (url === '/close') {
      response.end(() => server.closeAllConnections());
    } else {
      const credentials = request.headers.authorization !== undefined;
      const port = request.socket.remotePort ?? 0;
      response.on('finish', () => journal.push({ method, url, credentials, status: response.statusCode, port }));
      protectedListener(request, response);
    }
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

const session = { secrets: [SITE_SECRET], signInPath: '/sign-in' };
const ports = [
  await serve({ session: { ...session, cookie: { secure: false, name: 'sid' } } }),
  await serve({}),
  await serve({ anonymous: true, session: { ...session, cookie: { secure: false, name: 'button' } } }),
];
console.log(`ports: ${ports.join(' ')}`);
