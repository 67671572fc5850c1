/** A server of node:http that carries out an outcome for each request: for tests of what is written. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { awaitResult } from '../../src/http/expect-continue.ts';
import { refusedOutcome } from '../../src/http/outcome.ts';
import type { Outcome } from '../../src/http/outcome.ts';
import type { BodyLimits } from '../../src/http/request-body.ts';
import { writeOutcome } from '../../src/http/response.ts';

export const bodyLimits: BodyLimits = { discardedBodyBytes: 1024, handshakeBodyBytes: 2048 };
export const refuse = (): Outcome => refusedOutcome(401, ['NTLM']);

export interface Running extends AsyncDisposable {
  readonly port: number;
  readonly server: Server;
  /** Targets of the requests the server saw. */
  readonly seen: string[];
}

/** Starts one on a free port. A request that may proceed is answered `handler` when its body has arrived. */
export async function serve(
  outcomeOf: (message: IncomingMessage) => Outcome,
  limits: BodyLimits = bodyLimits,
  prepare: (server: Server) => void = () => undefined,
): Promise<Running> {
  const seen: string[] = [];
  const server = createServer((message: IncomingMessage, response: ServerResponse) => {
    seen.push(message.url ?? '');
    awaitResult(message, response);
    if (!writeOutcome(message, response, outcomeOf(message), limits)) return;
    message.resume().once('end', () => response.end('handler'));
  });
  prepare(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    server,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
