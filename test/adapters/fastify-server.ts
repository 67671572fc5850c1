/** The application on Fastify. */
import fastify from 'fastify';
import type { FastifyRequest } from 'fastify';
import type { FastifySspiAuthOptions } from '../../adapters/fastify.ts';
import { sspiAuth as fastifySspiAuth } from '../../adapters/fastify.ts';
import { afterDeadline, answer, bodyOf, listening, optionsFor, refusalPage, requestCount } from './application.ts';
import type { Answer, Refusing, StartServer } from './application.ts';

/** `refuse` for Fastify. */
function fastifyRefuse(refusing: Refusing | undefined): Pick<FastifySspiAuthOptions, 'refuse'> {
  if (refusing === undefined) return {};
  if (refusing === 'error') return { refuse: 'error' };
  return {
    refuse: (_request, reply) => {
      switch (refusing) {
        case 'meddling':
          void reply.code(200).removeHeader('www-authenticate').header('Connection', 'close');
          return reply.header('WWW-Authenticate', 'Basic').header('Cache-Control', 'public').send(refusalPage);
        case 'later':
          return Promise.resolve(refusalPage);
        case 'throwing':
          void reply.header('X-Half', 'done');
          throw new Error('the page is broken');
        case 'rejecting':
          return Promise.reject(new Error('the page is broken'));
        case 'hanging':
          return afterDeadline().then(() => reply.header('X-Late', 'yes').send(refusalPage));
      }
    },
  };
}

export const startFastify: StartServer = async (options) => {
  const handled = requestCount();
  const app = fastify();
  const { refusing, group } = options;
  await app.register(fastifySspiAuth, {
    ...optionsFor<FastifyRequest>(options, (request) => request.raw),
    ...fastifyRefuse(refusing),
  });
  if (refusing === 'error') {
    app.setErrorHandler((error, _request, reply) => {
      if ((error as { code?: unknown }).code !== 'ERR_SSPI_AUTH_REFUSED') throw error as Error;
      return reply.code(200).header('WWW-Authenticate', 'Basic').header('Connection', 'close').send(refusalPage);
    });
  }
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => {
    bodyOf(payload).then((body) => done(null, body), done);
  });
  const { requireUser, requireGroup } = app.sspiAuth;
  const handler = (request: FastifyRequest): Answer => {
    handled.add();
    return answer(request.user, request.sspi, Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
  };
  app.all('/user', { preHandler: requireUser }, handler);
  if (group !== undefined) app.all('/group', { preHandler: requireGroup(group) }, handler);
  app.post('/sign-out', async (request, reply) => ({ told: await app.sspiAuth.signOut(request, reply) }));
  app.all('*', handler);
  await app.listen({ port: 0, host: '127.0.0.1' });
  return listening(
    app.server,
    app.sspiAuth.authenticator,
    () => handled.total,
    () => app.close(),
  );
};
