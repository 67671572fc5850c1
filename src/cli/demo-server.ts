/** The demo: a server on node:http that shows each client who it is and how that became known. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { sspiAuth } from '../../adapters/node.ts';
import type { AuthenticatedListener, AuthenticatedRequest, Protect } from '../../adapters/node.ts';
import { peerOf } from '../http/exchange.ts';
import { memoryAccounts, recommendedServerOptions } from '../index.ts';
import type { Logger, MemoryAccount, SchemeName, SspiAuthOptions } from '../index.ts';
import { contentSecurityPolicy, notFoundPage, SIGNED_OUT_PATH, signedOutPage, signInPage } from './demo-page.ts';
import type { DemoPath } from './demo-page.ts';
import { describeHeader } from './header-description.ts';
import type { DescribedHeader } from './header-description.ts';
import { HandshakeRecorder } from './recorded-handshake.ts';
import { signInOf } from './sign-in.ts';
import type { SignIn } from './sign-in.ts';
import { signInText } from './sign-in-text.ts';

/** NetBIOS domain of the demo's accounts, and its realm. */
export const DEMO_DOMAIN = 'DEMO';

/** Options of createDemoServer. */
export interface DemoServerOptions {
  readonly accounts: readonly MemoryAccount[];
  readonly logger?: Logger;
}

/** A demo that does not listen yet. */
export interface DemoServer {
  readonly server: Server;
  /** The protected paths; the first offers every scheme. */
  readonly paths: readonly DemoPath[];
  /** Ends all connections and handshakes. */
  close(): void;
}

/** A protected path with the authenticator before it. */
interface ProtectedRoute extends DemoPath {
  readonly protect: Protect;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
}

/**
 * Makes the demo's server: one path for every scheme at once, and one for each alone.
 *
 * @throws OptionError for accounts that cannot be used
 */
export function createDemoServer({ accounts, logger }: DemoServerOptions): DemoServer {
  const options: SspiAuthOptions<IncomingMessage> = {
    accounts: memoryAccounts(accounts),
    domain: DEMO_DOMAIN,
    ...(logger === undefined ? undefined : { logger }),
  };
  const routes: ProtectedRoute[] = [];
  const addRoute = (path: string, label: string, schemes?: readonly SchemeName[]): ProtectedRoute => {
    const protect = sspiAuth({ ...options, ...(schemes === undefined ? undefined : { schemes }) });
    const recorder = new HandshakeRecorder();
    const verified = protect(signInListener(path, recorder, routes));
    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      recorder.begin(request, response);
      verified(request, response);
    };
    const route: ProtectedRoute = { path, label, schemes: protect.authenticator.schemes, protect, handle };
    routes.push(route);
    return route;
  };
  const all = addRoute('/', 'All schemes');
  for (const scheme of all.schemes as readonly SchemeName[]) addRoute(`/${scheme.toLowerCase()}`, scheme, [scheme]);

  const byPath = new Map(routes.flatMap((route) => [route.path, jsonPath(route.path)].map((path) => [path, route])));
  const server = createServer({ ...recommendedServerOptions }, (request, response) => {
    const path = pathOf(request);
    const route = byPath.get(path);
    if (route !== undefined) route.handle(request, response);
    else if (path === SIGNED_OUT_PATH) send(request, response, 200, 'text/html', signedOut(routes));
    else send(request, response, 404, 'text/html', notFoundPage(routes));
  });
  all.protect.attach(server);
  const close = (): void => {
    server.close();
    server.closeAllConnections();
    for (const { protect } of routes) protect.close();
  };
  return { server, paths: routes, close };
}

function jsonPath(path: string): string {
  return path === '/' ? '/json' : `${path}/json`;
}

function pathOf({ url = '/' }: IncomingMessage): string {
  const path = url.split('?', 1)[0] ?? '/';
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/** The listener behind an authenticator: answers with the sign-in as a page, as text or as JSON. */
function signInListener(
  path: string,
  recorder: HandshakeRecorder,
  routes: readonly ProtectedRoute[],
): AuthenticatedListener {
  return (request, response) => {
    const signIn = signInFor(request, recorder);
    if (signIn === undefined) {
      send(request, response, 500, 'text/plain', '500 Internal Server Error\n');
    } else if (pathOf(request) === jsonPath(path)) {
      send(request, response, 200, 'application/json', `${JSON.stringify(signIn, undefined, 2)}\n`);
    } else if (wantsHtml(request)) {
      const current = routes.find((route) => route.path === path) ?? { path, label: path, schemes: [] };
      send(request, response, 200, 'text/html', signInPage(signIn, current, routes));
    } else {
      send(request, response, 200, 'text/plain', signInText(signIn));
    }
  };
}

function signInFor(request: AuthenticatedRequest, recorder: HandshakeRecorder): SignIn | undefined {
  const { user, sspi, socket } = request;
  if (user === undefined || sspi === undefined) return undefined;
  return signInOf(user, sspi, peerOf(socket) ?? '', recorder.conclude(request));
}

/** Browsers ask for text/html. curl accepts anything, and text suits it better. */
function wantsHtml({ headers }: IncomingMessage): boolean {
  return headers.accept?.includes('text/html') === true;
}

function signedOut(routes: readonly ProtectedRoute[]): string {
  const offers = routes.map((route) => ({ path: route, challenges: challengesOf(route) }));
  return signedOutPage(offers, routes);
}

/** The challenges of a 401 of this path. The 401 is a real one, but it is not sent. */
function challengesOf({ protect }: ProtectedRoute): readonly DescribedHeader[] {
  const outcome = protect.authenticator.challenge({ httpVersionMajor: 1 });
  if (outcome.type !== 'challenge') return [];
  return outcome.headers
    .filter(([name]) => name.toLowerCase() === 'www-authenticate')
    .flatMap(([, value]) => value)
    .map((value) => describeHeader('challenge', value));
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  type: 'text/html' | 'text/plain' | 'application/json',
  body: string,
): void {
  request.resume();
  response.writeHead(status, {
    'Content-Type': `${type}; charset=utf-8`,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'Content-Security-Policy': contentSecurityPolicy,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  });
  response.end(body);
}
