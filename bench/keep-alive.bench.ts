/**
 * What a request over a signed-in connection costs a server, loaded by autocannon: against the same server without
 * sspi-auth, and against the least that any authentication does: setting a user, the same for all. What is between that and
 * the bare server is the framework's, as in Express, where a property more costs every request.
 * bench/loaded-servers.ts says how.
 */
import type autocannon from 'autocannon';
import { compareServers } from './loaded-servers.ts';
import type { Comparison } from './loaded-servers.ts';
import type { Benchmark } from './measurement.ts';
import { ntlmAnswer, ntlmField, ntlmFirst } from './ntlm-sign-in.ts';

const comparisons: readonly Comparison[] = [
  {
    own: 'express with sspi-auth',
    others: [
      'express',
      'express and middleware that sets a user',
      'express and middleware that sets a user, sspi-auth loaded',
    ],
    aimedAt: 'express and middleware that sets a user',
  },
  {
    own: 'fastify with sspi-auth',
    others: ['fastify', 'fastify and a hook that sets a user', 'fastify and a hook that sets a user, sspi-auth loaded'],
    aimedAt: 'fastify',
  },
  {
    own: 'node:http with sspi-auth',
    others: [
      'node:http',
      'node:http and a listener that sets a user',
      'node:http and a listener that sets a user, sspi-auth loaded',
    ],
    aimedAt: 'node:http',
  },
  {
    own: 'koa with sspi-auth',
    others: ['koa', 'koa and middleware that sets a user', 'koa and middleware that sets a user, sspi-auth loaded'],
    aimedAt: 'koa and middleware that sets a user',
  },
  {
    own: 'hono with sspi-auth',
    others: ['hono', 'hono and middleware that sets a user', 'hono and middleware that sets a user, sspi-auth loaded'],
    aimedAt: 'hono and middleware that sets a user',
  },
];

/**
 * Signs an autocannon connection in by NTLM, then leaves it to its requests without credentials. A server that asks for none
 * is sent the first token as well, so that its connections start no other way.
 */
function signIn(client: autocannon.Client): void {
  client.setHeaders({ authorization: ntlmField(ntlmFirst) });
  // Its types say that this event gives request.headers; what comes is the parser's own record.
  const answer = (parsed: unknown): void => {
    const { statusCode, headers } = parsed as { readonly statusCode: number; readonly headers: readonly string[] };
    if (statusCode !== 401) {
      client.off('headers', answer);
      client.setHeaders({});
      return;
    }
    const challenge = headers[headers.findIndex((name) => name.toLowerCase() === 'www-authenticate') + 1] ?? '';
    client.setHeaders({ authorization: ntlmField(ntlmAnswer(challenge)) });
  };
  client.on('headers', answer);
}

const benchmark: Benchmark = {
  name: 'signed-in keep-alive requests',
  run: (progress) =>
    compareServers(
      comparisons,
      ({ kind }, connections) =>
        Promise.resolve({ setupClient: signIn, refused: kind.includes('with sspi-auth') ? connections : 0 }),
      progress,
    ),
};
export default benchmark;
